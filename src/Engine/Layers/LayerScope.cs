using ClipSegNative.Backends;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>Where a layer stands: its path in the checkpoint, the arena of the plan it belongs to, the weights it shares with other plans.</summary>
sealed class LayerScope(Arena arena, ParameterStore parameters, string path = "")
{
    public IBackend Backend => arena.Backend;

    public ParameterStore Parameters => parameters;

    public LayerScope Child(string name) => new(arena, parameters, Name(name));

    public LayerScope Child(string name, int index) => Child($"{name}.{index}");

    /// <summary>A name under this scope, as the checkpoint spells it.</summary>
    public string Name(string name) => path.Length == 0 ? name : $"{path}.{name}";

    public Tensor Reserve(params ReadOnlySpan<int> extents) => arena.Reserve(extents);

    public Tensor Vector(string name, int length) => parameters.Tensor(Name(name), 1, length);
}
