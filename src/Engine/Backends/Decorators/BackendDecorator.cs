using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Decorators;

/// <summary>One operation as a decorator sees it: what it reads, what it writes, what it costs.</summary>
readonly ref struct Operation(string name, ReadOnlySpan<Tensor> reads, ReadOnlySpan<Tensor> writes, bool inPlace, double multiplyAdds)
{
    public string Name { get; } = name;

    /// <summary>Inputs; absent ones included.</summary>
    public ReadOnlySpan<Tensor> Reads { get; } = reads;

    /// <summary>Destinations, written or added to; absent ones included, empty for an operation that writes a packed matrix.</summary>
    public ReadOnlySpan<Tensor> Writes { get; } = writes;

    /// <summary>A destination may be one of the inputs.</summary>
    public bool InPlace { get; } = inPlace;

    public double MultiplyAdds { get; } = multiplyAdds;
}

/// <summary>Forwards every operation to another backend and shows each one to <see cref="Before"/> and <see cref="After"/>.</summary>
abstract partial class BackendDecorator(IBackend inner) : IBackend
{
    protected IBackend Inner { get; } = inner;

    public virtual string Description => Inner.Description;

    public DeviceMemory Allocate(long bytes) => Inner.Allocate(bytes);

    public unsafe DeviceMemory? Borrow(void* start, long bytes) => Inner.Borrow(start, bytes);

    public PackedMatrix AllocateMatrix(int outputs, int inputs, PrecisionFloor floor) => Inner.AllocateMatrix(outputs, inputs, floor);

    public string? PackedLayout => Inner.PackedLayout;

    public unsafe PackedMatrix? BorrowMatrix(int outputs, int inputs, PrecisionFloor floor, void* start, long bytes) => Inner.BorrowMatrix(outputs, inputs, floor, start, bytes);

    public int PitchFor(int columns) => Inner.PitchFor(columns);

    public void Upload(ReadOnlySpan<float> source, Tensor destination) => Inner.Upload(source, destination);

    public void Upload(ReadOnlySpan<int> source, Tensor destination) => Inner.Upload(source, destination);

    public void UploadAhead(ReadOnlySpan<float> source, Tensor destination) => Inner.UploadAhead(source, destination);

    public void UseUploads(Action enqueue) => Inner.UseUploads(enqueue);

    public void Download(Tensor source, Span<float> destination) => Inner.Download(source, destination);

    public void Synchronize() => Inner.Synchronize();

    public virtual IReplay Capture(Action enqueue) => Inner.Capture(enqueue);

    public virtual void PackMatrix(Tensor weight, int firstOutput, PackedMatrix destination)
    {
        var operation = new Operation(nameof(PackMatrix), [weight], [], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.PackMatrix(weight, firstOutput, destination);
        After(operation);
    }

    public virtual void Copy(Tensor x, Tensor y)
    {
        var operation = new Operation(nameof(Copy), [x], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.Copy(x, y);
        After(operation);
    }

    public virtual void Permute(Tensor x, Shape order, Tensor y)
    {
        var operation = new Operation(nameof(Permute), [x], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.Permute(x, order, y);
        After(operation);
    }

    public virtual void Add(Tensor x, Tensor r, Tensor y)
    {
        var operation = new Operation(nameof(Add), [x, r], [y], inPlace: true, multiplyAdds: 0);
        if (Before(operation)) Inner.Add(x, r, y);
        After(operation);
    }

    public virtual void Activate(Tensor x, Activation activation, Tensor y)
    {
        var operation = new Operation(nameof(Activate), [x], [y], inPlace: true, multiplyAdds: 0);
        if (Before(operation)) Inner.Activate(x, activation, y);
        After(operation);
    }

    public virtual void Linear(Tensor x, PackedMatrix weight, Tensor bias, Tensor y)
    {
        var operation = new Operation(nameof(Linear), [x, bias], [y], inPlace: false, Products(x, weight));
        if (Before(operation)) Inner.Linear(x, weight, bias, y);
        After(operation);
    }

    public virtual void LinearActivate(Tensor x, PackedMatrix weight, Tensor bias, Activation activation, Tensor y)
    {
        var operation = new Operation(nameof(LinearActivate), [x, bias], [y], inPlace: false, Products(x, weight));
        if (Before(operation)) Inner.LinearActivate(x, weight, bias, activation, y);
        After(operation);
    }

    public virtual void LinearAdd(Tensor x, PackedMatrix weight, Tensor bias, Tensor residual, Tensor y)
    {
        var operation = new Operation(nameof(LinearAdd), [x, bias, residual], [y], inPlace: false, Products(x, weight));
        if (Before(operation)) Inner.LinearAdd(x, weight, bias, residual, y);
        After(operation);
    }

    public virtual void LayerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y)
    {
        var operation = new Operation(nameof(LayerNorm), [x, gamma, beta], [y], inPlace: true, multiplyAdds: 0);
        if (Before(operation)) Inner.LayerNorm(x, gamma, beta, epsilon, y);
        After(operation);
    }

    public virtual void Attention(Tensor q, Tensor k, Tensor v, int heads, bool causal, Tensor y, PrecisionFloor floor)
    {
        var operation = new Operation(nameof(Attention), [q, k, v], [y], inPlace: false, 2.0 * q.Shape.Elements * k.Shape[1]);
        if (Before(operation)) Inner.Attention(q, k, v, heads, causal, y, floor);
        After(operation);
    }

    public virtual void Film(Tensor x, Tensor scale, Tensor shift, Tensor y)
    {
        var operation = new Operation(nameof(Film), [x, scale, shift], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.Film(x, scale, shift, y);
        After(operation);
    }

    public virtual void GatherRows(Tensor table, Tensor indices, Tensor y)
    {
        var operation = new Operation(nameof(GatherRows), [table, indices], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.GatherRows(table, indices, y);
        After(operation);
    }

    public virtual void Patchify(Tensor pixels, int size, Tensor y)
    {
        var operation = new Operation(nameof(Patchify), [pixels], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.Patchify(pixels, size, y);
        After(operation);
    }

    public virtual void PrependClassToken(Tensor tokens, Tensor classToken, Tensor positions, Tensor y)
    {
        var operation = new Operation(nameof(PrependClassToken), [tokens, classToken, positions], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.PrependClassToken(tokens, classToken, positions, y);
        After(operation);
    }

    public virtual void SliceTokens(Tensor x, int first, Tensor y)
    {
        var operation = new Operation(nameof(SliceTokens), [x], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.SliceTokens(x, first, y);
        After(operation);
    }

    public virtual void Convolution(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Tensor y)
    {
        var operation = new Operation(nameof(Convolution), [x, bias], [y], inPlace: false, Products(x, weight));
        if (Before(operation)) Inner.Convolution(x, weight, bias, kernel, y);
        After(operation);
    }

    public virtual void ConvolutionActivate(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Activation activation, Tensor y)
    {
        var operation = new Operation(nameof(ConvolutionActivate), [x, bias], [y], inPlace: false, Products(x, weight));
        if (Before(operation)) Inner.ConvolutionActivate(x, weight, bias, kernel, activation, y);
        After(operation);
    }

    public virtual void Fold(Tensor columns, int kernel, int stride, int padding, Tensor bias, Tensor y)
    {
        var operation = new Operation(nameof(Fold), [columns, bias], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.Fold(columns, kernel, stride, padding, bias, y);
        After(operation);
    }

    public virtual void Resize(Tensor x, ResizeMode mode, Tensor y)
    {
        var operation = new Operation(nameof(Resize), [x], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.Resize(x, mode, y);
        After(operation);
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing) Inner.Dispose();
    }

    /// <summary>False keeps the operation from running.</summary>
    protected virtual bool Before(in Operation operation) => true;

    protected virtual void After(in Operation operation) { }

    static double Products(Tensor x, PackedMatrix weight) => (double)x.Rows * weight.Inputs * weight.Outputs;
}
