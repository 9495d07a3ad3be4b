using System.Globalization;
using System.Text.Json.Serialization;
using ClipSegNative.Backends;

namespace ClipSegNative.Training;

/// <summary>All that a training run depends on. Two runs of equal settings on one machine give equal weights.</summary>
sealed record TrainingSettings
{
    /// <summary>Annotations of the training phrases: a PhraseCut file, or a folder and its split.</summary>
    public string Data { get; init; } = "";
    /// <summary>Folder of the pictures; null for <c>images</c> beside the annotations.</summary>
    public string? Images { get; init; }
    /// <summary>A model folder with the frozen towers.</summary>
    public string Clip { get; init; } = "";
    /// <summary>transformer or conv.</summary>
    public string Decoder { get; init; } = "transformer";
    /// <summary>small, base, large or the name of a preset; null for the sizes in <see cref="Clip"/> where it has such a decoder, else base.</summary>
    public string? Size { get; init; }
    /// <summary>Blocks of the image tower whose outputs the decoder reads, counted from 0, as in 3,6,9; null for those of <see cref="Clip"/> or, where it has none, a quarter, half and three quarters up.</summary>
    public string? Extract { get; init; }
    /// <summary>A model folder whose decoder is the start; null for random values.</summary>
    public string? Init { get; init; }
    /// <summary>bce, dice, focal, tversky, or a sum of some with +.</summary>
    public string Loss { get; init; } = "bce";

    /// <summary>Optimiser steps; 0 to count by <see cref="Epochs"/>.</summary>
    public long Steps { get; init; }
    /// <summary>Passes over the phrases.</summary>
    public double Epochs { get; init; } = 10;
    /// <summary>Phrases forward and backward at once.</summary>
    public int Batch { get; init; } = 16;
    /// <summary>Such batches a step.</summary>
    public int Accumulate { get; init; } = 1;
    public double LearningRate { get; init; } = 1e-3;
    /// <summary>cosine or constant.</summary>
    public string Schedule { get; init; } = "cosine";
    /// <summary>Steps.</summary>
    public long WarmUp { get; init; }
    public double MinLearningRate { get; init; } = 1e-4;
    public double WeightDecay { get; init; } = 1e-2;
    /// <summary>Longest gradient; 0 for any.</summary>
    public double ClipNorm { get; init; } = 1;
    public ulong Seed { get; init; }

    /// <summary>Share of phrases replaced by ones that are not there.</summary>
    public double Negatives { get; init; } = 0.2;
    /// <summary>author or none.</summary>
    public string Crop { get; init; } = "author";
    /// <summary>none, fixed, shuffle or shuffle+.</summary>
    public string Templates { get; init; } = "none";
    /// <summary>Mixes vectors of pictures that show the same thing with those of phrases.</summary>
    public bool VisualPrompts { get; init; }
    /// <summary>Mirrors every second picture.</summary>
    public bool Flip { get; init; }
    /// <summary>The first so many training phrases; 0 for all.</summary>
    public int Limit { get; init; }
    /// <summary>Stops at the first broken record or picture instead of leaving it out.</summary>
    public bool Strict { get; init; }

    /// <summary>Annotations of the validation phrases; null for no validation.</summary>
    public string? Val { get; init; }
    /// <summary>Folder of their pictures; null as for <see cref="Images"/>.</summary>
    public string? ValImages { get; init; }
    /// <summary>The first so many validation phrases; 0 for all.</summary>
    public int ValLimit { get; init; }
    /// <summary>Steps from one validation to the next.</summary>
    public long ValidateEvery { get; init; } = 500;
    /// <summary>Ends the run after so many validations without a better score; 0 never.</summary>
    public int Patience { get; init; }
    /// <summary>Steps from one checkpoint to the next.</summary>
    public long SaveEvery { get; init; } = 500;
    /// <summary>Phrases drawn as pictures at each validation, or checkpoint where there is none.</summary>
    public int Samples { get; init; } = 4;

    /// <summary>Threads that read pictures.</summary>
    public int Workers { get; init; } = 1;
    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";
    /// <summary>fp32, or on CUDA tf32, bf16 or fp16: what operands of products and of attention are rounded to.</summary>
    public string Precision { get; init; } = "fp32";
    /// <summary>CPU threads of the arithmetic; null for one a core.</summary>
    public int? Threads { get; init; }
    /// <summary>Megabytes of the device's memory for features of the frozen tower.</summary>
    public int FeatureCache { get; init; } = 1024;
    /// <summary>Megabytes of disk in the run folder for the same.</summary>
    public int FeatureCacheDisk { get; init; }

    [JsonIgnore]
    public MaskLosses Losses => new()
    {
        CrossEntropy = Has("bce"),
        Dice = Has("dice"),
        Focal = Has("focal"),
        Tversky = Has("tversky"),
    };

    /// <summary><see cref="Precision"/>, checked.</summary>
    [JsonIgnore]
    public ClipSegNative.Precision Arithmetic => Enum.GetValues<ClipSegNative.Precision>().First(precision => precision.Name() == Precision);

    /// <summary>Whether the training pictures are shown whole, so that their features can be kept.</summary>
    [JsonIgnore]
    public bool WholePictures => Crop == "none";

    /// <summary><see cref="Extract"/> as numbers; null where it is absent or no list of them.</summary>
    [JsonIgnore]
    public int[]? ExtractLayers
    {
        get
        {
            string[] parts = Extract?.Split(',') ?? [];
            int[] layers = [.. parts.Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? layer : -1)];
            return layers.Length > 0 && !layers.Contains(-1) ? layers : null;
        }
    }

    [JsonIgnore]
    public long PhrasesAStep => (long)Batch * Accumulate;

    /// <exception cref="TrainingException">The first value that makes no sense.</exception>
    public void Check()
    {
        Require(Data.Length > 0, "data", "an annotation file; it is missing");
        Require(Clip.Length > 0, "clip", "a model folder with the towers; it is missing");
        OneOf("decoder", Decoder, "transformer", "conv");
        Require(Extract is null || ExtractLayers is { Length: > 0 } layers && layers.Zip(layers.Skip(1)).All(pair => pair.First < pair.Second), "extract", "numbers of blocks that rise, as in 3,6,9");
        foreach (string term in Loss.Split('+')) OneOf("loss", term, "bce", "dice", "focal", "tversky");
        Require(Loss.Split('+').Distinct().Count() == Loss.Count(letter => letter == '+') + 1, "loss", $"a sum of different losses, not {Loss}");
        OneOf("schedule", Schedule, "cosine", "constant");
        OneOf("crop", Crop, "author", "none");
        OneOf("templates", Templates, "none", "fixed", "shuffle", "shuffle+");
        AtLeast("steps", Steps, 0);
        Require(Steps > 0 || Epochs > 0, "epochs", "above 0");
        AtLeast("batch", Batch, 1);
        AtLeast("accumulate", Accumulate, 1);
        Require(LearningRate is > 0 and < 100, "learning_rate", "above 0");
        Require(MinLearningRate >= 0 && MinLearningRate <= LearningRate, "min_learning_rate", "from 0 to learning_rate");
        Require(WeightDecay is >= 0 and < 100, "weight_decay", "0 or more");
        Require(ClipNorm is >= 0 and < double.PositiveInfinity, "clip_norm", "0 or more");
        Require(Negatives is >= 0 and <= 1, "negatives", "from 0 to 1");
        AtLeast("warm_up", WarmUp, 0);
        AtLeast("limit", Limit, 0);
        AtLeast("val_limit", ValLimit, 0);
        AtLeast("validate_every", ValidateEvery, 1);
        AtLeast("patience", Patience, 0);
        Require(Patience == 0 || Val is not null, "patience", "0 without validation phrases (val)");
        AtLeast("save_every", SaveEvery, 1);
        AtLeast("samples", Samples, 0);
        AtLeast("workers", Workers, 1);
        OneOf("precision", Precision, "fp32", "tf32", "bf16", "fp16");
        Require(Precision == "fp32" || Device.StartsWith("cuda", StringComparison.Ordinal), "precision", $"fp32 on the CPU: {Precision} needs --device cuda");
        Require(Threads is null or (>= 1 and <= 1024), "threads", "from 1 to 1024");
        AtLeast("feature_cache", FeatureCache, 0);
        AtLeast("feature_cache_disk", FeatureCacheDisk, 0);
    }

    /// <summary>The same wherever the program is started next.</summary>
    public TrainingSettings WithFullPaths() => this with { Data = Full(Data)!, Images = Full(Images), Clip = Full(Clip)!, Init = Full(Init), Val = Full(Val), ValImages = Full(ValImages) };

    static string? Full(string? path) => string.IsNullOrEmpty(path) ? path : Path.GetFullPath(path);

    float Has(string term) => Loss.Split('+').Contains(term) ? 1 : 0;

    static void AtLeast(string key, long value, long least) => Require(value >= least, key, $"{least} or more, not {value}");

    static void OneOf(string key, string value, params string[] known) =>
        Require(known.Contains(value), key, $"one of {string.Join(", ", known)}, not '{value}'");

    static void Require(bool holds, string key, string expected)
    {
        if (!holds) throw new TrainingException($"--{key.Replace('_', '-')} must be {expected}.");
    }
}

/// <summary>Keys are the names of the command line's options with _ for -.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(TrainingSettings))]
sealed partial class TrainingJson : JsonSerializerContext;
