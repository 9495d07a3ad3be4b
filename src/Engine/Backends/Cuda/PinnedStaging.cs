using ClipSegNative.Interop;

namespace ClipSegNative.Backends.Cuda;

/// <summary>
/// Copies through pinned memory: only from and to it does a stream copy while the host goes on. Two buffers take turns; an event tells when one is free again.
/// </summary>
sealed class PinnedStaging : IDisposable
{
    /// <summary>A picture's pixels go at once; weights and batches go in pieces, one of which is filled while the other is on its way.</summary>
    public const int BufferBytes = 8 << 20;

    readonly CudaStream _stream;
    readonly Buffer[] _buffers = new Buffer[2];
    int _last;

    PinnedStaging(CudaContext context, CudaStream stream)
    {
        _stream = stream;
        try
        {
            for (int i = 0; i < _buffers.Length; i++) _buffers[i] = new Buffer(PinnedMemory.Allocate(context, BufferBytes), CudaEvent.Create(context, timed: false));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <returns>Null where the system does not let so much memory be pinned.</returns>
    public static PinnedStaging? TryCreate(CudaContext context, CudaStream stream)
    {
        try { return new PinnedStaging(context, stream); }
        catch (DeviceException) { return null; }
    }

    /// <summary>Returns once the last piece lies in pinned memory.</summary>
    public void CopyToDevice(ulong destination, ReadOnlySpan<byte> source)
    {
        for (int first = 0; first < source.Length; first += BufferBytes)
        {
            ReadOnlySpan<byte> piece = source.Slice(first, Math.Min(BufferBytes, source.Length - first));
            Buffer buffer = Next();
            buffer.Free.Synchronize();
            piece.CopyTo(buffer.Memory.Span);
            _stream.CopyToDevice(destination + (ulong)first, buffer.Memory.Span[..piece.Length]);
            buffer.Free.Record(_stream);
        }
    }

    /// <summary>Returns once all has arrived; a piece is on its way while the one before is taken out.</summary>
    public void CopyToHost(Span<byte> destination, ulong source)
    {
        Buffer? before = null;
        for (int first = 0; first < destination.Length; first += BufferBytes)
        {
            Span<byte> piece = Piece(destination, first);
            Buffer buffer = Next();   // what it held, the stream has read before it writes
            _stream.CopyToHost(buffer.Memory.Span[..piece.Length], source + (ulong)first);
            buffer.Free.Record(_stream);
            if (before is not null) TakeOut(before, Piece(destination, first - BufferBytes));
            before = buffer;
        }
        if (before is not null) TakeOut(before, Piece(destination, (destination.Length - 1) / BufferBytes * BufferBytes));
    }

    public void Dispose()
    {
        foreach (Buffer? buffer in _buffers)
        {
            buffer?.Memory.Dispose();
            buffer?.Free.Dispose();
        }
    }

    Buffer Next() => _buffers[_last = (_last + 1) % _buffers.Length];

    static Span<byte> Piece(Span<byte> all, int first) => all.Slice(first, Math.Min(BufferBytes, all.Length - first));

    static void TakeOut(Buffer buffer, Span<byte> piece)
    {
        buffer.Free.Synchronize();
        buffer.Memory.Span[..piece.Length].CopyTo(piece);
    }

    sealed record Buffer(PinnedMemory Memory, CudaEvent Free);
}
