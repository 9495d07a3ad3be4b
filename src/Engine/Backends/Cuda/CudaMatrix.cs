using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cuda;

/// <summary>Weights row by row [outputs, inputs], rows a multiple of 16 bytes apart, so that every product may load four values at once.</summary>
sealed class CudaMatrix(int outputs, int inputs, CudaPrecision precision, ICudaRuntime runtime) : PackedMatrix(outputs, inputs)
{
    readonly CudaBlock _memory = runtime.Allocate((long)outputs * PitchOf(inputs) * sizeof(float));

    /// <summary>Of products by these weights.</summary>
    public CudaPrecision Precision => precision;

    public int Pitch => PitchOf(Inputs);

    public ulong Address => _memory.Address;

    public override long Bytes => _memory.Bytes;

    public override void Dispose() => _memory.Dispose();

    static int PitchOf(int inputs) => (inputs + 3) / 4 * 4;
}
