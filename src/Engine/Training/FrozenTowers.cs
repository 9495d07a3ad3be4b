using ClipSegNative.Backends;
using ClipSegNative.Data;
using ClipSegNative.Imaging;
using ClipSegNative.Layers;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Training;

/// <summary>The part of the model that does not learn: what it makes of whole pictures and of phrases is computed once and remembered. Safe to share between runs on several threads.</summary>
sealed class FrozenTowers : IDisposable
{
    const int Phrases = 1 << 14;
    const long Megabyte = 1 << 20;

    readonly Lock _gate = new();
    readonly IBackend _backend;
    readonly ClipSegModel _model;
    readonly Plan _encode;
    readonly TextEmbedder _text;
    readonly ClipTokenizer _tokenizer;
    readonly FeatureCache _cache;
    readonly ExamplePrompts? _examples;
    readonly float[] _pixels;

    /// <param name="backend">The device.</param>
    /// <param name="config">The model's sizes.</param>
    /// <param name="weights">The towers; read here only.</param>
    /// <param name="preprocessing">Says the working size.</param>
    /// <param name="run">Has the vocabulary, and gets the features that are kept on the disk.</param>
    /// <param name="settings">How much is kept.</param>
    /// <exception cref="TrainingException">The model's working size is not square.</exception>
    public FrozenTowers(IBackend backend, ClipSegConfig config, IWeightSource weights, PreprocessorConfig preprocessing, RunFolder run, TrainingSettings settings)
    {
        Grid grid = GridOf(preprocessing, config, settings.Clip);
        _backend = backend;
        _model = new ClipSegModel(backend, config, weights);
        _encode = _model.FeaturePlan(batch: 1, grid);   // one at a time: the features of a picture never depend on what else is encoded
        _text = new TextEmbedder(backend, _model, Phrases);
        if (settings.VisualPrompts) _examples = new ExamplePrompts(backend, _model, Segmenter.Preprocessor(preprocessing, preprocessing.Width, preprocessing.Height), grid);
        _tokenizer = Segmenter.LoadTokenizer(run.Location, config);
        _pixels = new float[_encode.Inputs[0].Shape.Elements];
        int rows = 0;
        foreach (Tensor output in _encode.Outputs) rows += output.Rows;
        var shape = new Shape(rows, config.Vision.HiddenSize);
        FeatureFile? file = settings.FeatureCacheDisk == 0 ? null
            : new FeatureFile(run.Features, run.TowerFingerprint() + (settings.Arithmetic == Precision.Fp32 ? "" : settings.Precision), (int)shape.Elements, settings.FeatureCacheDisk * Megabyte);
        _cache = new FeatureCache(backend, shape, settings.FeatureCache * Megabyte, file);
    }

    /// <summary>Patches down and across.</summary>
    /// <param name="preprocessing">Says the working size.</param>
    /// <param name="config">Says the patch's.</param>
    /// <param name="name">What the message calls the model.</param>
    /// <exception cref="TrainingException">The working size is not square, or no patches fill it.</exception>
    public static Grid GridOf(PreprocessorConfig preprocessing, ClipSegConfig config, string name)
    {
        (int side, int patch) = (preprocessing.Width, config.Vision.PatchSize);
        return side == preprocessing.Height && side % patch == 0
            ? new Grid(side / patch, side / patch)
            : throw new TrainingException($"{name}: a working size of {side} x {preprocessing.Height} does not do for training: it must be a square of {patch}-pixel patches.");
    }

    /// <summary>Bytes of device memory: weights and the activations of an encode.</summary>
    public long DeviceBytes => _model.WeightBytes + _encode.Bytes;

    /// <summary>Bytes of device memory of the features that are kept.</summary>
    public long FeatureBytes => _cache.Bytes;

    /// <summary>Whether the features of a whole picture are there, so that its pixels need not be read. Safe to call from several threads.</summary>
    public bool Knows(SampleSpec spec) => _cache.Contains(Key(spec));

    /// <summary>The features of a sample's picture; those of a part are not kept, as hardly any part comes again.</summary>
    /// <param name="sample">Of any picture.</param>
    /// <param name="loader">Where it comes from.</param>
    /// <param name="use">Gets the features, [layers · tokens, hidden], not to be changed and valid until it returns; on another device than the towers' only if both are CPUs.</param>
    /// <param name="interrupted">Ends an encode.</param>
    /// <exception cref="PictureException">The picture can no longer be read.</exception>
    public void Features(TrainingSample sample, SampleLoader loader, Action<Tensor> use, CancellationToken interrupted)
    {
        (PixelBox crop, DataPicture picture) = (sample.Crop, sample.Spec.Sample.Picture);
        bool whole = crop.Width == picture.Width && crop.Height == picture.Height;
        lock (_gate) use(_cache.Get(whole ? Key(sample.Spec) : null, values => Encode(sample, loader, values, interrupted)));
    }

    /// <summary>The conditional vector of a sample: its phrase's, or a mixture with that of a picture of the same thing.</summary>
    public void Condition(SampleSpec spec, Span<float> destination, CancellationToken interrupted)
    {
        float[]? example;
        lock (_gate)
        {
            _text.Embed(spec.Text, _tokenizer, destination, interrupted);
            example = spec.Partner is null ? null : _examples?.Vector(spec.Partner, interrupted);
        }
        if (example is null) return;
        System.Numerics.Tensors.TensorPrimitives.Subtract(destination, example, destination);
        System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(destination, spec.TextWeight, example, destination);
    }

    public void Dispose()
    {
        _cache.Dispose();
        _examples?.Dispose();
        _text.Dispose();
        _encode.Dispose();
        _model.Dispose();
    }

    void Encode(TrainingSample sample, SampleLoader loader, Tensor values, CancellationToken interrupted)
    {
        ReadOnlySpan<float> pixels = sample.Pixels;
        if (pixels.IsEmpty)   // its features have been pushed out since it was made
        {
            loader.ReadPixels(sample, _pixels);
            pixels = _pixels;
        }
        _backend.Upload(pixels, _encode.Inputs[0]);
        _encode.Run(interrupted);
        int first = 0;
        foreach (Tensor output in _encode.Outputs)
        {
            _backend.Copy(output, values.RowRange(first, output.Rows));
            first += output.Rows;
        }
    }

    /// <summary>A picture that is replaced under the same name gets another key.</summary>
    static string Key(SampleSpec spec)
    {
        var file = new FileInfo(spec.Sample.Picture.Path);
        return file.Exists ? $"{file.FullName}|{file.Length}|{file.LastWriteTimeUtc.Ticks}|{spec.IsFlipped}" : file.FullName;
    }
}
