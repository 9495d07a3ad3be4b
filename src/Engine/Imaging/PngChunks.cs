using System.Buffers.Binary;

namespace ClipSegNative.Imaging;

/// <summary>Cuts what is written to it into IDAT chunks of at most 64 KiB; disposing writes the last one and leaves the target open.</summary>
sealed class PngChunks(Stream target) : Stream
{
    static readonly uint[] CrcTable = MakeCrcTable();

    readonly byte[] _pending = new byte[1 << 16];
    int _filled;

    /// <summary>One whole chunk: length, type, data, CRC-32 of type and data.</summary>
    public static void Write(Stream target, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> head = stackalloc byte[8];
        Span<byte> tail = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(head, data.Length);
        type.CopyTo(head[4..]);
        BinaryPrimitives.WriteUInt32BigEndian(tail, ~Crc(Crc(uint.MaxValue, type), data));
        target.Write(head);
        target.Write(data);
        target.Write(tail);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int part = Math.Min(buffer.Length, _pending.Length - _filled);
            buffer[..part].CopyTo(_pending.AsSpan(_filled));
            _filled += part;
            buffer = buffer[part..];
            if (_filled == _pending.Length) Emit();
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    protected override void Dispose(bool disposing)
    {
        if (disposing && _filled > 0) Emit();
        base.Dispose(disposing);
    }

    void Emit()
    {
        Write(target, "IDAT"u8, _pending.AsSpan(0, _filled));
        _filled = 0;
    }

    static uint Crc(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (byte value in data) crc = CrcTable[(byte)(crc ^ value)] ^ (crc >> 8);
        return crc;
    }

    static uint[] MakeCrcTable()
    {
        const uint ReversedPolynomial = 0xEDB88320;
        var table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? ReversedPolynomial ^ (crc >> 1) : crc >> 1;
            table[i] = crc;
        }
        return table;
    }

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush() { }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
