using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Hides a backend's fusions: forwards what the interface has no body for, and inherits the rest.</summary>
sealed class PrimitivesOnly(IBackend inner) : IBackend
{
    public string Description => inner.Description;

    public DeviceMemory Allocate(long bytes) => inner.Allocate(bytes);

    public PackedMatrix AllocateMatrix(int outputs, int inputs) => inner.AllocateMatrix(outputs, inputs);

    public int PitchFor(int columns) => inner.PitchFor(columns);

    public void Upload(ReadOnlySpan<float> source, Tensor destination) => inner.Upload(source, destination);

    public void Upload(ReadOnlySpan<int> source, Tensor destination) => inner.Upload(source, destination);

    public void Download(Tensor source, Span<float> destination) => inner.Download(source, destination);

    public void Synchronize() => inner.Synchronize();

    public IReplay Capture(Action enqueue) => inner.Capture(enqueue);

    public void PackMatrix(Tensor weight, int firstOutput, PackedMatrix destination) => inner.PackMatrix(weight, firstOutput, destination);

    public void Copy(Tensor x, Tensor y) => inner.Copy(x, y);

    public void Permute(Tensor x, Shape order, Tensor y) => inner.Permute(x, order, y);

    public void Add(Tensor x, Tensor r, Tensor y) => inner.Add(x, r, y);

    public void Activate(Tensor x, Activation activation, Tensor y) => inner.Activate(x, activation, y);

    public void Linear(Tensor x, PackedMatrix weight, Tensor bias, Tensor y) => inner.Linear(x, weight, bias, y);

    public void LayerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y) => inner.LayerNorm(x, gamma, beta, epsilon, y);

    public void Attention(Tensor q, Tensor k, Tensor v, int heads, bool causal, Tensor y) => inner.Attention(q, k, v, heads, causal, y);

    public void Film(Tensor x, Tensor scale, Tensor shift, Tensor y) => inner.Film(x, scale, shift, y);

    public void GatherRows(Tensor table, Tensor indices, Tensor y) => inner.GatherRows(table, indices, y);

    public void Patchify(Tensor pixels, int size, Tensor y) => inner.Patchify(pixels, size, y);

    public void PrependClassToken(Tensor tokens, Tensor classToken, Tensor positions, Tensor y) => inner.PrependClassToken(tokens, classToken, positions, y);

    public void SliceTokens(Tensor x, int first, Tensor y) => inner.SliceTokens(x, first, y);

    public void Convolution(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Tensor y) => inner.Convolution(x, weight, bias, kernel, y);

    public void Fold(Tensor columns, int kernel, int stride, int padding, Tensor bias, Tensor y) => inner.Fold(columns, kernel, stride, padding, bias, y);

    public void Resize(Tensor x, ResizeMode mode, Tensor y) => inner.Resize(x, mode, y);

    /// <summary>The inner backend belongs to whoever made it.</summary>
    public void Dispose() { }
}
