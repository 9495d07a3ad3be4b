using System.Collections.ObjectModel;
using ClipSegNative.Backends;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Training;
using ClipSegNative.Weights;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>A training step of each decoder on features that are kept: forward, backward, AdamW. No peer: ONNX Runtime's training packages have ended.</summary>
static class TrainingSteps
{
    const int Batch = 8;

    public static IEnumerable<CaseResult> Measure(PeerModel model, int threads, Effort effort)
    {
        foreach (string preset in new[] { "clipseg-rd64-refined", "clipseg-conv-base" })
        {
            ClipSegConfig config = ClipSegConfig.Presets[preset];
            string file = Path.Combine(model.Graphs, $"{preset}.safetensors");
            SafetensorsWriter.Write(file, [.. ClipSegTensors.Decoder(config).Select(tensor =>
                new WeightToWrite(tensor.Name, tensor.Shape, destination => RandomWeights.Fill(destination, tensor.Name, tensor.Shape, config, seed: 0)))]);
            using var weights = new PrefixedWeights(WeightFiles.Open(file));
            using IBackend backend = Segmenter.OpenDevice(new SegmenterOptions { Threads = threads });
            using var training = new DecoderTraining(backend, config, weights, Batch, model.Grid, new MaskLosses { CrossEntropy = 1, Dice = 1 });
            Fill(training, config, model, backend);
            var losses = new float[Batch];
            int step = 0;
            Rounds rounds = Interleaved.Run(
            [
                () =>
                {
                    training.ZeroGradients();
                    training.Accumulate(losses, []);
                    training.Update(learningRate: 1e-4, weightDecay: 1e-4, ++step, gradientScale: 1);
                },
            ], effort);
            double[] times = rounds.Milliseconds[0];
            yield return new CaseResult($"training step of {preset}, batch {Batch}", threads, ReadOnlyDictionary<string, double>.Empty,
                [new Timing(Contender.Reference.Name, Interleaved.Median(times), times.Min(), times.Max(), times.Length, null)], []);
        }
    }

    static void Fill(DecoderTraining training, ClipSegConfig config, PeerModel model, IBackend backend)
    {
        var random = new Random(1);
        var shape = new Shape(config.ExtractLayers.Count * (1 + model.Grid.Cells), config.Vision.HiddenSize);
        using var cache = new FeatureCache(backend, shape, memoryBytes: 0);
        Tensor features = cache.Get(key: null, values => backend.Upload(Numbers((int)shape.Elements), values));
        float[] condition = Numbers(config.ProjectionSize);
        float[] target = [.. Enumerable.Range(0, training.LogitHeight * training.LogitWidth).Select(i => i % training.LogitWidth < training.LogitWidth / 3 ? 1f : 0)];
        for (int place = 0; place < Batch; place++) training.Place(place, features, condition, target);

        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
    }
}
