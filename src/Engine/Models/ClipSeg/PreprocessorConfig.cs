using System.Text.Json;
using ClipSegNative.Models.Clip;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>How a picture is resized; both filters antialias when they shrink, as PIL's do.</summary>
enum Resampling
{
    Bilinear = 2,   // the values are PIL's, which preprocessor_config.json stores
    Bicubic = 3,
}

/// <summary>From a picture to the model's input: resize straight to the size, multiply, subtract the mean, divide by the deviation.</summary>
/// <remarks>The defaults are those of the published CLIPSeg models: ImageNet's statistics, not CLIP's own.</remarks>
sealed record PreprocessorConfig
{
    public const string FileName = "preprocessor_config.json";
    const int Colours = 3;
    const string ProcessorKey = "processor_class", Processor = "CLIPSegProcessor";

    static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    /// <summary>In pixels.</summary>
    public int Height { get; init; } = 352;
    /// <summary>In pixels.</summary>
    public int Width { get; init; } = 352;
    public Resampling Resampling { get; init; } = Resampling.Bilinear;
    /// <summary>Takes a byte to [0, 1].</summary>
    public double RescaleFactor { get; init; } = 1 / 255d;
    /// <summary>Red, green, blue, after rescaling.</summary>
    public IReadOnlyList<float> Mean { get; init; } = [0.485f, 0.456f, 0.406f];
    /// <summary>Red, green, blue, after rescaling.</summary>
    public IReadOnlyList<float> Deviation { get; init; } = [0.229f, 0.224f, 0.225f];

    /// <summary>Reads the file; where there is none, gives the defaults.</summary>
    /// <param name="path">A preprocessor_config.json, or the folder that may hold one.</param>
    /// <exception cref="ModelFileException">
    /// The file leaves out the size or the statistics, which Hugging Face's classes default differently, or asks for what is not done.
    /// </exception>
    public static PreprocessorConfig Read(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        if (!File.Exists(file)) return new PreprocessorConfig();
        using JsonDocument document = JsonSection.Load(file);
        JsonSection json = JsonSection.Top(file, document);
        if (!json.Flag("do_resize", true)) throw json.Refuse("do_resize", "true");
        bool normalize = json.Flag("do_normalize", true);
        (int height, int width) = Size(json);
        return new PreprocessorConfig
        {
            Height = height,
            Width = width,
            Resampling = Filter(json),
            RescaleFactor = json.Flag("do_rescale", true) ? json.Real("rescale_factor", 1 / 255d, 1e-6, 1) : 1,
            Mean = normalize ? Statistics(json, "image_mean", -1000) : [0, 0, 0],
            Deviation = normalize ? Statistics(json, "image_std", 1e-6f) : [1, 1, 1],
        };
    }

    /// <summary>Whether a folder's file says how pictures are segmented; those beside published CLIPs say how they are classified.</summary>
    /// <exception cref="ModelFileException">The file is no JSON object.</exception>
    public static bool IsForSegmentation(string folder)
    {
        string file = Path.Combine(folder, FileName);
        if (!File.Exists(file)) return false;
        using JsonDocument document = JsonSection.Load(file);
        return JsonSection.Top(file, document).Text(ProcessorKey) == Processor;
    }

    /// <summary>Writes a preprocessor_config.json that Hugging Face transformers reads.</summary>
    public void WriteJson(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, Indented);
        json.WriteStartObject();
        json.WriteString("image_processor_type", "ViTImageProcessor");
        json.WriteString(ProcessorKey, Processor);
        json.WriteBoolean("do_resize", true);
        json.WriteStartObject("size");
        json.WriteNumber("height", Height);
        json.WriteNumber("width", Width);
        json.WriteEndObject();
        json.WriteNumber("resample", (int)Resampling);
        json.WriteBoolean("do_rescale", true);
        json.WriteNumber("rescale_factor", RescaleFactor);
        json.WriteBoolean("do_normalize", true);
        WriteStatistics(json, "image_mean", Mean);
        WriteStatistics(json, "image_std", Deviation);
        json.WriteEndObject();
    }

    static (int Height, int Width) Size(JsonSection json)
    {
        const string Expected = "a number of pixels, {\"height\", \"width\"} or {\"shortest_edge\"}";
        switch (json.Kind("size"))
        {
            case JsonValueKind.Number:
                int side = json.Integer("size", 0, 1, ClipLimits.Image);
                return (side, side);
            case JsonValueKind.Object:
                JsonSection size = json.Child("size");
                int edge = size.Integer("shortest_edge", 0, 1, ClipLimits.Image);
                int height = size.Integer("height", edge, 1, ClipLimits.Image), width = size.Integer("width", edge, 1, ClipLimits.Image);
                return height > 0 && width > 0 ? (height, width) : throw json.Refuse("size", Expected);
            default:
                throw json.Refuse("size", Expected);
        }
    }

    static Resampling Filter(JsonSection json) => json.Integer("resample", (int)Resampling.Bilinear, 0, 5) switch
    {
        (int)Resampling.Bilinear => Resampling.Bilinear,
        (int)Resampling.Bicubic => Resampling.Bicubic,
        int other => throw json.Refuse("resample", $"2 (bilinear) or 3 (bicubic), not {PilNames[other]}"),
    };

    static readonly string[] PilNames = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"];

    static float[] Statistics(JsonSection json, string key, float min) =>
        json.Reals(key, Colours, min, 1000) ?? throw json.Refuse(key, "three numbers, as in [0.485, 0.456, 0.406]");

    static void WriteStatistics(Utf8JsonWriter json, string key, IReadOnlyList<float> values)
    {
        json.WriteStartArray(key);
        foreach (float value in values) json.WriteNumberValue(value);
        json.WriteEndArray();
    }
}
