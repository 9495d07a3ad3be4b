using System.Text.Json;
using System.Text.Unicode;
using static ClipSegNative.Weights.MessageText;

namespace ClipSegNative.Weights;

/// <summary>
/// One object of a configuration file. A key that is absent or null gives the fallback;
/// a value out of place is refused by file, key and value.
/// </summary>
/// <param name="file">The path, for messages.</param>
/// <param name="prefix">Keys of the enclosing objects, as in <c>text_config.</c>; empty at the top.</param>
/// <param name="element">Undefined for an object that the file leaves out.</param>
readonly struct JsonSection(string file, string prefix, JsonElement element)
{
    const int MaxBytes = 16_000_000;

    public string File => file;

    /// <summary>Reads and parses a file; a byte order mark, which some editors leave, is skipped.</summary>
    /// <exception cref="ModelFileException">The file is missing, too large, or not JSON.</exception>
    public static JsonDocument Load(string path, int maxBytes = MaxBytes)
    {
        try
        {
            var info = new FileInfo(path);
            if (!info.Exists) throw new ModelFileException($"{path}: is missing: is this the model folder?");
            if (info.Length > maxBytes) throw new ModelFileException($"{path}: has {info.Length} bytes, at most {maxBytes} are read: is this the right file?");
            ReadOnlyMemory<byte> bytes = System.IO.File.ReadAllBytes(path);
            if (bytes.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) bytes = bytes[3..];
            if (!Utf8.IsValid(bytes.Span)) throw new ModelFileException($"{path}: is not valid UTF-8: fetch it again.");
            CheckEscapes(bytes.Span);
            return JsonDocument.Parse(bytes);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ModelFileException($"{path}: is not valid JSON ({Shown(e.Message.TrimEnd('.'))}): fetch it again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    /// <exception cref="ModelFileException">The document is not an object.</exception>
    public static JsonSection Top(string path, JsonDocument document) => document.RootElement.ValueKind == JsonValueKind.Object
        ? new JsonSection(path, "", document.RootElement)
        : throw new ModelFileException($"{path}: is not a JSON object: fetch it again.");

    public bool Has(string key) => Find(key, out _);

    /// <summary>An object; where it is absent, one whose keys are all absent.</summary>
    public JsonSection Child(string key)
    {
        if (!Find(key, out JsonElement value)) return new JsonSection(file, $"{prefix}{key}.", default);
        return value.ValueKind == JsonValueKind.Object ? new JsonSection(file, $"{prefix}{key}.", value) : throw Refuse(key, "an object");
    }

    public int Integer(string key, int fallback, int min, int max)
    {
        if (!Find(key, out JsonElement value)) return fallback;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= min && number <= max
            ? number
            : throw Refuse(key, min == max ? $"{min}" : $"a whole number from {min} to {max}");
    }

    public double Real(string key, double fallback, double min, double max)
    {
        if (!Find(key, out JsonElement value)) return fallback;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= min && number <= max
            ? number
            : throw Refuse(key, $"a number from {min} to {max}");
    }

    public bool Flag(string key, bool fallback)
    {
        if (!Find(key, out JsonElement value)) return fallback;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Refuse(key, "true or false");
    }

    public string? Text(string key)
    {
        if (!Find(key, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Refuse(key, "a string");
    }

    /// <summary>A list of whole numbers; null where absent.</summary>
    public int[]? Integers(string key, int maxCount, int min, int max)
    {
        string expected = $"1 to {maxCount} whole numbers from {min} to {max}";
        if (!Find(key, out JsonElement value)) return null;
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is 0 || value.GetArrayLength() > maxCount) throw Refuse(key, expected);
        var numbers = new int[value.GetArrayLength()];
        for (int i = 0; i < numbers.Length; i++)
        {
            if (value[i].ValueKind != JsonValueKind.Number || !value[i].TryGetInt32(out numbers[i]) || numbers[i] < min || numbers[i] > max)
                throw Refuse(key, expected);
        }
        return numbers;
    }

    /// <summary>A list of exactly <paramref name="count"/> finite numbers; null where absent.</summary>
    public float[]? Reals(string key, int count, float min, float max)
    {
        if (!Find(key, out JsonElement value)) return null;
        string expected = $"{count} numbers from {min} to {max}";
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != count) throw Refuse(key, expected);
        var numbers = new float[count];
        for (int i = 0; i < count; i++)
        {
            if (value[i].ValueKind != JsonValueKind.Number || !value[i].TryGetSingle(out numbers[i]) || !(numbers[i] >= min && numbers[i] <= max))
                throw Refuse(key, expected);
        }
        return numbers;
    }

    /// <summary>The value's kind; Undefined where the key is absent or null.</summary>
    public JsonValueKind Kind(string key) => Find(key, out JsonElement value) ? value.ValueKind : JsonValueKind.Undefined;

    /// <summary>The refusal of a value, in one sentence.</summary>
    public ModelFileException Refuse(string key, string expected)
    {
        string found = Find(key, out JsonElement value) ? Shown(value.GetRawText()) : "missing";
        return new ModelFileException($"{file}: '{prefix}{key}' is {found}, expected {expected}.");
    }

    /// <summary>A document notices an escape of half a character only when that string is read or compared; this throws at once.</summary>
    static void CheckEscapes(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped) reader.GetString();
    }

    bool Find(string key, out JsonElement value)
    {
        value = default;
        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;
    }
}
