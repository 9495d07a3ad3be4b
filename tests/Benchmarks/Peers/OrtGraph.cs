using Microsoft.ML.OnnxRuntime;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>An ONNX Runtime session with every optimisation it has, as its documentation advises: fixed buffers, no copies.</summary>
sealed class OrtGraph : IDisposable
{
    readonly InferenceSession _session;
    readonly RunOptions _run = new();
    readonly List<Binding> _bindings = [];

    public OrtGraph(string path, int threads)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        _session = new InferenceSession(path, options);
    }

    public static string Version => OrtEnv.Instance().GetVersionString();

    /// <summary>Buffers for one choice of sizes.</summary>
    public Binding Bind((string Name, Array Data, long[] Shape)[] inputs, (string Name, float[] Data, long[] Shape)[] outputs)
    {
        var binding = new Binding(this, inputs, outputs);
        _bindings.Add(binding);
        return binding;
    }

    public void Dispose()
    {
        foreach (Binding binding in _bindings) binding.Free();
        _run.Dispose();
        _session.Dispose();
    }

    public sealed class Binding(OrtGraph graph, (string Name, Array Data, long[] Shape)[] inputs, (string Name, float[] Data, long[] Shape)[] outputs)
    {
        readonly string[] _inputNames = [.. inputs.Select(input => input.Name)];
        readonly string[] _outputNames = [.. outputs.Select(output => output.Name)];
        readonly OrtValue[] _inputs = [.. inputs.Select(input => Value(input.Data, input.Shape))];
        readonly OrtValue[] _outputs = [.. outputs.Select(output => Value(output.Data, output.Shape))];

        public float[] Output => outputs[0].Data;

        public void Run() => graph._session.Run(graph._run, _inputNames, _inputs, _outputNames, _outputs);

        public void Free()
        {
            foreach (OrtValue value in _inputs.Concat(_outputs)) value.Dispose();
        }

        static OrtValue Value(Array data, long[] shape) =>
            data is long[] integers ? OrtValue.CreateTensorValueFromMemory(integers, shape) : OrtValue.CreateTensorValueFromMemory((float[])data, shape);
    }
}
