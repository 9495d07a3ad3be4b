using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using ClipSegNative.Tensors;
using static ClipSegNative.Weights.MessageText;

namespace ClipSegNative.Weights;

/// <summary>
/// One entry of a safetensors header, its sizes and offsets checked. Offsets count from the end of the header;
/// Type is null for element types that are not read.
/// </summary>
readonly record struct StoredTensor(string TypeName, DType? Type, long[] Extents, long Begin, long End);

/// <summary>Parses a safetensors header strictly.</summary>
/// <remarks>The format: https://github.com/huggingface/safetensors#format. Allocates in proportion to the header's own length only.</remarks>
ref struct SafetensorsHeader
{
    const int MaxNesting = 8;      // the format nests three deep
    const int MaxExtents = 32;

    readonly string _file;
    readonly long _dataBytes;
    Utf8JsonReader _json;

    SafetensorsHeader(ReadOnlySpan<byte> json, long dataBytes, string file)
    {
        _file = file;
        _dataBytes = dataBytes;
        _json = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxNesting });
    }

    /// <param name="json">The header without its length prefix.</param>
    /// <param name="dataBytes">How many bytes of tensor data follow the header.</param>
    /// <param name="file">The path, for messages.</param>
    /// <param name="metadata">The free strings under <c>__metadata__</c>.</param>
    /// <exception cref="ModelFileException">The header breaks a rule of the format.</exception>
    public static Dictionary<string, StoredTensor> Parse(ReadOnlySpan<byte> json, long dataBytes, string file, out Dictionary<string, string> metadata)
    {
        if (!Utf8.IsValid(json)) throw new ModelFileException($"{file}: the header is not valid UTF-8: the file is damaged or not a safetensors file.");
        var header = new SafetensorsHeader(json, dataBytes, file);
        try
        {
            Dictionary<string, StoredTensor> tensors = header.ReadAll(out metadata);
            header.CheckCoverage(tensors);
            return tensors;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)   // InvalidOperation: a lone surrogate escape in a string
        {
            throw new ModelFileException($"{file}: the header is not valid JSON ({Shown(e.Message.TrimEnd('.'))}): the file is damaged or not a safetensors file.", e);
        }
    }

    Dictionary<string, StoredTensor> ReadAll(out Dictionary<string, string> metadata)
    {
        var tensors = new Dictionary<string, StoredTensor>();
        metadata = [];
        bool hasMetadata = false;
        _json.Read();
        if (_json.TokenType != JsonTokenType.StartObject) throw Refuse("the header is not a JSON object");
        while (NextName(out string name))
        {
            if (name == "__metadata__")
            {
                if (hasMetadata) throw Refuse("the header names '__metadata__' twice");
                hasMetadata = true;
                ReadMetadata(metadata);
            }
            else if (!tensors.TryAdd(name, ReadTensor(name))) throw Refuse($"the header names '{Shown(name)}' twice");
        }
        _json.Read();   // throws on anything but white space after the object
        return tensors;
    }

    void ReadMetadata(Dictionary<string, string> metadata)
    {
        _json.Read();
        if (_json.TokenType != JsonTokenType.StartObject) throw Refuse("'__metadata__' is not an object of strings");
        while (NextName(out string key))
        {
            _json.Read();
            if (_json.TokenType != JsonTokenType.String) throw Refuse($"'__metadata__' holds a value for '{Shown(key)}' that is not a string");
            if (!metadata.TryAdd(key, _json.GetString()!)) throw Refuse($"'__metadata__' names '{Shown(key)}' twice");
        }
    }

    StoredTensor ReadTensor(string name)
    {
        string? type = null;
        long[]? extents = null, offsets = null;
        _json.Read();
        if (_json.TokenType != JsonTokenType.StartObject) throw Refuse($"the entry of '{Shown(name)}' is not an object");
        while (NextName(out string key))
        {
            _json.Read();
            switch (key)
            {
                case "dtype" when type is null:
                    if (_json.TokenType != JsonTokenType.String) throw Refuse($"the dtype of '{Shown(name)}' is not a string");
                    type = _json.GetString();
                    break;
                case "shape" when extents is null:
                    extents = ReadNumbers(name, key);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(name, key);
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw Refuse($"the entry of '{Shown(name)}' has {key} twice");
                default:
                    _json.Skip();
                    break;
            }
        }
        if (type is null || extents is null || offsets is not [long begin, long end])
            throw Refuse($"the entry of '{Shown(name)}' needs a dtype, a shape and two data_offsets");
        return Check(name, type, extents, begin, end);
    }

    readonly StoredTensor Check(string name, string type, long[] extents, long begin, long end)
    {
        if (begin > end) throw Refuse($"'{Shown(name)}' has data_offsets [{begin},{end}], which end before they begin");
        if (end > _dataBytes) throw Refuse($"'{Shown(name)}' has data_offsets [{begin},{end}], past the {_dataBytes} bytes of data in the file");
        long elements = 1;
        foreach (long extent in extents)
        {
            if (extent != 0 && elements > long.MaxValue / 8 / extent) throw Refuse($"'{Shown(name)}' has shape {Format(extents)}, which overflows");
            elements *= extent;
        }
        int size = ElementSize(type);
        if (size > 0 && end - begin != elements * size)
            throw Refuse($"'{Shown(name)}' has shape {Format(extents)} of {Shown(type)}, {elements * size} bytes, but data_offsets of {end - begin} bytes");
        return new StoredTensor(type, Known(type), extents, begin, end);
    }

    /// <summary>The format wants every data byte to belong to exactly one tensor.</summary>
    readonly void CheckCoverage(Dictionary<string, StoredTensor> tensors)
    {
        var ordered = new (long Begin, long End, string Name)[tensors.Count];
        int count = 0;
        foreach ((string name, StoredTensor tensor) in tensors) ordered[count++] = (tensor.Begin, tensor.End, name);
        Array.Sort(ordered, static (a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        long covered = 0;
        string before = "the header";
        foreach ((long begin, long end, string name) in ordered)
        {
            if (begin < covered) throw Refuse($"'{Shown(name)}' at [{begin},{end}] overlaps '{Shown(before)}', which ends at {covered}");
            if (begin > covered) throw Refuse($"{begin - covered} bytes of data before '{Shown(name)}' at [{begin},{end}] belong to no tensor");
            (covered, before) = (end, name);
        }
        if (covered < _dataBytes) throw Refuse($"the last {_dataBytes - covered} of {_dataBytes} bytes of data belong to no tensor");
    }

    bool NextName(out string name)
    {
        _json.Read();
        name = _json.TokenType == JsonTokenType.PropertyName ? _json.GetString()! : "";
        return _json.TokenType == JsonTokenType.PropertyName;
    }

    long[] ReadNumbers(string name, string key)
    {
        if (_json.TokenType != JsonTokenType.StartArray) throw Refuse($"the {key} of '{Shown(name)}' is not a list");
        var numbers = new List<long>(4);
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (_json.TokenType != JsonTokenType.Number || !_json.TryGetInt64(out long value) || value < 0)
                throw Refuse($"the {key} of '{Shown(name)}' holds {Shown(Encoding.UTF8.GetString(_json.ValueSpan))}, expected whole numbers of 0 or more");
            if (numbers.Count == MaxExtents) throw Refuse($"the {key} of '{Shown(name)}' has more than {MaxExtents} numbers");
            numbers.Add(value);
        }
        return [.. numbers];
    }

    /// <summary>Bytes an element; 0 for types without a whole number of bytes or unknown here, whose sizes cannot be checked.</summary>
    static int ElementSize(string type) => type switch
    {
        "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" => 1,
        "F16" or "BF16" or "I16" or "U16" => 2,
        "F32" or "I32" or "U32" => 4,
        "F64" or "I64" or "U64" or "C64" => 8,
        _ => 0,
    };

    static DType? Known(string type) => type switch
    {
        "F32" => DType.F32,
        "F16" => DType.F16,
        "BF16" => DType.BF16,
        "I32" => DType.I32,
        "I64" => DType.I64,
        "U8" => DType.U8,
        _ => null,
    };

    static string Format(long[] extents) => $"[{string.Join(',', extents)}]";

    readonly ModelFileException Refuse(string problem) => new($"{_file}: {problem}: the file is damaged or not a safetensors file.");
}
