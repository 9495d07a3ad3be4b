using System.Diagnostics;
using System.Text.Json;
using ClipSegNative.Backends;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Interop;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Training;

namespace ClipSegNative.GpuChecks;

/// <summary>How long to measure.</summary>
/// <param name="LargeBatch">Pictures encoded at once, beside one.</param>
/// <param name="TrainingBatch">Pairs of a training step.</param>
/// <param name="Rounds">Of all cases.</param>
readonly record struct Effort(int LargeBatch, int TrainingBatch, int Rounds);

/// <summary>Times of what users wait for. Cases take turns round by round, after one round that warms up; medians.</summary>
/// <param name="model">On the device.</param>
/// <param name="effort">How long.</param>
/// <param name="mark">An event behind all that was queued; null without a device.</param>
sealed class Timings(ModelFixture model, Effort effort, Func<CudaEvent>? mark) : IDisposable
{
    readonly List<IDisposable> _owned = [];
    readonly List<Case> _cases = [];

    /// <summary>Measures, and prints and writes what came of it.</summary>
    /// <param name="precision">Of the products, for the reader.</param>
    /// <param name="output">Gets a table.</param>
    /// <param name="path">Gets it as JSON; null for not.</param>
    public void Run(string precision, TextWriter output, string? path)
    {
        Prepare();
        for (int round = -1; round < effort.Rounds; round++)
            for (int turn = 0; turn < _cases.Count; turn++) _cases[(turn + round + 1) % _cases.Count].Measure(model.Backend, mark, keep: round >= 0);
        output.WriteLine("| case | device, ms | wall clock, ms |\n| --- | --- | --- |");
        foreach (Case measured in _cases)
            output.WriteLine(FormattableString.Invariant($"| {measured.Name} | {(mark is null ? "-" : $"{measured.Device:0.000}")} | {measured.Wall:0.000} |"));
        if (path is not null) AtomicFile.Write(path, stream => WriteJson(stream, precision));
    }

    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
    }

    void Prepare()
    {
        Plan encode = Own(model.Model.EncodePlan(batch: 1, model.Grid)), many = Own(model.Model.EncodePlan(effort.LargeBatch, model.Grid));
        Plan decode = Own(model.Model.DecodePlan(images: 1, prompts: 1, model.Grid));
        float[] condition = model.Condition(ModelFixture.Phrases[0]), logits = new float[decode.Outputs[0].Shape.Elements], vector = new float[condition.Length];
        int[] ids = model.Tokens(ModelFixture.Phrases[0]);
        Plan text = Own(model.Model.TextPlan(batch: 1, ids.Length));
        model.Backend.Upload(Repeated(model.Pixels, effort.LargeBatch), many.Inputs[0]);
        model.Backend.Upload(model.Pixels, encode.Inputs[0]);

        Add("encode-1", () => encode.Run());
        Add($"encode-{effort.LargeBatch}", () => many.Run());
        Add("picture-to-mask", () =>
        {
            model.Backend.Upload(model.Pixels, encode.Inputs[0]);
            encode.Run();
            model.CopyFeatures(encode, decode);
            Decode();
        });
        Add("further-phrase", Decode);
        Add("text", () =>
        {
            model.Backend.Upload(ids, text.Inputs[0]);
            model.Backend.Upload([ids.Length - 1], text.Inputs[1]);
            text.Run();
            model.Backend.Download(text.Outputs[0], vector);
        });
        Add($"training-step-{effort.TrainingBatch}", TrainingStep());

        void Decode()
        {
            model.Backend.Upload(condition, decode.Inputs[^1]);
            decode.Run();
            model.Backend.Download(decode.Outputs[0], logits);
        }
    }

    /// <summary>Of the model's decoder on features that are kept: forward, backward, AdamW.</summary>
    Action TrainingStep()
    {
        int batch = effort.TrainingBatch;
        var training = Own(new DecoderTraining(model.Backend, model.Config, model.Weights, batch, model.Grid, new MaskLosses { CrossEntropy = 1, Dice = 1 }));
        var shape = new Shape(model.Config.ExtractLayers.Count * (1 + model.Grid.Cells), model.Config.Vision.HiddenSize);
        using var cache = new FeatureCache(model.Backend, shape, memoryBytes: 0);
        Tensor features = cache.Get(key: null, values => model.Backend.Upload(Waves((int)shape.Elements), values));
        float[] condition = Waves(model.Config.ProjectionSize);
        float[] target = [.. Enumerable.Range(0, training.LogitHeight * training.LogitWidth).Select(i => i % training.LogitWidth < training.LogitWidth / 3 ? 1f : 0)];
        for (int place = 0; place < batch; place++) training.Place(place, features, condition, target);
        var losses = new float[batch];
        long step = 0;
        return () =>
        {
            training.ZeroGradients();
            training.Accumulate(losses, []);
            training.Update(learningRate: 1e-4, weightDecay: 1e-4, ++step, gradientScale: 1);
        };

        static float[] Waves(int count) => [.. Enumerable.Range(0, count).Select(i => MathF.Sin(i * 0.37f))];
    }

    void WriteJson(Stream stream, string precision)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteString("device", model.Backend.Description);
        json.WriteString("precision", precision);
        json.WriteNumber("rounds", effort.Rounds);
        json.WriteStartArray("cases");
        foreach (Case measured in _cases)
        {
            json.WriteStartObject();
            json.WriteString("name", measured.Name);
            if (mark is not null) json.WriteNumber("device_ms", measured.Device);
            json.WriteNumber("wall_ms", measured.Wall);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    void Add(string name, Action run) => _cases.Add(new Case(name, run));

    T Own<T>(T owned) where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    static float[] Repeated(float[] values, int times) => [.. Enumerable.Repeat(values, times).SelectMany(once => once)];

    sealed class Case(string name, Action run)
    {
        readonly List<double> _device = [], _wall = [];

        public string Name => name;

        /// <summary>In milliseconds.</summary>
        public double Device => Median(_device);

        /// <summary>In milliseconds.</summary>
        public double Wall => Median(_wall);

        public void Measure(CudaBackend backend, Func<CudaEvent>? mark, bool keep)
        {
            backend.Synchronize();
            long start = Stopwatch.GetTimestamp();
            using CudaEvent? begin = mark?.Invoke();
            run();
            using CudaEvent? end = mark?.Invoke();
            backend.Synchronize();
            double wall = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (!keep) return;
            _wall.Add(wall);
            if (begin is not null && end is not null) _device.Add(end.Since(begin).TotalMilliseconds);
        }

        static double Median(List<double> values) => values.Count == 0 ? 0 : values.Order().ElementAt(values.Count / 2);
    }
}
