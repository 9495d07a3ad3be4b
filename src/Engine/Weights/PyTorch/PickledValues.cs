namespace ClipSegNative.Weights.PyTorch;

/// <summary>A class or function that a pickle names. A name only: nothing is looked up, loaded or called.</summary>
sealed record PickledGlobal(string Module, string Name)
{
    /// <summary>Classes of a TorchScript archive's own code; their instances are read as dictionaries of attributes.</summary>
    public bool IsScriptClass => Module == "__torch__" || Module.StartsWith("__torch__.", StringComparison.Ordinal);

    public bool Is(string module, string name) => Module == module && Name == name;
}

/// <summary>A dict, an OrderedDict or, with <paramref name="isModule"/>, a TorchScript module's attributes; in the file's order, doubles included.</summary>
sealed class PickledDictionary(bool isModule = false)
{
    public bool IsModule => isModule;

    public List<(object? Key, object? Value)> Items { get; } = [];
}

/// <summary>Bytes that lie outside the pickle.</summary>
/// <param name="Type">PyTorch's class, such as FloatStorage.</param>
/// <param name="Key">Under which the archive keeps the bytes.</param>
/// <param name="Elements">How many the pickle claims; 0 or more.</param>
sealed record PickledStorage(string Type, string Key, long Elements);

/// <summary>A view into a storage as the pickle claims it: offset and strides in elements, all 0 or more, not yet checked against the storage.</summary>
sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Extents, long[] Strides);
