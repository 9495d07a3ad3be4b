using ClipSegNative.Tensors;

namespace ClipSegNative.Backends;

/// <summary>
/// The narrow waist: everything a model asks of a device. Operations read views and write destinations that the caller owns; they only enqueue,
/// never allocate, never wait. Only <see cref="Upload(ReadOnlySpan{float}, Tensor)"/>, <see cref="Download"/> and <see cref="Synchronize"/> wait.
/// A tensor [a, b, c] is the matrix [a·b, c]; maps are channels-last [batch, height, width, channels].
/// An operation with a body is a fusion: the body is its specification, and a backend may override it with one kernel.
/// </summary>
interface IBackend : IDisposable
{
    /// <summary>For people: device, instruction set, threads.</summary>
    string Description { get; }

    DeviceMemory Allocate(long bytes);

    PackedMatrix AllocateMatrix(int outputs, int inputs);

    /// <summary>How far apart this device wants rows of that many float32 elements to start; at least <paramref name="columns"/>.</summary>
    int PitchFor(int columns);

    void Upload(ReadOnlySpan<float> source, Tensor destination);

    void Upload(ReadOnlySpan<int> source, Tensor destination);

    void Download(Tensor source, Span<float> destination);

    void Synchronize();

    /// <summary>Records what <paramref name="enqueue"/> enqueues. The tensors it uses must be bound and stay so.</summary>
    IReplay Capture(Action enqueue);

    /// <summary>Fills rows [firstOutput, firstOutput + weight.Rows) of the packed matrix from weight [rows, inputs].</summary>
    void PackMatrix(Tensor weight, int firstOutput, PackedMatrix destination);

    void Copy(Tensor x, Tensor y);

    /// <summary>y[i,j,k,l] = x with its four axes in the given order: y's axis n is x's axis order[n].</summary>
    void Permute(Tensor x, Shape order, Tensor y);

    /// <summary>y = x + r, row by row; r repeats when it has fewer rows. y may be x.</summary>
    void Add(Tensor x, Tensor r, Tensor y);

    /// <summary>y = activation(x). y may be x.</summary>
    void Activate(Tensor x, Activation activation, Tensor y);

    /// <summary>y = x · Wᵀ + bias: [rows, inputs] -> [rows, outputs]. The bias may be absent.</summary>
    void Linear(Tensor x, PackedMatrix weight, Tensor bias, Tensor y);

    void LinearActivate(Tensor x, PackedMatrix weight, Tensor bias, Activation activation, Tensor y)
    {
        Linear(x, weight, bias, y);
        Activate(y, activation, y);
    }

    /// <summary>y = x · Wᵀ + bias + residual, the step of every residual stream.</summary>
    void LinearAdd(Tensor x, PackedMatrix weight, Tensor bias, Tensor residual, Tensor y)
    {
        Linear(x, weight, bias, y);
        Add(y, residual, y);
    }

    /// <summary>Each row to zero mean and unit (biased) variance, then y = γ·x + β. Ba et al. 2016. y may be x.</summary>
    void LayerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y);

    /// <summary>
    /// softmax(q·kᵀ / √d)·v per head, head h being columns [h·d, (h+1)·d). q and y [batch, queries, channels], k and v [batch, keys, channels].
    /// Causal: query i sees keys up to i + keys - queries. Vaswani et al. 2017, section 3.2.
    /// </summary>
    void Attention(Tensor q, Tensor k, Tensor v, int heads, bool causal, Tensor y);

    /// <summary>y[b,t,:] = scale[b,:]·x[b,t,:] + shift[b,:]; x may hold one batch entry for all. Perez et al. 2018 (FiLM), without the "1 +".</summary>
    void Film(Tensor x, Tensor scale, Tensor shift, Tensor y);

    /// <summary>y[i,:] = table[indices[i],:]; indices are int32.</summary>
    void GatherRows(Tensor table, Tensor indices, Tensor y);

    /// <summary>Cuts pixels [batch, channels, height, width] into square patches: y [batch, patches, channels·size·size], patches row by row.</summary>
    void Patchify(Tensor pixels, int size, Tensor y);

    /// <summary>y[b] = (classToken, tokens[b]...) + positions: [batch, n, c] -> [batch, n + 1, c].</summary>
    void PrependClassToken(Tensor tokens, Tensor classToken, Tensor positions, Tensor y);

    /// <summary>y[b] = tokens [first, first + n) of x[b]: [batch, tokens, c] -> [batch, n, c].</summary>
    void SliceTokens(Tensor x, int first, Tensor y);

    /// <summary>Square convolution, stride 1, zero padding of kernel / 2: [b,h,w,c] -> [b,h,w,o]. Weight [o, kernel·kernel·c], channels innermost.</summary>
    void Convolution(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Tensor y);

    void ConvolutionActivate(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Activation activation, Tensor y)
    {
        Convolution(x, weight, bias, kernel, y);
        Activate(y, activation, y);
    }

    /// <summary>
    /// Second half of a transposed convolution: sums columns [b, h, w, kernel·kernel·c] (channels innermost) into y [b, H, W, c] plus bias,
    /// H = (h - 1)·stride - 2·padding + kernel. With kernel = stride and no padding it only moves pixels.
    /// </summary>
    void Fold(Tensor columns, int kernel, int stride, int padding, Tensor bias, Tensor y);

    /// <summary>Resamples maps [b, h, w, c] -> [b, H, W, c].</summary>
    void Resize(Tensor x, ResizeMode mode, Tensor y);
}
