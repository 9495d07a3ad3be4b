using System.Text.Json;

namespace ClipSegNative.Data;

/// <summary>Takes the fields of a record; what is out of place is refused with the end of a sentence that begins with the record.</summary>
static class JsonFields
{
    /// <summary>Beyond it a coordinate is damage, not a point outside the picture.</summary>
    const double LargestCoordinate = 1e6;

    /// <summary>Whether an exception says that a record is not as it should be; the last kind comes of a string of broken UTF-8.</summary>
    public static bool IsRefusal(Exception error) => error is FormatException or JsonException or InvalidOperationException;

    public static string Refusal(Exception error) => error is FormatException ? error.Message : $"is not valid JSON ({error.Message.TrimEnd('.')})";

    /// <summary>The value of a key; null where it is absent or null.</summary>
    public static JsonElement? Find(JsonElement fields, string key)
    {
        if (fields.ValueKind != JsonValueKind.Object) throw new FormatException($"is {fields.GetRawText()}, not an object");
        return fields.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>A text or number that must be there, as text.</summary>
    public static string Name(JsonElement fields, string key) => Find(fields, key) switch
    {
        { ValueKind: JsonValueKind.String } value when value.GetString() is { Length: > 0 } text => text,
        { ValueKind: JsonValueKind.Number } value => value.GetRawText(),
        _ => throw new FormatException($"has no {key}"),
    };

    /// <summary>A whole number that must be there; some files write it as text.</summary>
    public static long Whole(JsonElement fields, string key)
    {
        string name = Name(fields, key);
        return long.TryParse(name, out long number) ? number : throw new FormatException($"has {key} {name}, not a whole number");
    }

    public static string Text(JsonElement fields, string key, string fallback) => Find(fields, key) is { } value ? Text(value) : fallback;

    public static string Text(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new FormatException($"has {value.GetRawText()} where a text belongs");

    public static double Coordinate(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && Math.Abs(number) <= LargestCoordinate
            ? number
            : throw new FormatException($"has the coordinate {value.GetRawText()}, not a number of pixels");

    public static T[] Each<T>(JsonElement list, string key, Func<JsonElement, T> item) => list.ValueKind == JsonValueKind.Array
        ? [.. list.EnumerateArray().Select(item)]
        : throw new FormatException($"has {key} that are not lists");
}
