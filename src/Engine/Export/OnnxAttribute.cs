namespace ClipSegNative.Export;

/// <summary>A named constant of an ONNX node: exactly one of the values is given.</summary>
sealed record OnnxAttribute(string Name)
{
    public long? Integer { get; private init; }

    public float? Real { get; private init; }

    public string? Text { get; private init; }

    public IReadOnlyList<long>? Integers { get; private init; }

    public static implicit operator OnnxAttribute((string Name, long Value) pair) => new(pair.Name) { Integer = pair.Value };

    public static implicit operator OnnxAttribute((string Name, float Value) pair) => new(pair.Name) { Real = pair.Value };

    public static implicit operator OnnxAttribute((string Name, string Value) pair) => new(pair.Name) { Text = pair.Value };

    public static implicit operator OnnxAttribute((string Name, long[] Value) pair) => new(pair.Name) { Integers = pair.Value };
}
