using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>
/// The oracle: every operation written straight from its definition, in double precision inside, with float32 in memory and nothing shared with the engine.
/// Fused operations keep the interface's own bodies.
/// </summary>
/// <param name="rounds">False keeps doubles in memory too, for differences that float32 would swallow.</param>
/// <param name="precision">What <see cref="Linear"/> rounds both of its operands to, and in bf16 attention.</param>
/// <param name="paired">In int8, the bytes are such that their products fit 16 bits two by two.</param>
/// <param name="doubt">
/// Above 0, <see cref="Attention"/> gives instead of its results how far they move if every exponential that lies this near to a tie, relatively, is rounded
/// the other way.
/// </param>
sealed partial class ReferenceBackend(bool rounds = true, Precision precision = Precision.Fp32, bool paired = false, double doubt = 0) : IBackend
{
    public string Description => rounds ? "reference, double precision inside each operation" : "reference, double precision";

    public DeviceMemory Allocate(long bytes) => new ManagedMemory(bytes, rounds);

    public PackedMatrix AllocateMatrix(int outputs, int inputs, PrecisionFloor floor) => new ReferenceMatrix(outputs, inputs);

    /// <summary>Even sizes get gaps between rows: code that takes rows for adjacent reads NaN there.</summary>
    public int PitchFor(int columns) => columns % 2 == 0 ? columns + 3 : columns;

    public void Upload(ReadOnlySpan<float> source, Tensor destination)
    {
        var to = new Matrix(destination);
        for (int row = 0; row < destination.Rows; row++)
            for (int c = 0; c < destination.Columns; c++) to[row, c] = source[row * destination.Columns + c];
    }

    public void Upload(ReadOnlySpan<int> source, Tensor destination)
    {
        var to = new Matrix(destination);
        for (int row = 0; row < destination.Rows; row++)
            for (int c = 0; c < destination.Columns; c++) to.Row(row, destination.Columns)[c] = source[row * destination.Columns + c];
    }

    public void Download(Tensor source, Span<float> destination)
    {
        var from = new Matrix(source);
        for (int row = 0; row < source.Rows; row++)
            for (int c = 0; c < source.Columns; c++) destination[row * source.Columns + c] = (float)from[row, c];
    }

    public void Synchronize() { }

    public IReplay Capture(Action enqueue) => new Replay(enqueue);

    public void Dispose() { }

    /// <summary>All elements in order; zeros for a tensor that is absent.</summary>
    static double[] Elements(Tensor tensor, int count)
    {
        var elements = new double[count];
        if (tensor.IsAbsent) return elements;
        var matrix = new Matrix(tensor);
        for (int i = 0; i < count; i++) elements[i] = matrix[i / tensor.Columns, i % tensor.Columns];
        return elements;
    }

    sealed class Replay(Action enqueue) : IReplay
    {
        public void Run() => enqueue();

        public void Dispose() { }
    }
}

/// <summary>Weights as they come: [outputs, inputs]; NaN until they are filled.</summary>
sealed class ReferenceMatrix : PackedMatrix
{
    public ReferenceMatrix(int outputs, int inputs) : base(outputs, inputs)
    {
        Values = new double[outputs, inputs];
        for (int output = 0; output < outputs; output++)
            for (int input = 0; input < inputs; input++) Values[output, input] = double.NaN;
    }

    public double[,] Values { get; }

    public override long Bytes => (long)Outputs * Inputs * sizeof(float);

    public override void Dispose() { }
}
