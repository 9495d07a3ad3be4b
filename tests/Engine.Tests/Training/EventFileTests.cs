using System.Buffers.Binary;
using System.Text;
using ClipSegNative.Tests.Weights;
using ClipSegNative.Training;

namespace ClipSegNative.Tests.Training;

/// <summary>Reads the files with a decoder of its own: bit by bit for the checksums, byte by byte for the messages.</summary>
public sealed class EventFileTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Scalar_AfterTheVersion_CanBeReadBack()
    {
        using (var events = new EventFile(_folder.Location, step: 0))
        {
            events.Scalar("train/loss", 1, 0.75);
            events.Scalar("val/iou", 300, -2.5);
        }
        List<byte[]> records = Records();
        Assert.Equal("brain.Event:2", Text(Fields(records[0])[3]));
        Assert.Equal(["train/loss", "val/iou"], records.Skip(1).Select(record => Text(Fields(Value(record))[1])));
        Assert.Equal([1ul, 300], records.Skip(1).Select(record => (ulong)Fields(record)[2]));
        Assert.Equal([0.75f, -2.5f], records.Skip(1).Select(record => BitConverter.UInt32BitsToSingle((uint)(ulong)Fields(Value(record))[2])));
        double now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Assert.All(records, record => Assert.InRange(BitConverter.UInt64BitsToDouble((ulong)Fields(record)[1]), now - 60, now + 60));
    }

    [Fact]
    public void Image_Png_IsEmbedded()
    {
        using (var events = new EventFile(_folder.Location, step: 0)) events.Image("samples/a-cat", 7, 30, 20, [1, 2, 3]);
        Dictionary<int, object> image = Fields((byte[])Fields(Value(Records()[1]))[4]);
        Assert.Equal([20ul, 30ul, 3ul], new[] { 1, 2, 3 }.Select(field => (ulong)image[field]));
        Assert.Equal([1, 2, 3], (byte[])image[4]);
    }

    [Fact]
    public void Constructor_ResumedRun_TellsTheBoardToForgetLaterSteps()
    {
        using (new EventFile(_folder.Location, step: 40)) { }
        Dictionary<int, object> session = Fields(Records()[1]);
        Assert.Equal(41ul, session[2]);
        Assert.Equal(1ul, Fields((byte[])session[7])[1]);
    }

    [Theory]
    [InlineData("123456789", 0xE3069283)]   // the check value of every catalogue of checksums
    [InlineData("", 0)]
    public void Crc32C_KnownTexts_GiveKnownSums(string text, uint expected) => Assert.Equal(expected, Crc32C.Of(Encoding.ASCII.GetBytes(text)));

    List<byte[]> Records()
    {
        byte[] file = File.ReadAllBytes(Assert.Single(Directory.GetFiles(_folder.Location, "events.out.tfevents.*")));
        var records = new List<byte[]>();
        for (int at = 0; at < file.Length;)
        {
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at));
            Assert.Equal(Masked(file.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            byte[] data = file[(at + 12)..(at + 12 + length)];
            Assert.Equal(Masked(data), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)));
            records.Add(data);
            at += 16 + length;
        }
        return records;
    }

    static byte[] Value(byte[] record) => (byte[])Fields((byte[])Fields(record)[5])[1];

    static string Text(object field) => Encoding.UTF8.GetString((byte[])field);

    /// <summary>Field number to value: a number, or the bytes of a text or message.</summary>
    static Dictionary<int, object> Fields(byte[] message)
    {
        var fields = new Dictionary<int, object>();
        for (int at = 0; at < message.Length;)
        {
            ulong key = Varint(message, ref at);
            int field = (int)(key >> 3);
            switch (key & 7)
            {
                case 0: fields[field] = Varint(message, ref at); break;
                case 1: fields[field] = BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(at)); at += 8; break;
                case 5: fields[field] = (ulong)BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at)); at += 4; break;
                case 2:
                    int length = (int)Varint(message, ref at);
                    fields[field] = message[at..(at + length)];
                    at += length;
                    break;
                default: throw new InvalidDataException($"wire type {key & 7}");
            }
        }
        return fields;
    }

    static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = message[at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }
    }

    static uint Masked(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;
        }
        crc = ~crc;
        return unchecked((crc >> 15 | crc << 17) + 0xA282EAD8);
    }
}
