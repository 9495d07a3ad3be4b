using System.CommandLine;
using ClipSegNative.Evaluation;

namespace ClipSegNative.Cli;

/// <summary>evaluate: how well a model, or predictions on disk, find what phrases name.</summary>
sealed class EvaluateCommand : Command, IHasNotes
{
    const string ProtocolValues = "phrasecut or clipseg", BaselineValues = "background, foreground or colour";

    readonly Option<string> _data = new("--data")
    {
        Description = "Annotations as PhraseCut's refer_*.json, or a PhraseCut folder and its split, as in phrasecut/val",
        HelpName = "FILE",
        Required = true,
    };

    readonly Option<string?> _images = new("--images") { Description = "Folder of the pictures; else images/ beside the annotations; predictions do without", HelpName = "DIR" };

    readonly Option<string?> _model = ModelFolder.Option();

    readonly Option<string?> _predictions = new("--predictions")
    {
        Description = "Folder of <task_id>.png or <task_id>.npy to judge, instead of a model's",
        HelpName = "DIR",
    };

    readonly Option<Baseline?> _baseline = OptionValues.Of<Baseline>(
        "--baseline", "READER", $"{BaselineValues}: judge a reader that has learnt nothing", BaselineValues, TryBaseline).Suggesting("background", "foreground", "colour");

    readonly Option<EvaluationProtocol?> _protocol = OptionValues.Of<EvaluationProtocol>(
        "--protocol", "PROTOCOL", $"{ProtocolValues}; else phrasecut", ProtocolValues, TryProtocol).Suggesting("phrasecut", "clipseg");

    readonly Option<float?> _threshold = OptionValues.Threshold();

    readonly Option<float?> _presence = OptionValues.Presence();

    readonly Option<double?> _minArea = OptionValues.Of<double>(
        "--min-area", "F", "Share of the picture: smaller targets are left out", "a number from 0 to 1", OptionValues.TryShare);

    readonly Option<bool> _json = new("--json") { Description = "The result as one JSON object on standard output" };
    readonly Option<string?> _csv = new("--csv") { Description = "Also write a line a task to this file", HelpName = "FILE" };
    readonly Option<bool> _strict = new("--strict") { Description = "End at the first record that cannot be used, instead of leaving it out" };
    readonly ComputeOptions _compute = new();
    readonly Option<bool> _quiet = new("--quiet") { Description = "Say nothing but errors and warnings" };

    public EvaluateCommand(Host host) : base("evaluate", "Judges a model, or predictions on disk, against annotated phrases.")
    {
        Option[] options =
            [_data, _images, _model, _predictions, _baseline, _protocol, _threshold, _presence, _minArea, _json, _csv, _strict, .. _compute.All, _quiet];
        foreach (Option option in options) Options.Add(option);
        SetAction(parse =>
        {
            using var run = new EvaluationRun(Read(parse, host), host);
            return (int)run.Run(parse.InvocationConfiguration.Output);
        });
    }

    public string Notes => $"""
        Protocols:
          phrasecut  PhraseCut's official one: the picture's own size, masks with their border
          clipseg    the CLIPSeg paper's: {Evaluator.ClipSegSide} x {Evaluator.ClipSegSide}, and also 49 thresholds; miou, iou_fg and iou_bin are
                     the best of them, beside the threshold they were reached at
        Threshold and presence are the model's own unless given; the 49 thresholds do without presence.
        Predictions: of a PNG, all that is not black is found; a .npy holds probabilities
        [height, width], float32 or float64, or a mask, bool or uint8. They have the picture's size,
        or {Evaluator.ClipSegSide} x {Evaluator.ClipSegSide} for clipseg. A missing one is told of; mean_iou_all counts it as 0.
        Baselines: nothing found, everything found, or perfect masks of all that has the first colour
        in the phrase, as scenes.json beside the annotations knows it.
        Pictures are taken as stored: EXIF orientation is not applied.

        """;

    EvaluateRequest Read(ParseResult parse, Host host)
    {
        string data = parse.GetRequiredValue(_data), beside = Path.Combine(Path.GetDirectoryName(data) ?? "", "images");
        string? images = parse.GetValue(_images) ?? (Directory.Exists(beside) ? beside : null);
        string? model = parse.GetValue(_model), predictions = parse.GetValue(_predictions);
        Baseline? baseline = parse.GetValue(_baseline);
        if (new object?[] { model, predictions, baseline }.Count(given => given is not null) > 1)
            throw new UsageException("--model, --predictions and --baseline exclude each other.");
        if ((predictions is not null || baseline is not null) && parse.GetValue(_presence) is not null)
            throw new UsageException("--presence goes with --model: there is no other score.");
        if (predictions is null && images is null) throw new UsageException($"--images is missing, and there is no {beside}: only predictions do without the pictures.");
        if (predictions is not null && !Directory.Exists(predictions)) throw new UsageException($"--predictions {predictions}: no such folder.");
        return new EvaluateRequest
        {
            Data = data,
            Images = images,
            Model = model,
            Predictions = predictions,
            Baseline = baseline,
            Protocol = parse.GetValue(_protocol) ?? EvaluationProtocol.PhraseCut,
            Threshold = parse.GetValue(_threshold),
            Presence = parse.GetValue(_presence),
            MinArea = parse.GetValue(_minArea) ?? 0,
            Json = parse.GetValue(_json),
            Csv = parse.GetValue(_csv),
            Strict = parse.GetValue(_strict),
            Quiet = parse.GetValue(_quiet),
            Segmenter = _compute.Read(parse, host),
        };
    }

    static bool TryBaseline(string text, out Baseline baseline)
    {
        baseline = text switch
        {
            "background" => Baseline.Background,
            "foreground" => Baseline.Foreground,
            _ => Baseline.Colour,
        };
        return baseline != Baseline.Colour || text == "colour";
    }

    static bool TryProtocol(string text, out EvaluationProtocol protocol)
    {
        protocol = text == "clipseg" ? EvaluationProtocol.ClipSeg : EvaluationProtocol.PhraseCut;
        return text is "phrasecut" or "clipseg";
    }
}
