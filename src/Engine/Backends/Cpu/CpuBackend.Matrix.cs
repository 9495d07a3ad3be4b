using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Matrix products: linear layers with their epilogues, attention, convolution.</summary>
sealed unsafe partial class CpuBackend<TSet, TVector>
{
    public void PackMatrix(Tensor weight, int firstOutput, PackedMatrix destination)
    {
        var matrix = (CpuMatrix)destination;
        int panels = PackWork.FirstPanel(firstOutput + weight.Rows - 1, matrix) - PackWork.FirstPanel(firstOutput, matrix) + 1;
        long cost = 16 * weight.Shape.Elements;
        if (matrix.Format == WeightFormat.Bf16) Run(panels, cost, new PackBf16Work(Pointer(weight), weight.Pitch, weight.Rows, firstOutput, matrix));
        else Run(panels, cost, new PackWork(Pointer(weight), weight.Pitch, weight.Rows, firstOutput, matrix));
    }

    public void Linear(Tensor x, PackedMatrix weight, Tensor bias, Tensor y) =>
        Multiply(x, weight, new Epilogue(Pointer(bias), Activation.None, null, 0), y);

    public void LinearActivate(Tensor x, PackedMatrix weight, Tensor bias, Activation activation, Tensor y) =>
        Multiply(x, weight, new Epilogue(Pointer(bias), activation, null, 0), y);

    public void LinearAdd(Tensor x, PackedMatrix weight, Tensor bias, Tensor residual, Tensor y) =>
        Multiply(x, weight, new Epilogue(Pointer(bias), Activation.None, Pointer(residual), residual.Pitch), y);

    void Multiply(Tensor x, PackedMatrix weight, Epilogue epilogue, Tensor y)
    {
        var matrix = (CpuMatrix)weight;
        if (matrix.Format == WeightFormat.Bf16)
        {
            ushort* rounded = Narrow<ushort>(x.Rows, matrix.Depth, out long pitch);
            Run(RowTasks.Count(x.Rows), x.Shape.Elements, new RoundRowsWork<TSet, TVector>(View(x), x.Rows, x.Columns, rounded, pitch));
            Multiply(new Bf16Product<TSet, TVector>(rounded, pitch, matrix, arithmetic.Kernels), x.Rows, epilogue, y);
        }
        else Multiply(new SingleProduct<TSet, TVector>(Pointer(x), x.Pitch, matrix), x.Rows, epilogue, y);
    }

    void Multiply<TProduct>(TProduct product, int rows, Epilogue epilogue, Tensor y) where TProduct : struct, IPanelProduct
    {
        CpuMatrix matrix = product.Weight;
        var tasks = GemmTasks.Choose(rows, matrix, TSet.KernelRows, _pool.Threads);
        // A panel is read from memory once even for one row: that is what small products cost.
        long cost = (long)Math.Max(rows, 16) * matrix.Inputs * matrix.Outputs;
        Run(tasks.Count, cost, new GemmWork<TSet, TVector, TProduct>(product, epilogue, Pointer(y), y.Pitch, tasks, _pool.Threads));
    }

    static CpuMatrix Exact(PackedMatrix weight) => weight is CpuMatrix { Format: WeightFormat.F32 } matrix
        ? matrix
        : throw new ArgumentException($"Convolutions and gradients need a matrix in float32: {weight} was not allocated as an exact one.");

    /// <summary>Scratch for the rows of an operand in few bits, apart as <see cref="PitchFor"/> has them.</summary>
    T* Narrow<T>(int rows, int columns, out long pitch) where T : unmanaged
    {
        long bytes = (long)columns * sizeof(T);
        if (bytes % ConflictingBytes == 0) bytes += 64;
        pitch = bytes / sizeof(T);
        return (T*)Scratch(0, out _, (rows * bytes + sizeof(float) - 1) / sizeof(float));
    }

    public void Attention(Tensor q, Tensor k, Tensor v, int heads, bool causal, Tensor y)
    {
        int batch = q.Shape[0], queries = q.Shape[1], keys = k.Shape[1], headSize = q.Columns / heads;
        var work = new AttentionWork<TSet, TVector>
        {
            Q = Pointer(q),
            K = Pointer(k),
            V = Pointer(v),
            Y = Pointer(y),
            QPitch = q.Pitch,
            KPitch = k.Pitch,
            VPitch = v.Pitch,
            YPitch = y.Pitch,
            Heads = heads,
            Queries = queries,
            Keys = keys,
            HeadSize = headSize,
            Causal = causal,
            QueryRanges = AttentionWork<TSet, TVector>.ChooseRanges(batch, heads, queries, _pool.Threads),
            Scratch = Scratch(AttentionWork<TSet, TVector>.ScratchFloats(keys, headSize), out long perWorker),
            ScratchPerWorker = perWorker,
        };
        Run(batch * heads * work.QueryRanges, 2 * q.Shape.Elements * keys, work);
    }

    public void Convolution(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Tensor y) =>
        Convolve(x, weight, bias, kernel, Activation.None, y);

    public void ConvolutionActivate(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Activation activation, Tensor y) =>
        Convolve(x, weight, bias, kernel, activation, y);

    void Convolve(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Activation activation, Tensor y)
    {
        Shape map = x.Shape;
        float* scratch = Scratch(ConvolutionWork<TSet, TVector>.ScratchFloats(map[2], kernel, map[3]), out long perWorker);
        var work = new ConvolutionWork<TSet, TVector>(Pointer(x), map[1], map[2], map[3], Exact(weight), kernel,
            new Epilogue(Pointer(bias), activation, null, 0), View(y), scratch, perWorker);
        Run(map[0] * map[1], (long)x.Rows * weight.Inputs * weight.Outputs, work);
    }
}
