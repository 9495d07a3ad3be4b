using System.CommandLine;
using ClipSegNative.Calibration;

namespace ClipSegNative.Cli;

/// <summary>calibrate: fits a model's threshold and presence score to annotated phrases and keeps them in its folder.</summary>
sealed class CalibrateCommand : Command, IHasNotes
{
    const string ShareValues = "a number from 0 to 1";

    static readonly CalibrationFloors Floors = new();

    readonly Option<string?> _model = ModelFolder.Option();

    readonly Option<string[]> _data = new("--data")
    {
        Description = "Annotated phrases, as for evaluate; those with empty Polygons name nothing in their picture. Repeat it for more files",
        HelpName = "FILE",
        Required = true,
    };

    readonly Option<string[]> _nearMisses = new("--near-miss")
    {
        Description = "The same, of phrases that nearly name something: the right colour and the wrong shape",
        HelpName = "FILE",
    };

    readonly Option<string?> _images = new("--images") { Description = "Folder of the pictures; else images/ beside the annotations", HelpName = "DIR" };

    readonly Option<double?> _minArea = OptionValues.Of<double>(
        "--min-area", "F", "Share of the picture: smaller targets are left out", ShareValues, OptionValues.TryShare);

    readonly Option<double?> _absent = OptionValues.Of<double>(
        "--absent-floor", "F", $"Least share of empty masks where nothing is named; else {Floors.AbsentEmpty}", ShareValues, OptionValues.TryShare);

    readonly Option<double?> _nearMiss = OptionValues.Of<double>(
        "--near-miss-floor", "F", $"Least share of empty masks of near misses; else {Floors.NearMissEmpty}", ShareValues, OptionValues.TryShare);

    readonly Option<double?> _kept = OptionValues.Of<double>(
        "--iou-floor", "F", $"Least share of the mean IoU that is kept for it; else {Floors.KeptIoU}", ShareValues, OptionValues.TryShare);

    readonly Option<bool> _json = new("--json") { Description = "What is stored, as one JSON object on standard output too" };
    readonly ComputeOptions _compute = new();
    readonly Option<bool> _quiet = new("--quiet") { Description = "Say nothing but errors and warnings" };

    public CalibrateCommand(Host host) : base("calibrate", "Fits a model's threshold and its score (is the thing there at all?) and stores them in its folder.")
    {
        Option[] options = [_model, _data, _nearMisses, _images, _minArea, _absent, _nearMiss, _kept, _json, .. _compute.All, _quiet];
        foreach (Option option in options) Options.Add(option);
        SetAction(parse => (int)new CalibrationRun(Read(parse, host), host).Run());
    }

    public string Notes => $"""
        Of all thresholds and presence thresholds, the pair with the highest mean IoU is taken among
        those under which enough of the masks of absent things are empty (PhraseCut's protocol).
        Where no pair does, the nearest is stored and a warning says so.
        It is stored as {SegmentationConfig.FileName}; infer, evaluate and the library use it from then on.

        """;

    CalibrateRequest Read(ParseResult parse, Host host)
    {
        string[] data = parse.GetRequiredValue(_data);
        string beside = Path.Combine(Path.GetDirectoryName(data[0]) ?? "", "images");
        return new CalibrateRequest
        {
            Model = parse.GetValue(_model),
            Data = data,
            NearMisses = parse.GetValue(_nearMisses) ?? [],
            Images = parse.GetValue(_images) ?? (Directory.Exists(beside) ? beside : throw new UsageException($"--images is missing, and there is no {beside}.")),
            MinArea = parse.GetValue(_minArea) ?? 0,
            Floors = new CalibrationFloors(
                parse.GetValue(_absent) ?? Floors.AbsentEmpty, parse.GetValue(_nearMiss) ?? Floors.NearMissEmpty, parse.GetValue(_kept) ?? Floors.KeptIoU),
            Json = parse.GetValue(_json),
            Quiet = parse.GetValue(_quiet),
            Segmenter = _compute.Read(parse, host) with { ImagePrompts = false },
        };
    }
}
