using ClipSegNative.Tensors;

namespace ClipSegNative.Backends;

/// <summary>
/// The narrow waist: everything a model asks of a device. Operations read views and write destinations that the caller owns; they only enqueue,
/// never allocate, never wait. Only the uploads, <see cref="Download"/> and <see cref="Synchronize"/> wait.
/// A tensor [a, b, c] is the matrix [a·b, c]; maps are channels-last [batch, height, width, channels].
/// An operation with a body is a fusion: the body is its specification, and a backend may override it with one kernel.
/// </summary>
/// <remarks>
/// The gradient law. The gradient of an activation is overwritten, the gradient of a parameter (dw, db, dGamma, dBeta, dTable, ...) is added to and
/// absent where the parameter is frozen. A residual stream's gradients are summed by <see cref="Add"/>, nowhere else. A gradient that is itself
/// a forward operation has no operation of its own: that of a linear layer's input is <see cref="Linear"/> by Wᵀ, that of a convolution's input
/// <see cref="Convolution"/> by the flipped kernel, both packed by <see cref="PackTransposed"/>. Every sum has one order: equal inputs give equal bits.
/// </remarks>
interface IBackend : IDisposable
{
    /// <summary>For people: device, instruction set, threads.</summary>
    string Description { get; }

    DeviceMemory Allocate(long bytes);

    /// <summary>Host memory as operations read it, without a copy; null where this device has memory of its own.</summary>
    /// <param name="start">Stays where it is, and is not written to, until what is returned is disposed.</param>
    /// <param name="bytes">How many.</param>
    unsafe DeviceMemory? Borrow(void* start, long bytes) => null;

    /// <param name="outputs">Rows of the weight.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="floor">Holds whatever precision this backend was asked for. Where it keeps weights in less than float32, convolutions need that one.</param>
    PackedMatrix AllocateMatrix(int outputs, int inputs, PrecisionFloor floor = PrecisionFloor.None);

    /// <summary>Names how this device lays out packed weights, so that files of them can be told apart, in letters of file names; null where it puts none into files.</summary>
    string? PackedLayout => null;

    /// <summary>A matrix whose <see cref="PackedMatrix.Contents"/> were stored, under the same <see cref="PackedLayout"/>, and now lie in host memory: for reading only.</summary>
    /// <param name="outputs">As it was allocated.</param>
    /// <param name="inputs">As it was allocated.</param>
    /// <param name="floor">As it was allocated.</param>
    /// <param name="start">On a cache line; stays where it is until the matrix is disposed.</param>
    /// <param name="bytes">How many.</param>
    /// <returns>Null where that many bytes are no such matrix.</returns>
    unsafe PackedMatrix? BorrowMatrix(int outputs, int inputs, PrecisionFloor floor, void* start, long bytes) => null;

    /// <summary>How far apart this device wants rows of that many float32 elements to start; at least <paramref name="columns"/>.</summary>
    int PitchFor(int columns);

    void Upload(ReadOnlySpan<float> source, Tensor destination);

    void Upload(ReadOnlySpan<int> source, Tensor destination);

    /// <summary>
    /// An upload beside what has been queued since the last <see cref="UseUploads"/>, which must not touch the destination; its rows are adjacent. What is
    /// queued from the next <see cref="UseUploads"/> on finds it done.
    /// </summary>
    void UploadAhead(ReadOnlySpan<float> source, Tensor destination) => Upload(source, destination);

    /// <summary>Whatever <paramref name="enqueue"/> enqueues comes after all uploads ahead so far, and before those that follow.</summary>
    void UseUploads(Action enqueue) => enqueue();

    void Download(Tensor source, Span<float> destination);

    void Synchronize();

    /// <summary>Records what <paramref name="enqueue"/> enqueues. The tensors it uses must be bound and stay so.</summary>
    IReplay Capture(Action enqueue);

    /// <summary>Fills rows [firstOutput, firstOutput + weight.Rows) of the packed matrix from weight [rows, inputs].</summary>
    void PackMatrix(Tensor weight, int firstOutput, PackedMatrix destination);

    /// <summary>Fills columns [firstInput, firstInput + weight.Rows) of the packed matrix from the transpose of weight [rows, destination.Outputs].</summary>
    void PackTransposed(Tensor weight, int firstInput, PackedMatrix destination);

    /// <summary>y = value, everywhere.</summary>
    void Fill(float value, Tensor y);

    void Copy(Tensor x, Tensor y);

    /// <summary>y[i,j,k,l] = x with its four axes in the given order: y's axis n is x's axis order[n].</summary>
    void Permute(Tensor x, Shape order, Tensor y);

    /// <summary>y = x + r, row by row; r repeats when it has fewer rows. y may be x.</summary>
    void Add(Tensor x, Tensor r, Tensor y);

    /// <summary>Gradient of a parameter r that <see cref="Add"/> repeats: dr += the sum of dy over the repetitions.</summary>
    void AddBackward(Tensor dy, Tensor dr);

    /// <summary>y = activation(x). y may be x.</summary>
    void Activate(Tensor x, Activation activation, Tensor y);

    /// <summary>dx = dy · activation'(x). For ReLU, x may be the result of the activation as well. dx may be dy.</summary>
    void ActivateBackward(Tensor x, Tensor dy, Activation activation, Tensor dx);

    /// <summary>y = x · Wᵀ + bias: [rows, inputs] -> [rows, outputs]. The bias may be absent.</summary>
    void Linear(Tensor x, PackedMatrix weight, Tensor bias, Tensor y);

    /// <summary>dw += dyᵀ · x [outputs, inputs]; db += the column sums of dy [outputs]. Either may be absent.</summary>
    void LinearBackward(Tensor x, Tensor dy, Tensor dw, Tensor db);

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

    /// <summary>dx overwritten and may be dy; dGamma and dBeta added to, or absent.</summary>
    void LayerNormBackward(Tensor x, Tensor dy, Tensor gamma, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta);

    /// <summary>
    /// Each group of channels of each map [batch, height, width, channels] to zero mean and unit (biased) variance over its pixels and channels, then
    /// y = γ·x + β channel by channel. Groups divide the channels. Wu and He 2018. y may be x.
    /// </summary>
    void GroupNorm(Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, Tensor y);

    /// <summary>dx overwritten and may be dy; dGamma and dBeta added to, or absent.</summary>
    void GroupNormBackward(Tensor x, Tensor dy, Tensor gamma, int groups, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta);

    /// <summary>
    /// softmax(q·kᵀ / √d)·v per head, head h being columns [h·d, (h+1)·d). q and y [batch, queries, channels], k and v [batch, keys, channels].
    /// Causal: query i sees keys up to i + keys - queries. Vaswani et al. 2017, section 3.2. The floor is that of its two products.
    /// </summary>
    void Attention(Tensor q, Tensor k, Tensor v, int heads, bool causal, Tensor y, PrecisionFloor floor = PrecisionFloor.None);

    /// <summary>y is the result of <see cref="Attention"/>, dy its gradient; the probabilities are computed again. dq, dk, dv overwritten.</summary>
    void AttentionBackward(Tensor q, Tensor k, Tensor v, Tensor y, Tensor dy, int heads, bool causal, Tensor dq, Tensor dk, Tensor dv);

    /// <summary>y[b,t,:] = scale[b,:]·x[b,t,:] + shift[b,:]; x may hold one batch entry for all. Perez et al. 2018 (FiLM), without the "1 +".</summary>
    void Film(Tensor x, Tensor scale, Tensor shift, Tensor y);

    /// <summary>All three overwritten: dScale and dShift [batch, channels] are gradients of activations too. dx, absent if nobody asks, is summed over the batch where x is one entry for all.</summary>
    void FilmBackward(Tensor x, Tensor scale, Tensor dy, Tensor dx, Tensor dScale, Tensor dShift);

    /// <summary>y[i,:] = table[indices[i],:]; indices are int32.</summary>
    void GatherRows(Tensor table, Tensor indices, Tensor y);

    /// <summary>dTable[indices[i],:] += dy[i,:], in the order of i.</summary>
    void GatherRowsBackward(Tensor dy, Tensor indices, Tensor dTable);

    /// <summary>Cuts pixels [batch, channels, height, width] into square patches: y [batch, patches, channels·size·size], patches row by row.</summary>
    void Patchify(Tensor pixels, int size, Tensor y);

    /// <summary>y[b] = (classToken, tokens[b]...) + positions: [batch, n, c] -> [batch, n + 1, c].</summary>
    void PrependClassToken(Tensor tokens, Tensor classToken, Tensor positions, Tensor y);

    /// <summary>dTokens overwritten; dClassToken and dPositions added to.</summary>
    void PrependClassTokenBackward(Tensor dy, Tensor dTokens, Tensor dClassToken, Tensor dPositions);

    /// <summary>y[b] = tokens [first, first + n) of x[b]: [batch, tokens, c] -> [batch, n, c].</summary>
    void SliceTokens(Tensor x, int first, Tensor y);

    /// <summary>dx [batch, tokens, c] = dy at the tokens that were taken, 0 at the others.</summary>
    void SliceTokensBackward(Tensor dy, int first, Tensor dx);

    /// <summary>Square convolution, stride 1, zero padding of kernel / 2: [b,h,w,c] -> [b,h,w,o]. Weight [o, kernel·kernel·c], channels innermost.</summary>
    void Convolution(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Tensor y);

    /// <summary>dw [outputs, kernel·kernel·c], channels innermost, and db [outputs] added to; db may be absent.</summary>
    void ConvolutionBackward(Tensor x, Tensor dy, int kernel, Tensor dw, Tensor db);

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

    /// <summary>dColumns overwritten: every column takes the gradient of the pixel it was added to, 0 where that lay outside. The bias sums dy: <see cref="AddBackward"/>.</summary>
    void FoldBackward(Tensor dy, int kernel, int stride, int padding, Tensor dColumns);

    /// <summary>Resamples maps [b, h, w, c] -> [b, H, W, c].</summary>
    void Resize(Tensor x, ResizeMode mode, Tensor y);

    /// <summary>dx overwritten: the transpose of the resampling.</summary>
    void ResizeBackward(Tensor dy, ResizeMode mode, Tensor dx);

    /// <summary>
    /// The loss of each map: logits and targets (0 or 1) [batch, pixels] -> sums [batch, <see cref="MaskLosses.Sums"/>] and losses [batch, 1].
    /// </summary>
    void MaskLoss(Tensor logits, Tensor targets, MaskLosses losses, Tensor sums, Tensor y);

    /// <summary>dLogits = scale times the gradient of the mean of the losses; sums are those of <see cref="MaskLoss"/>.</summary>
    void MaskLossBackward(Tensor logits, Tensor targets, Tensor sums, MaskLosses losses, float scale, Tensor dLogits);

    /// <summary>y[i] = Σ over t of weights[i, t] · x[entries[i], t]: [batch, tokens, c] -> [rows, c]. Entries are int32; a weight of 0 costs nothing.</summary>
    void PoolTokens(Tensor x, Tensor entries, Tensor weights, Tensor y);

    /// <summary>dx overwritten: what several rows pooled is added up in their order, 0 where nobody did.</summary>
    void PoolTokensBackward(Tensor dy, Tensor entries, Tensor weights, Tensor dx);

    /// <summary>Each row to unit length; rows shorter than 1e-12 stay shorter.</summary>
    void Normalize(Tensor x, Tensor y);

    /// <summary>dx overwritten and may be dy.</summary>
    void NormalizeBackward(Tensor x, Tensor dy, Tensor dx);

    /// <summary>
    /// y [1] = the mean of the cross entropy of the rows and that of the columns of exp(logScale) · similarities [rows, columns], where the positives (1, all else
    /// 0) of a row, or column, share its target evenly; each has at least one. The scale is at most <see cref="ContrastiveLosses.LargestScale"/>.
    /// Radford et al. 2021, section 2.3, whose positives are the diagonal.
    /// </summary>
    void ContrastiveLoss(Tensor similarities, Tensor positives, Tensor logScale, Tensor y);

    /// <summary>dSimilarities overwritten; dLogScale [1] added to, or absent: 0 where the scale is at its limit.</summary>
    void ContrastiveLossBackward(Tensor similarities, Tensor positives, Tensor logScale, Tensor dSimilarities, Tensor dLogScale);

    /// <summary>sum [1] = Σ x².</summary>
    void SumOfSquares(Tensor x, Tensor sum);

    /// <summary>
    /// One step of AdamW (Loshchilov and Hutter 2019) on the parameters w with gradients dw; w and the running moments m and v are updated in place.
    /// What changes from step to step lies in <paramref name="settings"/>, so that a recorded step can be replayed: see <see cref="AdamWSettings"/>.
    /// </summary>
    void AdamW(Tensor dw, Tensor settings, Tensor w, Tensor m, Tensor v);
}
