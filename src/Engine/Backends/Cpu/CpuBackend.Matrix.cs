using ClipSegNative.Backends.Cpu.Assembly;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Matrix products: linear layers with their epilogues, attention, convolution.</summary>
sealed unsafe partial class CpuBackend<TSet, TVector>
{
    public void PackMatrix(Tensor weight, int firstOutput, PackedMatrix destination)
    {
        var matrix = (CpuMatrix)destination;
        int panels = PanelPiece.Count(weight.Rows, firstOutput, matrix);
        long cost = 16 * weight.Shape.Elements;
        float* from = Pointer(weight);
        switch (matrix.Format)
        {
            case WeightFormat.F32: Run(panels, cost, new PackWork(from, weight.Pitch, weight.Rows, firstOutput, matrix)); break;
            case WeightFormat.F16: Run(panels, cost, new PackHalfWork(from, weight.Pitch, weight.Rows, firstOutput, matrix)); break;
            case WeightFormat.Bf16: Run(panels, cost, new PackBf16Work<TSet, TVector>(from, weight.Pitch, weight.Rows, firstOutput, matrix)); break;
            default: Run(panels, cost, new PackInt8Work<TSet, TVector>(from, weight.Pitch, weight.Rows, firstOutput, matrix)); break;
        }
        if (matrix.Overflowed) throw new ArgumentException($"A weight of this model is not finite or above {Half.MaxValue}: F16 cannot hold it; use another precision.");
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
        switch (matrix.Format)
        {
            case WeightFormat.F32:
                Multiply(new SingleProduct<TSet, TVector>(Pointer(x), x.Pitch, matrix), x.Rows, epilogue, y);
                break;
            case WeightFormat.F16:
                float* scratch = Scratch(WidenedProduct<TSet, TVector>.ScratchFloats(matrix), out long perWorker);
                Multiply(new WidenedProduct<TSet, TVector>(Pointer(x), x.Pitch, matrix, scratch, perWorker), x.Rows, epilogue, y);
                break;
            case WeightFormat.Bf16:
                if (arithmetic.Kernels is { } kernels) MultiplyBf16(x, matrix, kernels, epilogue, y);
                else MultiplyWidened(x, matrix, epilogue, y);
                break;
            default:
                byte* values = Narrow(x.Rows, matrix.Depth, out long pitch);
                float* scales = (float*)(values + x.Rows * pitch);
                var bytes = new Int8Rows(values, pitch, scales, (int*)(scales + x.Rows), (int*)(scales + 2 * x.Rows));
                Run(RowTasks.Count(x.Rows), x.Shape.Elements, new QuantiseRowsWork<TSet, TVector>(View(x), x.Rows, x.Columns, matrix, bytes));
                Multiply(new Int8Product<TSet, TVector>(bytes, matrix, arithmetic.Kernels), x.Rows, epilogue, y);
                break;
        }
    }

    void MultiplyBf16(Tensor x, CpuMatrix matrix, TileKernels kernels, Epilogue epilogue, Tensor y)
    {
        ushort* rounded = (ushort*)Narrow(x.Rows, matrix.Depth * sizeof(ushort), out long pitch);
        pitch /= sizeof(ushort);
        Run(RowTasks.Count(x.Rows), x.Shape.Elements, new RoundRowsWork<TSet, TVector>(View(x), x.Rows, x.Columns, rounded, wide: null, pitch));
        Multiply(new Bf16Product<TSet, TVector>(rounded, pitch, matrix, kernels), x.Rows, epilogue, y);
    }

    /// <summary>bf16 without its instructions: both operands rounded, in float32.</summary>
    void MultiplyWidened(Tensor x, CpuMatrix matrix, Epilogue epilogue, Tensor y)
    {
        int pitch = PitchFor(x.Columns);
        float* scratch = Scratch(WidenedProduct<TSet, TVector>.ScratchFloats(matrix), out long perWorker, sharedFloats: (long)x.Rows * pitch);
        float* rounded = scratch + perWorker * _pool.Threads;
        Run(RowTasks.Count(x.Rows), x.Shape.Elements, new RoundRowsWork<TSet, TVector>(View(x), x.Rows, x.Columns, rounded: null, rounded, pitch));
        Multiply(new WidenedProduct<TSet, TVector>(rounded, pitch, matrix, scratch, perWorker), x.Rows, epilogue, y);
    }

    void Multiply<TProduct>(TProduct product, int rows, Epilogue epilogue, Tensor y) where TProduct : struct, IPanelProduct
    {
        CpuMatrix matrix = product.Weight;
        var tasks = GemmTasks.Choose(rows, matrix, product.TileRows, _pool.Threads);
        // A panel is read from memory once even for one row: that is what small products cost.
        long cost = (long)Math.Max(rows, 16) * matrix.Inputs * matrix.Outputs;
        Run(tasks.Count, cost, new GemmWork<TSet, TVector, TProduct>(product, epilogue, Pointer(y), y.Pitch, tasks, _pool.Threads));
    }

    static CpuMatrix Exact(PackedMatrix weight) => weight is CpuMatrix { Format: WeightFormat.F32 } matrix
        ? matrix
        : throw new ArgumentException($"Convolutions and gradients need a matrix in float32: {weight} was not allocated as one.");

    /// <summary>Scratch for the rows of an operand in few bits, apart as <see cref="PitchFor"/> has them, and for <see cref="Int8Rows.RowFloats"/> a row behind.</summary>
    byte* Narrow(int rows, int rowBytes, out long pitch)
    {
        pitch = (rowBytes + sizeof(float) - 1) / sizeof(float) * sizeof(float);
        if (pitch % ConflictingBytes == 0) pitch += 64;
        return (byte*)Scratch(0, out _, rows * (pitch / sizeof(float) + Int8Rows.RowFloats));
    }

    public void Attention(Tensor q, Tensor k, Tensor v, int heads, bool causal, Tensor y, PrecisionFloor floor)
    {
        int batch = q.Shape[0], queries = q.Shape[1], keys = k.Shape[1], headSize = q.Columns / heads;
        bool rounded = arithmetic.RoundsAttention(floor);
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
            Rounded = rounded,
            Kernels = rounded ? arithmetic.Kernels : null,
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
