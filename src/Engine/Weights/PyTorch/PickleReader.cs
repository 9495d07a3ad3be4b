using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace ClipSegNative.Weights.PyTorch;

/// <summary>
/// Reads Python pickles as far as PyTorch needs them to describe tensors in containers. Executes nothing: the few functions that rebuild tensors are known
/// by name, every other call is refused.
/// </summary>
/// <remarks>
/// The instructions are those of CPython's pickletools, protocols 2 to 5, without the ones that PyTorch's own files never hold. What a pickle can make is
/// bounded by <see cref="MaxSteps"/>, whatever it claims. Numbers are <see cref="long"/>, tuples <c>object?[]</c>, lists <c>List&lt;object?&gt;</c>.
/// </remarks>
ref partial struct PickleReader
{
    /// <summary>Pickles of CLIP and CLIPSeg take well below a tenth of this.</summary>
    public const int MaxBytes = 4 << 20;

    /// <summary>Values pushed, kept or copied.</summary>
    public const int MaxSteps = 500_000;

    const int MaxExtents = 32;

    readonly ReadOnlySpan<byte> _bytes;
    readonly string _file;
    readonly List<object?> _stack = [];
    readonly List<int> _marks = [];
    readonly Dictionary<uint, object?> _memo = [];
    readonly Dictionary<string, PickledStorage> _storages;
    int _at;
    int _steps;

    PickleReader(ReadOnlySpan<byte> bytes, string file, Dictionary<string, PickledStorage> storages)
    {
        _bytes = bytes;
        _file = file;
        _storages = storages;
    }

    /// <param name="bytes">Begins with the pickle; what follows it is not looked at.</param>
    /// <param name="file">The path, for messages.</param>
    /// <param name="storages">Collects every storage that the pickle refers to.</param>
    /// <param name="consumed">Length of the pickle.</param>
    /// <exception cref="ModelFileException">The pickle is damaged, too large, or wants something done that is no tensor or container.</exception>
    public static object? Read(ReadOnlySpan<byte> bytes, string file, Dictionary<string, PickledStorage> storages, out int consumed)
    {
        var reader = new PickleReader(bytes, file, storages);
        object? root = reader.Run();
        consumed = reader._at;
        return root;
    }

    object? Run()
    {
        while (true)
        {
            int at = _at;
            byte instruction = Take(1)[0];
            switch (instruction)
            {
                case 0x80: Protocol(Take(1)[0]); break;
                case (byte)'.': return _marks.Count == 0 && _stack.Count == 1 ? Pop() : throw Refuse("does not end with a single value");
                case 0x95: Take(sizeof(ulong)); break;   // a frame: how much to read ahead
                case (byte)'(': Mark(); break;
                case (byte)'N': Push(null); break;
                case 0x88: Push(true); break;
                case 0x89: Push(false); break;
                case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)))); break;
                case (byte)'K': Push((long)Take(1)[0]); break;
                case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort)))); break;
                case 0x8A: Push(LongInteger(Take(1)[0])); break;
                case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(sizeof(double)))); break;
                case (byte)'X': Push(Text(Count())); break;
                case 0x8C: Push(Text(Take(1)[0])); break;
                case (byte)')': Push(Array.Empty<object?>()); break;
                case 0x85: Push(PopLast(1)); break;
                case 0x86: Push(PopLast(2)); break;
                case 0x87: Push(PopLast(3)); break;
                case (byte)'t': Push(PopToMark()); break;
                case (byte)']': Push(new List<object?>()); break;
                case (byte)'}': Push(new PickledDictionary()); break;
                case (byte)'a': Append(PopLast(1)); break;
                case (byte)'e': Append(PopToMark()); break;
                case (byte)'s': SetItems(PopLast(2)); break;
                case (byte)'u': SetItems(PopToMark()); break;
                case (byte)'q': Keep(Take(1)[0]); break;
                case (byte)'r': Keep(BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)))); break;
                case 0x94: Keep((uint)_memo.Count); break;
                case (byte)'h': Push(Recall(Take(1)[0])); break;
                case (byte)'j': Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint))))); break;
                case (byte)'c': Push(new PickledGlobal(Line(), Line())); break;
                case 0x93: Push(StackGlobal(PopLast(2))); break;
                case (byte)'Q': Push(Storage(Pop())); break;
                case (byte)'R': Push(Call(PopLast(2))); break;
                case 0x81: Push(NewModule(PopLast(2))); break;
                case (byte)'b': Build(Pop()); break;
                default: throw Refuse($"holds the instruction 0x{instruction:X2} at byte {at}, which describes no tensor or container");
            }
        }
    }

    ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _at) throw Refuse($"ends in the middle, after {_bytes.Length} bytes");
        ReadOnlySpan<byte> taken = _bytes.Slice(_at, count);
        _at += count;
        return taken;
    }

    readonly void Protocol(byte version)
    {
        if (version is < 2 or > 5) throw Refuse($"has protocol {version}, but 2 to 5 are read");
    }

    /// <summary>A length of text; longer than the pickle is refused before anything is made of it.</summary>
    int Count()
    {
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));
        return count <= MaxBytes ? (int)count : throw Refuse($"claims a text of {count} bytes");
    }

    string Text(int count)
    {
        ReadOnlySpan<byte> utf8 = Take(count);
        return Utf8.IsValid(utf8) ? Encoding.UTF8.GetString(utf8) : throw Refuse("holds a text that is not valid UTF-8");
    }

    string Line()
    {
        int length = _bytes[_at..].IndexOf((byte)'\n');
        if (length < 0) throw Refuse("ends in the middle of a name");
        string line = Text(length);
        Take(1);
        return line;
    }

    long LongInteger(int count)
    {
        ReadOnlySpan<byte> bytes = Take(count);
        if (count > sizeof(long)) throw Refuse($"holds a whole number of {count} bytes, at most {sizeof(long)} are read");
        long value = 0;
        for (int i = 0; i < count; i++) value |= (long)bytes[i] << (8 * i);
        int unused = 64 - 8 * count;
        return count == 0 ? 0 : value << unused >> unused;   // the sign is the topmost stored bit
    }

    /// <summary>Everything that takes memory is counted here before it takes it.</summary>
    void Step(int count = 1)
    {
        if (count > MaxSteps - _steps) throw Refuse($"holds more than {MaxSteps} values");
        _steps += count;
    }

    void Push(object? value)
    {
        Step();
        _stack.Add(value);
    }

    void Mark()
    {
        Step();
        _marks.Add(_stack.Count);
    }

    void Keep(uint key)
    {
        Step();
        _memo[key] = Top();
    }

    /// <summary>Values below the last mark belong to a container that is not finished.</summary>
    readonly int Floor => _marks.Count == 0 ? 0 : _marks[^1];

    readonly object? Top() => _stack.Count > Floor ? _stack[^1] : throw Refuse("takes a value where there is none");

    object? Pop() => PopLast(1)[0];

    object?[] PopLast(int count)
    {
        if (_stack.Count - Floor < count) throw Refuse("takes a value where there is none");
        object?[] values = [.. _stack[^count..]];
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    object?[] PopToMark()
    {
        if (_marks.Count == 0) throw Refuse("closes a container that it did not open");
        object?[] values = PopLast(_stack.Count - Floor);
        _marks.RemoveAt(_marks.Count - 1);
        return values;
    }

    readonly object? Recall(uint key) => _memo.TryGetValue(key, out object? value) ? value : throw Refuse($"recalls value {key}, which it did not keep");

    readonly ModelFileException Refuse(string problem) => new($"{_file}: the pickle {problem}: the file is damaged or not a PyTorch file of weights.");
}
