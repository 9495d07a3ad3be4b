using System.Text.Json.Serialization;
using ClipSegNative.Models.Clip;
using ClipSegNative.Text;

namespace ClipSegNative.Training.Contrast;

/// <summary>All that the training of a CLIP depends on. Two runs of equal settings on one machine give equal weights.</summary>
sealed record PretrainingSettings
{
    /// <summary>A captions.json, or the folder that holds one.</summary>
    public string Data { get; init; } = "";
    /// <summary>Folder of the pictures; null for <c>images</c> beside the captions.</summary>
    public string? Images { get; init; }
    /// <summary>Captions that are only probed; null to probe the training pictures.</summary>
    public string? Val { get; init; }
    /// <summary>Folder of their pictures; null for <c>images</c> beside them.</summary>
    public string? ValImages { get; init; }

    /// <summary>Side in pixels that pictures are resized to.</summary>
    public int WorkingSize { get; init; } = 96;
    /// <summary>Side of a patch in pixels.</summary>
    public int Patch { get; init; } = 8;
    public int Width { get; init; } = 128;
    public int Layers { get; init; } = 6;
    public int Heads { get; init; } = 4;
    public int TextWidth { get; init; } = 128;
    public int TextLayers { get; init; } = 3;
    public int TextHeads { get; init; } = 4;
    /// <summary>Length of the vectors that both towers end in.</summary>
    public int Projection { get; init; } = 128;
    /// <summary>The most tokens of a caption, begin and end included.</summary>
    public int Context { get; init; } = 32;
    /// <summary>The most tokens of the vocabulary that is learnt from the captions.</summary>
    public int Vocabulary { get; init; } = 1024;

    /// <summary>Optimiser steps, those on crops included.</summary>
    public long Steps { get; init; } = 10_000;
    /// <summary>The first so many steps see regions cut out; those after them whole pictures.</summary>
    public long CropSteps { get; init; } = 3000;
    /// <summary>Regions cut out a step.</summary>
    public int Crops { get; init; } = 64;
    /// <summary>Side of a crop in pixels of the working size.</summary>
    public int CropSize { get; init; } = 32;
    /// <summary>Pictures a step, thereafter.</summary>
    public int Batch { get; init; } = 16;
    /// <summary>Pairs of a region and a caption a step; a region may stand in several, each with a caption of its own.</summary>
    public int Pairs { get; init; } = 128;
    public double LearningRate { get; init; } = 4e-4;
    /// <summary>Steps.</summary>
    public long WarmUp { get; init; } = 200;
    public double MinLearningRate { get; init; } = 2e-5;
    public double WeightDecay { get; init; } = 0.05;
    /// <summary>Longest gradient; 0 for any.</summary>
    public double ClipNorm { get; init; } = 1;
    public ulong Seed { get; init; }
    /// <summary>The first so many pictures; 0 for all.</summary>
    public int Limit { get; init; }
    /// <summary>Stops at the first broken record instead of leaving it out.</summary>
    public bool Strict { get; init; }

    /// <summary>Steps from one probe to the next.</summary>
    public long ProbeEvery { get; init; } = 250;
    /// <summary>Pictures that a probe looks at.</summary>
    public int ProbePictures { get; init; } = 64;
    /// <summary>Steps from one checkpoint to the next.</summary>
    public long SaveEvery { get; init; } = 500;
    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";
    /// <summary>CPU threads of the arithmetic; null for one a core.</summary>
    public int? Threads { get; init; }

    /// <param name="vocabulary">Tokens.</param>
    public ClipConfig Configure(int vocabulary) => new(
        new ClipTextConfig
        {
            VocabularySize = vocabulary,
            HiddenSize = TextWidth,
            IntermediateSize = 4 * TextWidth,
            Layers = TextLayers,
            Heads = TextHeads,
            Positions = Context,
            BeginTokenId = vocabulary - 2,
            EndTokenId = vocabulary - 1,
        },
        new ClipVisionConfig { HiddenSize = Width, IntermediateSize = 4 * Width, Layers = Layers, Heads = Heads, ImageSize = WorkingSize, PatchSize = Patch },
        Projection);

    /// <exception cref="TrainingException">The first value that makes no sense.</exception>
    public void Check()
    {
        Require(Data.Length > 0, "data", "a captions.json or its folder; it is missing");
        Between("patch", Patch, 1, 256);
        Between("working_size", WorkingSize, Patch, ClipLimits.Image);
        Require(WorkingSize % Patch == 0, "working_size", $"a multiple of the patch, {Patch}");
        Between("crop_size", CropSize, Patch, WorkingSize);
        Require(CropSize % Patch == 0, "crop_size", $"a multiple of the patch, {Patch}");
        Tower("width", Width, "heads", Heads, "layers", Layers);
        Tower("text_width", TextWidth, "text_heads", TextHeads, "text_layers", TextLayers);
        Between("projection", Projection, 1, ClipLimits.Width);
        Between("context", Context, 3, ClipLimits.Positions);
        Between("vocabulary", Vocabulary, ClipVocabulary.SmallestSize, ClipLimits.Vocabulary);
        Between("steps", Steps, 1, long.MaxValue);
        Between("crop_steps", CropSteps, 0, Steps);
        Between("crops", Crops, 1, 1 << 16);
        Between("batch", Batch, 1, 1 << 16);
        Between("pairs", Pairs, 2, 1 << 16);
        Require(LearningRate is > 0 and < 100, "learning_rate", "above 0");
        Require(MinLearningRate >= 0 && MinLearningRate <= LearningRate, "min_learning_rate", "from 0 to learning_rate");
        Require(WeightDecay is >= 0 and < 100, "weight_decay", "0 or more");
        Require(ClipNorm is >= 0 and < double.PositiveInfinity, "clip_norm", "0 or more");
        Between("warm_up", WarmUp, 0, long.MaxValue);
        Between("limit", Limit, 0, int.MaxValue);
        Between("probe_every", ProbeEvery, 1, long.MaxValue);
        Between("probe_pictures", ProbePictures, 0, int.MaxValue);
        Between("save_every", SaveEvery, 1, long.MaxValue);
        Require(Threads is null or (>= 1 and <= 1024), "threads", "from 1 to 1024");
    }

    /// <summary>The same wherever the program is started next.</summary>
    public PretrainingSettings WithFullPaths() => this with { Data = Full(Data)!, Images = Full(Images), Val = Full(Val), ValImages = Full(ValImages) };

    static string? Full(string? path) => string.IsNullOrEmpty(path) ? path : Path.GetFullPath(path);

    static void Tower(string widthKey, int width, string headsKey, int heads, string layersKey, int layers)
    {
        Between(widthKey, width, 1, ClipLimits.Width);
        Between(layersKey, layers, 1, ClipLimits.Layers);
        Between(headsKey, heads, 1, width);
        Require(width % heads == 0, headsKey, $"a divisor of {widthKey.Replace('_', '-')}, {width}");
    }

    static void Between(string key, long value, long least, long most) =>
        Require(value >= least && value <= most, key, most is long.MaxValue or int.MaxValue ? $"{least} or more, not {value}" : $"from {least} to {most}, not {value}");

    static void Require(bool holds, string key, string expected)
    {
        if (!holds) throw new TrainingException($"--{key.Replace('_', '-')} must be {expected}.");
    }
}

/// <summary>Keys are the names of the command line's options with _ for -.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(PretrainingSettings))]
sealed partial class PretrainingJson : JsonSerializerContext;
