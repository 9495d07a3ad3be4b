using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Backends.Decorators;
using ClipSegNative.Calibration;
using ClipSegNative.Imaging;
using ClipSegNative.Layers;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative;

/// <summary>
/// Finds what phrases name in pictures: load a model once, encode a picture once, ask it many phrases.
/// Safe to call from several threads; calls take turns in the order they came, as one already uses every core it was given.
/// </summary>
public sealed partial class Segmenter : ISegmenter, IDisposable
{
    /// <summary>More phrases are decoded in groups of this many: enough to share the work, few enough for activations to stay in cache.</summary>
    const int PromptsAtOnce = 4;

    /// <summary>A side of the working size. Attention grows with the fourth power of it: the published models are made for 352.</summary>
    const int MostPixels = 4096;

    readonly TurnQueue _turn = new();
    readonly IBackend _backend;
    readonly ProfiledBackend? _profiler;
    readonly ClipSegModel _model;
    readonly PicturePreprocessor _preprocessor;
    readonly Grid _grid;
    readonly Plan _encode;
    readonly Plan? _examples;
    readonly Plan?[] _decode = new Plan?[PromptsAtOnce + 1];
    readonly TextEmbedder _text;
    readonly Task<ClipTokenizer> _tokenizer;
    readonly float[] _pixels;
    readonly float[] _conditions;
    readonly float[] _logits;
    bool _disposed;

    /// <param name="parts">What else a model has.</param>
    /// <param name="weights">Read here; not needed afterwards.</param>
    /// <param name="options">Device and threads.</param>
    internal Segmenter(SegmenterParts parts, IWeightSource weights, SegmenterOptions options)
    {
        (ClipSegConfig config, _grid, _tokenizer, Calibration) = (parts.Config, parts.Grid, parts.Tokenizer, parts.Calibration);
        int width = _grid.Width * config.Vision.PatchSize, height = _grid.Height * config.Vision.PatchSize;
        _backend = OpenDevice(options, out string? warning);
        PrecisionWarning = warning;
        if (options.Check) _backend = new CheckedBackend(_backend, finite: true);
        if (options.Profile) _backend = _profiler = new ProfiledBackend(_backend);
        PackedWeights? packed = OpenPacked(parts.Model, options.PackedWeights, out warning);
        PackedWeightsWarning = warning;
        _model = new ClipSegModel(_backend, config, weights, packed);
        _preprocessor = Preprocessor(parts.Preprocessing, width, height);
        _pixels = new float[Picture.Channels * width * height];
        _conditions = new float[PromptsAtOnce * config.ProjectionSize];
        try
        {
            _encode = _model.EncodePlan(batch: 1, _grid);
            if (options.ImagePrompts) _examples = _model.ImagePromptPlan(batch: 1, _grid);
            Plan decode = DecodePlan(1);
            (LogitHeight, LogitWidth) = (decode.Outputs[0].Shape[1], decode.Outputs[0].Shape[2]);
            _logits = new float[PromptsAtOnce * LogitHeight * LogitWidth];
            _text = new TextEmbedder(_backend, _model, options.TextCacheSize);
            _model.StorePacked();
            PackedWeightsWarning ??= packed?.Problem;
        }
        catch
        {
            Free();
            throw;
        }
    }

    /// <summary>What does the arithmetic: device, instruction set, threads.</summary>
    public string Device => _backend.Description;

    /// <summary>One sentence where <see cref="SegmenterOptions.Precision"/> is not what is computed in, and why; else null.</summary>
    public string? PrecisionWarning { get; }

    /// <summary>One sentence where <see cref="SegmenterOptions.PackedWeights"/> has a file that cannot be used, or where none can be written; else null.</summary>
    public string? PackedWeightsWarning { get; }

    /// <summary>Width of the raw result in pixels: 352 for the published models.</summary>
    public int LogitWidth { get; }

    /// <summary>Height of the raw result in pixels: 352 for the published models.</summary>
    public int LogitHeight { get; }

    /// <summary>Bytes of weights on the device.</summary>
    public long WeightBytes => _model.WeightBytes;

    /// <summary>Bytes of device memory that encoding a picture takes beyond the weights.</summary>
    public long ActivationBytes => _encode.Bytes;

    /// <summary>With <see cref="SegmenterOptions.Profile"/>: what each operation has cost so far, costliest first; otherwise empty.</summary>
    internal IReadOnlyList<ProfileLine> Profile => _profiler?.Lines ?? [];

    internal void ClearProfile() => _profiler?.Clear();

    /// <summary>How this model's maps become answers; null for a model that does not say.</summary>
    internal SegmentationConfig? Calibration { get; }

    internal ClipTokenizer Tokenizer => _tokenizer.GetAwaiter().GetResult();

    /// <summary>The most tokens of a phrase that the model reads, begin and end included.</summary>
    internal int ContextLength => _model.Config.Text.Positions;

    /// <summary>Loads a model folder in Hugging Face's layout.</summary>
    /// <param name="model">
    /// A folder with config.json, vocab.json, merges.txt, usually preprocessor_config.json, and the weights: model.safetensors, its shards and their index, or
    /// pytorch_model.bin. Or, in such a folder, a file of weights of any name. A segmentation_config.json there gives threshold and score.
    /// </param>
    /// <param name="options">Device and threads; null for the defaults.</param>
    /// <exception cref="ModelFileException">A file is missing or damaged, or the weights do not fit config.json.</exception>
    /// <exception cref="DeviceException">The device cannot be used.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static Segmenter Load(string model, SegmenterOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        string folder = WeightFiles.FolderOf(model);
        if (!Directory.Exists(folder)) throw new ModelFileException($"{model}: no such folder; give a folder that holds config.json and model.safetensors.");
        if (File.Exists(model) && !File.Exists(Path.Combine(folder, ClipSegConfig.FileName)))
            throw new ModelFileException($"{model}: has no {ClipSegConfig.FileName} beside it: make a model folder of it first (clipseg-native convert).");
        ClipSegConfig config = ClipSegConfig.Read(folder);
        PreprocessorConfig preprocessing = PreprocessorConfig.Read(folder);
        using var weights = new PrefixedWeights(WeightFiles.Open(model));
        ClipSegTensors.Verify(weights, config);
        options ??= new SegmenterOptions();
        if (options.TextCacheSize < 1) throw new ArgumentException($"A text cache of {options.TextCacheSize} phrases is too small; give 1 or more.");
        Grid grid = ChooseGrid(folder, config, preprocessing, options);
        SegmentationConfig? calibration = SegmentationConfig.Read(folder);
        Task<ClipTokenizer> tokenizer = Task.Run(() => LoadTokenizer(folder, config));   // 0.25 s, while the weights are packed
        var parts = new SegmenterParts(model, config, grid, preprocessing, calibration, tokenizer);
        Task warmUp = options is { Device: DeviceKind.Cuda } or { Backend: not null } ? Task.CompletedTask : Task.Run(() => KernelWarmUp.Run(parts, options));
        var segmenter = new Segmenter(parts, weights, options);
        try
        {
            tokenizer.GetAwaiter().GetResult();
            warmUp.GetAwaiter().GetResult();
        }
        catch
        {
            segmenter.Dispose();
            throw;
        }
        return segmenter;
    }

    /// <summary>Loads the model that comes with this library. It knows rendered scenes of simple shapes, not photographs.</summary>
    /// <param name="options">Device and threads; null for the defaults.</param>
    /// <exception cref="ModelFileException">This build carries no model, or it is damaged.</exception>
    /// <exception cref="DeviceException">The device cannot be used.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static Segmenter LoadDefault(SegmenterOptions? options = null) => LoadDefault(ShippedModels.OfThisProgram, options);

    internal static Segmenter LoadDefault(ShippedModels shipped, SegmenterOptions? options) => Directory.Exists(shipped.Default)
        ? Load(shipped.Default, options)
        : throw new ModelFileException($"{shipped.Default}: is not there, so this build carries no model; name a model folder (Load).");

    /// <summary>
    /// Frees the model, after the call that has its turn; calls that still wait throw <see cref="ObjectDisposedException"/>. A second call does nothing.
    /// Results stay valid; encoded pictures can only be disposed.
    /// </summary>
    public void Dispose()
    {
        _turn.Wait();
        try
        {
            if (_disposed) return;
            _disposed = true;
            Free();
        }
        finally { _turn.Release(); }
    }

    internal static PicturePreprocessor Preprocessor(PreprocessorConfig config, int width, int height) => new(
        [.. config.Mean], [.. config.Deviation], config.RescaleFactor,
        config.Resampling == Resampling.Bicubic ? ResizeFilter.Bicubic : ResizeFilter.Bilinear, width, height);

    /// <summary>Also what a constructor that failed has made so far.</summary>
    void Free()
    {
        foreach (Plan? plan in _decode) plan?.Dispose();
        _encode?.Dispose();
        _examples?.Dispose();
        _text?.Dispose();
        _model.Dispose();
        _backend.Dispose();
    }

    Plan DecodePlan(int prompts) => _decode[prompts] ??= _model.DecodePlan(images: 1, prompts, _grid);

    void CheckOwned(EncodedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        ObjectDisposedException.ThrowIf(_disposed, this);
        ObjectDisposedException.ThrowIf(image.IsDisposed, image);
        if (image.Segmenter != this) throw new ArgumentException("This picture was encoded by another segmenter.", nameof(image));
    }

    internal static ClipTokenizer LoadTokenizer(string folder, ClipSegConfig config)
    {
        ClipTokenizer tokenizer = ClipTokenizer.Load(folder);
        if (tokenizer.VocabularySize > config.Text.VocabularySize)
            throw new ModelFileException($"{folder}: the vocabulary has {tokenizer.VocabularySize} tokens, but config.json says vocab_size {config.Text.VocabularySize}: do they belong together?");
        return tokenizer;
    }

    /// <summary>The working size in patches.</summary>
    /// <exception cref="ModelFileException">The model's own size is no multiple of its patches.</exception>
    /// <exception cref="ArgumentException">The chosen size is none.</exception>
    internal static Grid ChooseGrid(string folder, ClipSegConfig config, PreprocessorConfig preprocessing, SegmenterOptions options)
    {
        (int width, int height) = options.WorkingSize ?? (preprocessing.Width, preprocessing.Height);
        int patch = config.Vision.PatchSize;
        if (width >= patch && height >= patch && width <= MostPixels && height <= MostPixels && width % patch == 0 && height % patch == 0)
            return new Grid(height / patch, width / patch);
        string problem = $"a working size of {width} x {height} does not do: each side must be a multiple of the model's {patch}-pixel patches, at most {MostPixels}.";
        throw options.WorkingSize is null
            ? new ModelFileException($"{Path.Combine(folder, PreprocessorConfig.FileName)}: {problem}")
            : new ArgumentException(problem);
    }

    PackedWeights? OpenPacked(string model, string? folder, out string? warning)
    {
        warning = null;
        if (folder is null) return null;
        if (_backend.PackedLayout is { } layout)
        {
            try { return new PackedWeights(folder, model, layout); }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException) { warning = $"{folder}: no packed weights are kept there: {error.Message}"; }
        }
        else warning = "Packed weights are kept for the CPU only; here they are packed at every start.";
        return null;
    }

    internal static IBackend OpenDevice(SegmenterOptions options) => OpenDevice(options, out _);

    static IBackend OpenDevice(SegmenterOptions options, out string? warning)
    {
        warning = null;
        if (options.Backend is { } open) return open();
        if (options.Device == DeviceKind.Cuda) return OpenCuda(options);
        if (options.Threads is < 1 or > 1024) throw new ArgumentException($"{options.Threads} threads are out of range; give 1 to 1024.");
        CpuInstructionSet? set = options.CpuPath?.ToLowerInvariant() switch
        {
            null => null,
            "avx512" => CpuInstructionSet.Avx512,
            "avx2" => CpuInstructionSet.Avx2,
            "portable" => CpuInstructionSet.Portable,
            _ => throw new ArgumentException($"There is no CPU path '{options.CpuPath}'; give avx512, avx2 or portable."),
        };
        CpuInstructionSet chosen = set ?? CpuInstructionSets.Best;
        CpuArithmetic arithmetic = (options.EmulatePrecision ? CpuArithmetic.ByVectors(options.Precision, chosen) : null)
            ?? CpuArithmetic.Choose(options.Precision, chosen, pages: null, out warning);
        return CpuBackend.Create(set, options.Threads, arithmetic);
    }

    static CudaBackend OpenCuda(SegmenterOptions options)
    {
        CudaPrecision precision = options.Precision switch
        {
            Precision.Fp32 => CudaPrecision.Float32,
            Precision.Tf32 => CudaPrecision.TensorFloat32,
            Precision.Bf16 => CudaPrecision.BFloat16,
            Precision.Fp16 => CudaPrecision.Float16,
            _ => throw new DeviceException($"The precision {options.Precision.Name()} is for the CPU; on CUDA give fp32, tf32, bf16 or fp16."),
        };
        if (options.DeviceOrdinal < 0) throw new ArgumentException($"Devices are numbered from 0; there is no {options.DeviceOrdinal}.");
        return new CudaBackend(CudaRuntime.Open(options.DeviceOrdinal), precision, eager: options.Check || options.Profile);
    }
}

/// <summary>What a segmenter is made of, beside weights.</summary>
/// <param name="Model">As for <see cref="Segmenter.Load"/>.</param>
/// <param name="Config">The model's sizes.</param>
/// <param name="Grid">The working size, in patches.</param>
/// <param name="Preprocessing">How pictures become its input.</param>
/// <param name="Calibration">How its maps become answers; null for a model that does not say.</param>
/// <param name="Tokenizer">Needed with the first phrase.</param>
sealed record SegmenterParts(string Model, ClipSegConfig Config, Grid Grid, PreprocessorConfig Preprocessing, SegmentationConfig? Calibration, Task<ClipTokenizer> Tokenizer);
