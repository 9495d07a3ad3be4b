using System.Buffers.Binary;
using System.Text;

namespace ClipSegNative.Tests.Weights.PyTorch;

/// <summary>Writes pickles instruction by instruction, as PyTorch does and as it never would.</summary>
sealed class TorchPickle
{
    readonly List<byte> _bytes = [0x80, 2];

    public byte[] Done() => [.. _bytes, (byte)'.'];

    public TorchPickle Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public TorchPickle Mark() => Raw((byte)'(');

    public TorchPickle Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return Raw((byte)'X').UInt32((uint)utf8.Length).Raw(utf8);
    }

    public TorchPickle Integer(long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return value is >= 0 and <= byte.MaxValue ? Raw((byte)'K', (byte)value) : Raw(0x8A, sizeof(long)).Raw(bytes);
    }

    public TorchPickle Global(string module, string name) => Raw((byte)'c').Raw(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public TorchPickle Tuple(params ReadOnlySpan<long> values)
    {
        Mark();
        foreach (long value in values) Integer(value);
        return Raw((byte)'t');
    }

    public TorchPickle Put(uint key) => Raw((byte)'r').UInt32(key);

    public TorchPickle Get(uint key) => Raw((byte)'j').UInt32(key);

    /// <summary>An OrderedDict, as state dictionaries are, of what <paramref name="items"/> pushes: keys and values by turns.</summary>
    public TorchPickle Dictionary(Action<TorchPickle> items)
    {
        Global("collections", "OrderedDict").Raw((byte)')', (byte)'R').Mark();
        items(this);
        return Raw((byte)'u');
    }

    public TorchPickle Storage(string type, string key, long elements, bool legacy = false)
    {
        Mark().Text("storage").Global("torch", type).Text(key).Text("cpu").Integer(elements);
        if (legacy) Raw((byte)'N');
        return Raw((byte)'t', (byte)'Q');
    }

    public TorchPickle Tensor(string type, string key, long elements, long offset, long[] extents, long[] strides, bool legacy = false)
    {
        Global("torch._utils", "_rebuild_tensor_v2").Mark().Storage(type, key, elements, legacy).Integer(offset).Tuple(extents).Tuple(strides);
        return Raw(0x89).Global("collections", "OrderedDict").Raw((byte)')', (byte)'R', (byte)'t', (byte)'R');
    }

    public TorchPickle UInt32(uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Raw(bytes);
    }
}
