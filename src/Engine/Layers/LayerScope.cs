using ClipSegNative.Backends;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>Where a layer stands: its path in the checkpoint, the arena of the plan it belongs to, the weights it shares with other plans.</summary>
/// <param name="arena">Of the plan.</param>
/// <param name="parameters">Shared by plans.</param>
/// <param name="path">The layer's own.</param>
/// <param name="training">A backward pass will follow: what it reads beyond inputs and results is kept.</param>
/// <param name="floor">Of its products, whatever precision the device was asked for.</param>
sealed class LayerScope(Arena arena, ParameterStore parameters, string path = "", bool training = false, PrecisionFloor floor = PrecisionFloor.None)
{
    public IBackend Backend => arena.Backend;

    public ParameterStore Parameters => parameters;

    public bool Training => training;

    public PrecisionFloor Floor => floor;

    public LayerScope Child(string name) => new(arena, parameters, Name(name), training, floor);

    public LayerScope Child(string name, int index) => Child($"{name}.{index}");

    /// <summary>A name under this scope, as the checkpoint spells it.</summary>
    public string Name(string name) => path.Length == 0 ? name : $"{path}.{name}";

    public Tensor Reserve(params ReadOnlySpan<int> extents) => arena.Reserve(extents);

    public Tensor Vector(string name, int length) => parameters.Tensor(Name(name), 1, length);

    /// <summary>See <see cref="ParameterStore.Matrix"/>; the names are whole ones.</summary>
    public PackedMatrix Matrix(int outputs, int inputs, params ReadOnlySpan<string> names) => parameters.Matrix(outputs, inputs, floor, names);

    public Tensor Gradient(string name, params ReadOnlySpan<int> extents) => parameters.Gradient(Name(name), extents);
}
