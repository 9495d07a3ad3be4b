using static ClipSegNative.Weights.MessageText;

namespace ClipSegNative.Weights.PyTorch;

/// <summary>The tensors of a pickle under their names: the keys on the way to each, joined with dots.</summary>
sealed class TensorNames
{
    public const int MaxTensors = 20_000;

    const int MaxNameCharacters = 500;
    const int MaxDepth = 32;

    /// <summary>One dictionary may stand in many places, so that a small pickle could describe more than memory holds.</summary>
    const int MaxVisits = 200_000;

    readonly Dictionary<string, PickledTensor> _tensors = [];
    readonly string _file;
    int _visits;

    TensorNames(string file) => _file = file;

    /// <exception cref="ModelFileException">There is none, two have one name, or there are more, deeper or with longer names than any model has.</exception>
    public static Dictionary<string, PickledTensor> Of(object? root, string file)
    {
        var names = new TensorNames(file);
        if (root is PickledDictionary dictionary) names.Collect(dictionary, prefix: "", depth: 0);
        if (names._tensors.Count == 0) throw names.Refuse("holds no tensors under names");
        return names._tensors;
    }

    void Collect(PickledDictionary dictionary, string prefix, int depth)
    {
        if (depth == MaxDepth) throw Refuse($"nests dictionaries more than {MaxDepth} deep");
        foreach ((object? key, object? value) in dictionary.Items)
        {
            if (++_visits > MaxVisits) throw Refuse($"names more than {MaxVisits} things");
            if (key is not string name || value is not (PickledTensor or PickledDictionary)) continue;
            if (prefix.Length + name.Length > MaxNameCharacters) throw Refuse($"has a name of more than {MaxNameCharacters} characters");
            if (value is PickledDictionary inner) Collect(inner, $"{prefix}{name}.", depth + 1);
            else Add(prefix + name, (PickledTensor)value);
        }
    }

    void Add(string name, PickledTensor tensor)
    {
        if (_tensors.Count == MaxTensors) throw Refuse($"holds more than {MaxTensors} tensors");
        if (!_tensors.TryAdd(name, tensor)) throw Refuse($"names '{Shown(name)}' twice");
    }

    ModelFileException Refuse(string problem) => new($"{_file}: {problem}: is this a file of weights?");
}
