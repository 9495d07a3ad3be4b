using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Gradients of matrix products.</summary>
sealed unsafe partial class CpuBackend<TSet, TVector>
{
    public void PackTransposed(Tensor weight, int firstInput, PackedMatrix destination)
    {
        CpuMatrix matrix = Exact(destination);
        Run(matrix.Panels, MoveCost * weight.Shape.Elements, new PackTransposedWork(Pointer(weight), weight.Pitch, weight.Rows, firstInput, matrix));
    }

    public void LinearBackward(Tensor x, Tensor dy, Tensor dw, Tensor db) =>
        AddWeightGradient(new Neighbourhoods(Pointer(x), x.Pitch, height: 1, width: x.Rows, x.Columns, kernel: 1), dy, dw, db);

    public void ConvolutionBackward(Tensor x, Tensor dy, int kernel, Tensor dw, Tensor db) =>
        AddWeightGradient(new Neighbourhoods(Pointer(x), x.Columns, x.Shape[1], x.Shape[2], x.Columns, kernel), dy, dw, db);

    void AddWeightGradient(Neighbourhoods x, Tensor dy, Tensor dw, Tensor db)
    {
        int inputs = dw.IsAbsent ? 0 : x.Columns;
        var tasks = WeightGradientTasks.Choose(dy.Rows, dy.Columns, inputs, TSet.KernelRows, 2 * TSet.Width, _pool.Threads);
        float* scratch = Scratch(WeightGradientWork<TSet, TVector>.ScratchFloats(tasks), out long perWorker, tasks.Ranges * tasks.RangeFloats);
        float* rangeSums = scratch + perWorker * _pool.Threads;
        Rows weights = dw.IsAbsent ? default : View(dw);
        long cost = dy.Shape.Elements * Math.Max(inputs, MoveCost);
        Run(tasks.Count, cost, new WeightGradientWork<TSet, TVector>(x, View(dy), weights, Pointer(db), tasks, scratch, perWorker, rangeSums));
        if (tasks.Ranges > 1)
            Run(tasks.Outputs, tasks.Ranges * tasks.RangeFloats, new AddRangesWork<TSet, TVector>(rangeSums, tasks, weights, Pointer(db)));
    }

    public void AttentionBackward(Tensor q, Tensor k, Tensor v, Tensor y, Tensor dy, int heads, bool causal, Tensor dq, Tensor dk, Tensor dv)
    {
        int keys = k.Shape[1], headSize = q.Columns / heads;
        var work = new AttentionGradientWork<TSet, TVector>
        {
            Q = View(q),
            K = View(k),
            V = View(v),
            Y = View(y),
            Dy = View(dy),
            Dq = View(dq),
            Dk = View(dk),
            Dv = View(dv),
            Heads = heads,
            Queries = q.Shape[1],
            Keys = keys,
            HeadSize = headSize,
            Causal = causal,
            Scratch = Scratch(AttentionGradientWork<TSet, TVector>.ScratchFloats(keys, headSize), out long perWorker),
            ScratchPerWorker = perWorker,
        };
        Run(q.Shape[0] * heads, 5 * q.Shape.Elements * keys, work);
    }
}
