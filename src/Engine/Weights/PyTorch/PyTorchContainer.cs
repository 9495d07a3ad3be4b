using System.Buffers.Binary;
using static ClipSegNative.Weights.MessageText;

namespace ClipSegNative.Weights.PyTorch;

/// <summary>Finds, in either of PyTorch's two kinds of file, the pickle that describes the tensors and the bytes of their storages.</summary>
sealed class PyTorchContainer
{
    const string PickleName = "data.pkl";
    const long LegacyVersion = 1001;

    readonly IWeightMemory _file;
    readonly long _fileBytes;
    readonly Dictionary<string, PickledStorage> _claimed = [];
    readonly Dictionary<string, StoredBytes> _storages = [];

    /// <param name="file">Begins with <see cref="IsBeginning">one of the two beginnings</see>.</param>
    /// <param name="fileBytes">Its length.</param>
    /// <exception cref="ModelFileException">The file is damaged or holds more than tensors in containers.</exception>
    public PyTorchContainer(IWeightMemory file, long fileBytes)
    {
        (_file, _fileBytes) = (file, fileBytes);
        Root = ZipDirectory.Begins(file.Slice(0, BeginningBytes)) ? ReadZip() : ReadLegacy();
    }

    /// <summary>What the pickle describes: usually a <see cref="PickledDictionary"/>.</summary>
    public object? Root { get; }

    /// <summary>Where the bytes of every storage lie; as many as the pickle claims.</summary>
    public IReadOnlyDictionary<string, StoredBytes> Storages => _storages;

    public static int BeginningBytes => LegacyBeginning.Length;

    /// <summary>A pickle of the number that <c>torch.save</c> wrote first before it made zip archives.</summary>
    static ReadOnlySpan<byte> LegacyBeginning => [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.'];

    /// <param name="start">The first <see cref="BeginningBytes"/> of a file.</param>
    public static bool IsBeginning(ReadOnlySpan<byte> start) => ZipDirectory.Begins(start) || start.SequenceEqual(LegacyBeginning);

    /// <summary>PyTorch 1.6 and later, and TorchScript: NAME/data.pkl beside NAME/data/KEY, one a storage.</summary>
    object? ReadZip()
    {
        Dictionary<string, StoredBytes?> entries = ZipDirectory.Read(_file, _fileBytes);
        string[] pickles = [.. entries.Keys.Where(name => name.EndsWith($"/{PickleName}", StringComparison.Ordinal) && name.Count(c => c == '/') == 1)];
        if (pickles is not [string pickle]) throw Refuse($"is a zip archive with {pickles.Length} entries NAME/{PickleName}, expected one");
        string folder = pickle[..^PickleName.Length];
        if (entries.ContainsKey($"{folder}byteorder") && !Bytes($"{folder}byteorder", 16).SequenceEqual("little"u8)) throw WrongOrder();
        object? root = PickleReader.Read(Bytes(pickle, PickleReader.MaxBytes), _file.Description, _claimed, out _);
        foreach (PickledStorage storage in _claimed.Values) Locate(storage, Find($"{folder}data/{storage.Key}"));
        return root;

        ReadOnlySpan<byte> Bytes(string name, int most)
        {
            StoredBytes stored = Find(name);
            return stored.Length <= most
                ? _file.Slice(stored.Offset, (int)stored.Length)
                : throw Refuse($"has a {Shown(name)} of {stored.Length} bytes, at most {most} are read");
        }

        StoredBytes Find(string name)
        {
            if (!entries.TryGetValue(name, out StoredBytes? stored)) throw Refuse($"lacks '{Shown(name)}', which its tensors need");
            return stored ?? throw Refuse($"has '{Shown(name)}' compressed or encrypted, which PyTorch does not do: unpack it and save it again");
        }
    }

    /// <summary>Before 1.6: the number, a version, notes about the machine, the object, the keys of its storages; then each one's length and elements.</summary>
    object? ReadLegacy()
    {
        long at = BeginningBytes;
        if (Next() is not LegacyVersion) throw Refuse("is of a version that is not read");
        if (Next() is not PickledDictionary machine || machine.Items.Contains(("little_endian", false))) throw WrongOrder();
        object? root = Next();
        if (Next() is not List<object?> keys) throw Refuse("has no list of the storages of its tensors");
        foreach (object? key in keys)
        {
            if (key is not string name || !_claimed.TryGetValue(name, out PickledStorage? storage) || _storages.ContainsKey(name))
                throw Refuse("lists a storage twice or one that no tensor uses");
            if (at > _fileBytes - sizeof(long)) throw Refuse("ends before its tensors do");
            long elements = BinaryPrimitives.ReadInt64LittleEndian(_file.Slice(at, sizeof(long))), left = _fileBytes - at - sizeof(long);
            int size = ElementType.Of(storage.Type).Bytes;
            if (size == 0) throw Refuse($"holds {Shown(storage.Type)}, which is not read");
            if (elements < 0 || elements > left / size) throw Refuse($"says that a storage has {elements} elements of {size} bytes, but {left} bytes are left");
            Locate(storage, new StoredBytes(at + sizeof(long), elements * size));
            at += sizeof(long) + elements * size;
        }
        if (_claimed.Keys.FirstOrDefault(key => !_storages.ContainsKey(key)) is { } absent)
            throw Refuse($"lacks the storage '{Shown(absent)}', which its tensors need");
        return root;

        object? Next()
        {
            object? value = PickleReader.Read(_file.Slice(at, (int)Math.Min(PickleReader.MaxBytes, _fileBytes - at)), _file.Description, _claimed, out int consumed);
            at += consumed;
            return value;
        }
    }

    void Locate(PickledStorage storage, StoredBytes bytes)
    {
        int size = ElementType.Of(storage.Type).Bytes;
        if (size > 0 && (bytes.Length % size != 0 || bytes.Length / size != storage.Elements))
            throw Refuse($"says that storage '{Shown(storage.Key)}' has {storage.Elements} elements of {size} bytes, but it takes {bytes.Length} bytes");
        _storages.Add(storage.Key, bytes);
    }

    ModelFileException WrongOrder() => Refuse("was written by a machine that stores the high byte first, or does not say how");

    ModelFileException Refuse(string problem) => new($"{_file.Description}: {problem}: the file is damaged or not a PyTorch file of weights.");
}
