namespace ClipSegNative.Tensors;

/// <summary>
/// A weight matrix [outputs, inputs] in the layout in which its backend multiplies fastest; filled by <c>IBackend.PackMatrix</c>.
/// When training changes the weights they are packed again into the same object.
/// </summary>
abstract class PackedMatrix(int outputs, int inputs) : IDisposable
{
    public int Outputs { get; } = outputs;

    public int Inputs { get; } = inputs;

    public abstract long Bytes { get; }

    /// <summary>What a file must hold to give this matrix back; empty where the device puts none into files.</summary>
    public virtual ReadOnlySpan<byte> Contents => [];

    public abstract void Dispose();

    public override string ToString() => $"[{Outputs},{Inputs}]";
}
