using System.Diagnostics;
using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Tensors;

namespace ClipSegNative.Benchmarks;

/// <summary>
/// The gradients of matrix products beside their forward, at the sizes of the decoders and the towers: forward, weight gradient and input gradient take
/// turns, so that the ratios hold whatever the machine's neighbours do.
/// </summary>
sealed class BackwardCommand : IDisposable
{
    const int Runs = 11;

    /// <summary>Multiply-adds of one timing: some milliseconds.</summary>
    const double Enough = 4e8;

    readonly IBackend _backend;
    readonly List<DeviceMemory> _memory = [];
    readonly Random _random = new(1);

    BackwardCommand(CpuInstructionSet set, int threads) => _backend = CpuBackend.Create(set, threads);

    public static void Run(string[] arguments)
    {
        int threads = arguments.Length > 0 ? int.Parse(arguments[0]) : Environment.ProcessorCount;
        CpuInstructionSet set = arguments.Length > 1 ? Enum.Parse<CpuInstructionSet>(arguments[1], ignoreCase: true) : CpuInstructionSets.Best;
        using var command = new BackwardCommand(set, threads);
        Console.WriteLine($"{command._backend.Description}, medians of {Runs}, GF/s\n");
        Console.WriteLine("| layer | forward | dw, db | of forward | dx | of forward |\n| --- | --- | --- | --- | --- | --- |");
        foreach (int batch in new[] { 1, 8, 32 })
            foreach ((int inputs, int outputs) in new[] { (64, 2048), (2048, 64), (64, 192) }) command.Linear(batch, inputs, outputs);
        foreach (int batch in new[] { 1, 4 })
            foreach ((int inputs, int outputs) in new[] { (768, 3072), (3072, 768), (768, 2304) }) command.Linear(batch, inputs, outputs);
        foreach ((int size, int channels) in new[] { (22, 112), (44, 96), (88, 64), (176, 32), (352, 16) }) command.Convolution(size, channels);
        Console.WriteLine("\n| attention | forward | backward | of forward |\n| --- | --- | --- | --- |");
        foreach ((int batch, int heads, int size) in new[] { (1, 4, 16), (8, 4, 16), (1, 12, 64), (4, 12, 64) }) command.Attention(batch, heads, size);
    }

    public void Dispose()
    {
        Free();
        _backend.Dispose();
    }

    void Linear(int batch, int inputs, int outputs)
    {
        int rows = batch * 485;
        Tensor x = New(rows, inputs), y = New(rows, outputs), b = New(outputs), dy = New(rows, outputs), dx = New(rows, inputs), dw = New(outputs, inputs), db = New(outputs);
        using PackedMatrix weight = _backend.AllocateMatrix(outputs, inputs), transposed = _backend.AllocateMatrix(inputs, outputs);
        _backend.PackMatrix(dw, 0, weight);
        _backend.PackTransposed(dw, 0, transposed);
        PrintLayer($"linear [{rows},{inputs}] -> [{rows},{outputs}]", (double)rows * inputs * outputs,
            () => _backend.Linear(x, weight, b, y), () => _backend.LinearBackward(x, dy, dw, db), () => _backend.Linear(dy, transposed, default, dx));
    }

    void Convolution(int size, int channels)
    {
        const int Kernel = 3, Taps = Kernel * Kernel;
        Tensor x = New(1, size, size, channels), y = New(1, size, size, channels), dy = New(1, size, size, channels), dx = New(1, size, size, channels);
        Tensor dw = New(channels, Taps * channels), b = New(channels), db = New(channels);
        using PackedMatrix weight = _backend.AllocateMatrix(channels, Taps * channels);
        _backend.PackMatrix(dw, 0, weight);
        PrintLayer($"convolution 3 x 3 [{size},{size},{channels}]", (double)x.Rows * dw.Shape.Elements,
            () => _backend.Convolution(x, weight, b, Kernel, y), () => _backend.ConvolutionBackward(x, dy, Kernel, dw, db),
            () => _backend.Convolution(dy, weight, default, Kernel, dx));
    }

    void Attention(int batch, int heads, int size)
    {
        int[] extents = [batch, 485, heads * size];
        Tensor q = New(extents), k = New(extents), v = New(extents), y = New(extents), dy = New(extents), dq = New(extents), dk = New(extents), dv = New(extents);
        double products = (double)q.Shape.Elements * 485;
        double[] rates = Rates((2 * products, () => _backend.Attention(q, k, v, heads, causal: false, y)),
            (5 * products, () => _backend.AttentionBackward(q, k, v, y, dy, heads, causal: false, dq, dk, dv)));
        Console.WriteLine($"| {batch} x {heads} heads of {size}, 485 tokens | {rates[0]:F0} | {rates[1]:F0} | {rates[1] / rates[0]:P0} |");
        Free();
    }

    void PrintLayer(string name, double multiplyAdds, Action forward, Action weights, Action inputs)
    {
        double[] rates = Rates((multiplyAdds, forward), (multiplyAdds, weights), (multiplyAdds, inputs));
        Console.WriteLine($"| {name} | {rates[0]:F0} | {rates[1]:F0} | {rates[1] / rates[0]:P0} | {rates[2]:F0} | {rates[2] / rates[0]:P0} |");
        Free();
    }

    static double[] Rates(params (double MultiplyAdds, Action Action)[] actions)
    {
        var seconds = new double[actions.Length, Runs];
        for (int run = -1; run < Runs; run++)   // the first compiles and grows scratch memory
            for (int i = 0; i < actions.Length; i++)
            {
                int repeats = (int)Math.Max(1, Enough / actions[i].MultiplyAdds);
                long start = Stopwatch.GetTimestamp();
                for (int repeat = 0; repeat < repeats; repeat++) actions[i].Action();
                if (run >= 0) seconds[i, run] = Stopwatch.GetElapsedTime(start).TotalSeconds / repeats;
            }
        return [.. actions.Select((action, i) => 2 * action.MultiplyAdds / Enumerable.Range(0, Runs).Select(run => seconds[i, run]).Order().ElementAt(Runs / 2) / 1e9)];
    }

    Tensor New(params ReadOnlySpan<int> extents)
    {
        var shape = new Shape(extents);
        int pitch = shape.Rank == 4 ? shape.Columns : _backend.PitchFor(shape.Columns);
        var storage = new Storage(DType.F32, (long)shape.Rows * pitch);
        DeviceMemory memory = _backend.Allocate(storage.Bytes);
        _memory.Add(memory);
        storage.Bind(memory, 0);
        var tensor = new Tensor(storage, 0, shape, pitch);
        var values = new float[shape.Elements];
        for (int i = 0; i < values.Length; i++) values[i] = _random.NextSingle() - 0.5f;
        _backend.Upload(values, tensor);
        return tensor;
    }

    void Free()
    {
        foreach (DeviceMemory memory in _memory) memory.Dispose();
        _memory.Clear();
    }
}
