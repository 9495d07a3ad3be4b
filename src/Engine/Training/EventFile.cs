using System.Buffers.Binary;
using Google.Protobuf;

namespace ClipSegNative.Training;

/// <summary>What TensorBoard shows: scalars and pictures by step. Every event is on its way to the disk when the call returns.</summary>
/// <remarks>
/// A file is a row of TFRecords (length, its checksum, data, its checksum; tensorflow/core/lib/io/record_writer.h), each holding one Event message
/// (tensorflow/core/util/event.proto and framework/summary.proto; their field numbers are the constants here).
/// </remarks>
sealed class EventFile : IDisposable
{
    const int EventTime = 1, EventStep = 2, EventFileVersion = 3, EventSummary = 5, EventSession = 7;
    const int SessionStatus = 1, SessionStart = 1;
    const int SummaryValue = 1, ValueTag = 1, ValueScalar = 2, ValueImage = 4;
    const int ImageHeight = 1, ImageWidth = 2, ImageColours = 3, ImageBytes = 4, Rgb = 3;

    readonly FileStream _file;

    /// <summary>Starts a file in the folder; a resumed run gets one more, and what earlier ones hold beyond its first step is not shown.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="step">Where the run begins.</param>
    public EventFile(string folder, long step)
    {
        long seconds = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        string name = $"events.out.tfevents.{seconds}.{Environment.MachineName}.{Environment.ProcessId}";
        _file = new FileStream(Path.Combine(folder, name), FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 1);
        Write(0, output =>
        {
            output.WriteTag(EventFileVersion, WireFormat.WireType.LengthDelimited);
            output.WriteString("brain.Event:2");
        });
        if (step == 0) return;
        Write(step + 1, output => WriteMessage(output, EventSession, session =>
        {
            session.WriteTag(SessionStatus, WireFormat.WireType.Varint);
            session.WriteEnum(SessionStart);
        }));
    }

    public void Scalar(string tag, long step, double value) => Value(tag, step, output =>
    {
        output.WriteTag(ValueScalar, WireFormat.WireType.Fixed32);
        output.WriteFloat((float)value);
    });

    /// <param name="tag">Its name on the board.</param>
    /// <param name="step">When.</param>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="png">The encoded picture, RGB.</param>
    public void Image(string tag, long step, int width, int height, byte[] png) => Value(tag, step, output => WriteMessage(output, ValueImage, image =>
    {
        foreach ((int field, int number) in new[] { (ImageHeight, height), (ImageWidth, width), (ImageColours, Rgb) })
        {
            image.WriteTag(field, WireFormat.WireType.Varint);
            image.WriteInt32(number);
        }
        image.WriteTag(ImageBytes, WireFormat.WireType.LengthDelimited);
        image.WriteBytes(ByteString.CopyFrom(png));
    }));

    public void Dispose() => _file.Dispose();

    void Value(string tag, long step, Action<CodedOutputStream> write) => Write(step, output =>
        WriteMessage(output, EventSummary, summary => WriteMessage(summary, SummaryValue, value =>
        {
            value.WriteTag(ValueTag, WireFormat.WireType.LengthDelimited);
            value.WriteString(tag);
            write(value);
        })));

    void Write(long step, Action<CodedOutputStream> write) => WriteRecord(Encode(output =>
    {
        output.WriteTag(EventTime, WireFormat.WireType.Fixed64);
        output.WriteDouble(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0);
        output.WriteTag(EventStep, WireFormat.WireType.Varint);
        output.WriteInt64(step);
        write(output);
    }));

    void WriteRecord(ByteString data)
    {
        byte[] record = new byte[sizeof(ulong) + sizeof(uint) + data.Length + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(sizeof(ulong)), Masked(record.AsSpan(0, sizeof(ulong))));
        data.Span.CopyTo(record.AsSpan(sizeof(ulong) + sizeof(uint)));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(^sizeof(uint)..), Masked(data.Span));
        _file.Write(record);   // in one piece: a reader beside us sees whole records
        _file.Flush();
    }

    static void WriteMessage(CodedOutputStream output, int field, Action<CodedOutputStream> write)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(Encode(write));
    }

    static ByteString Encode(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true)) write(output);
        return ByteString.CopyFrom(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>Checksums of data that holds checksums itself are weak, so the format turns and shifts them.</summary>
    static uint Masked(ReadOnlySpan<byte> bytes)
    {
        uint crc = Crc32C.Of(bytes);
        return uint.RotateRight(crc, 15) + 0xA282EAD8;
    }
}
