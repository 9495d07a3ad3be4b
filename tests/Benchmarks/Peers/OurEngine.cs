using ClipSegNative.Backends;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Weights;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>This engine: through its public door, and for batches of pictures, which that does not take, through its model.</summary>
sealed class OurEngine(PeerModel model, SegmenterOptions options) : IEngine
{
    readonly Lazy<Segmenter> _segmenter = new(() => Segmenter.Load(model.Folder, options));
    readonly Lazy<Tower> _tower = new(() => new Tower(model, options));
    EncodedImage? _encoded;

    public long? WeightBytes => _segmenter.Value.WeightBytes;

    public Action? Encode(int batch)
    {
        Plan plan = _tower.Value.Model.EncodePlan(batch, model.Grid);
        _tower.Value.Plans.Add(plan);
        float[] pixels = model.Pixels(batch);
        float[][] features = [.. plan.Outputs.ToArray().Select(output => new float[output.Shape.Elements])];
        IBackend backend = _tower.Value.Backend;
        return () =>
        {
            backend.Upload(pixels, plan.Inputs[0]);
            plan.Run();
            for (int i = 0; i < features.Length; i++) backend.Download(plan.Outputs[i], features[i]);
        };
    }

    public Action? Embed(int phrases)
    {
        Segmenter segmenter = _segmenter.Value;
        return () => segmenter.Remember(model.NewPhrases(phrases));
    }

    public Action? Ask(bool known)
    {
        _encoded ??= _segmenter.Value.Encode(model.Picture);
        string phrase = model.NewPhrases(1)[0];
        Segmentation[] results = [.. _encoded.Segment(phrase)];
        return () => _encoded.Segment(known ? [phrase] : model.NewPhrases(1), results);
    }

    public Action? Segment(int phrases)
    {
        Segmenter segmenter = _segmenter.Value;
        return () =>
        {
            using EncodedImage image = segmenter.Encode(model.Picture);
            image.Segment(model.NewPhrases(phrases));
        };
    }

    public float[] Logits(IReadOnlyList<string> phrases)
    {
        using EncodedImage image = _segmenter.Value.Encode(model.Picture);
        return [.. image.Segment([.. phrases]).SelectMany(result => result.Logits.ToArray())];
    }

    public void Dispose()
    {
        _encoded?.Dispose();
        if (_segmenter.IsValueCreated) _segmenter.Value.Dispose();
        if (_tower.IsValueCreated) _tower.Value.Dispose();
    }

    sealed class Tower : IDisposable
    {
        readonly PrefixedWeights _weights;

        public Tower(PeerModel model, SegmenterOptions options)
        {
            _weights = new PrefixedWeights(WeightFiles.Open(model.Folder));
            Backend = Segmenter.OpenDevice(options);
            Model = new ClipSegModel(Backend, model.Config, _weights);
        }

        public IBackend Backend { get; }

        public ClipSegModel Model { get; }

        public List<Plan> Plans { get; } = [];

        public void Dispose()
        {
            foreach (Plan plan in Plans) plan.Dispose();
            Model.Dispose();
            Backend.Dispose();
            _weights.Dispose();
        }
    }
}
