using System.CommandLine;
using System.CommandLine.Parsing;

namespace ClipSegNative.Cli;

/// <summary>infer: pictures and phrases in, masks out.</summary>
sealed class InferCommand : Command, IHasNotes
{
    static readonly string KindNames = string.Join(", ", ResultPaths.Kinds.Select(ResultPaths.Spelling));

    readonly Argument<string[]> _images = new("IMAGE")
    {
        Description = "Pictures, folders, patterns such as 'photos/*.jpg' (** for any depth), or - for standard input",
        Arity = ArgumentArity.OneOrMore,
    };

    readonly Option<string[]> _phrases = new("--text", "-t")
    {
        Description = "What to look for; repeat it for more phrases",
        HelpName = "PHRASE",
    };

    readonly Option<string?> _like = new("--like") { Description = "A picture of what to look for: instead of phrases, or mixed with each of them", HelpName = "FILE" };

    readonly Option<string?> _likeMask = new("--like-mask")
    {
        Description = "Which pixels of that picture are meant: a picture of its size, not black where they are; else all",
        HelpName = "FILE",
    };

    readonly Option<double?> _mix = OptionValues.Of<double>(
        "--mix", "W", $"Share of the phrase where --like is mixed with phrases; else {InferRequest.DefaultMix}", "a number from 0 to 1", OptionValues.TryShare);

    readonly Option<string?> _model = ModelFolder.Option();

    readonly Option<string?> _out = new("--out", "-o")
    {
        Description = "Folder for the results, made where missing, or - for standard output; else beside each picture",
        HelpName = "DIR",
    };

    readonly Option<OutputKinds> _kinds = new("--output")
    {
        Description = $"What to write, with commas or repeated: {KindNames}; else mask, or with --json nothing",
        HelpName = "KIND",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = ReadKinds,
    };

    readonly Option<float?> _threshold = OptionValues.Threshold();

    readonly Option<float?> _presence = OptionValues.Presence();

    readonly Option<double?> _minArea = OptionValues.Of<double>(
        "--min-area", "F", "Share of the picture: smaller masks are dropped, that is, empty", "a number from 0 to 1", OptionValues.TryShare);

    readonly Option<bool> _noOrient = new("--no-orient") { Description = "Take the stored pixels as they are: do not apply EXIF orientation" };

    readonly ComputeOptions _compute = new();

    readonly Option<string?> _cpu = new("--cpu") { Description = "Force one way to compute on the CPU", HelpName = "avx512|avx2|portable" };

    readonly Option<(int Width, int Height)?> _size = OptionValues.Of<(int, int)>(
        "--size", "WxH", "Working size in pixels, multiples of the model's patch; else the model's own",
        "WIDTHxHEIGHT in pixels, as in 352x352", OptionValues.TrySize);

    readonly Option<bool> _json = new("--json") { Description = "One JSON object a picture on standard output, one a line" };
    readonly Option<bool> _recursive = new("--recursive") { Description = "Look into the folders inside folders" };
    readonly Option<bool> _skipExisting = new("--skip-existing") { Description = "Leave out pictures whose results are all there" };
    readonly Option<bool> _profile = new("--profile") { Description = "Say at the end what each operation cost" };
    readonly Option<bool> _check = new("--check") { Description = "Check every operation's shapes and values; slow" };
    readonly Option<bool> _quiet = new("--quiet") { Description = "Say nothing but errors and warnings" };

    readonly Option<bool> _verbose;

    public InferCommand(Host host, Option<bool> verbose) : base("infer", "Finds phrases in pictures and writes masks.")
    {
        _verbose = verbose;
        _cpu.AcceptOnlyFromAmong("avx512", "avx2", "portable");
        _kinds.CompletionSources.Add([.. ResultPaths.Kinds.Select(ResultPaths.Spelling)]);
        Arguments.Add(_images);
        Option[] options =
        [
            _phrases, _like, _likeMask, _mix, _model, _out, _kinds, _threshold, _presence, _minArea, _noOrient, .. _compute.All, _cpu, _size, _json, _recursive,
            _skipExisting, _profile, _check, _quiet,
        ];
        foreach (Option option in options) Options.Add(option);
        SetAction(parse => (int)new Inference(Read(parse, host), host).Run());
    }

    public string Notes => """
        Results, for cat.jpg and -t "a cat":
          cat.a-cat.mask.png, .heatmap.png, .overlay.png, .cutout.png: one a phrase
          with --like ref.png: cat.like-ref.mask.png; with -t "a cat" too: cat.a-cat-like-ref.mask.png
          cat.labels.png  8 bits, 0 for background, n for the n-th phrase: the most probable one
          cat.npy         probabilities [phrases, height, width], float32, at the picture's size
          cat.logits.npy  raw decoder output [phrases, H, W], float32, at the working size
          cat.json        what --json prints, without device and times
          Below --out, folders and patterns keep their inner folders. Pictures that differ only in
          their extension keep it (cat.jpg.a-cat.mask.png); where results of two pictures would
          still meet, the second picture fails. Phrases that give the same name get -2, -3.
          Pictures in folders and patterns come by name; results of earlier runs are left out.
          A picture that --skip-existing leaves out gives no JSON line.

        """;

    InferRequest Read(ParseResult parse, Host host)
    {
        bool json = parse.GetValue(_json);
        string[] phrases = parse.GetValue(_phrases) ?? [];
        string? like = parse.GetValue(_like), mask = parse.GetValue(_likeMask);
        double? mix = parse.GetValue(_mix);
        if (phrases.Any(string.IsNullOrWhiteSpace)) throw new UsageException("a phrase (-t) is empty.");
        if (phrases.Length == 0 && like is null) throw new UsageException("there is nothing to look for: give a phrase (-t) or a picture (--like).");
        if (mask is not null && like is null) throw new UsageException("--like-mask goes with --like.");
        if (mix is not null && (like is null || phrases.Length == 0)) throw new UsageException("--mix goes with both -t and --like.");
        return new InferRequest
        {
            Images = parse.GetRequiredValue(_images),
            Phrases = phrases,
            Like = like,
            LikeMask = mask,
            Mix = mix ?? InferRequest.DefaultMix,
            Model = parse.GetValue(_model),
            Out = parse.GetValue(_out),
            Kinds = parse.GetResult(_kinds) is not null ? parse.GetValue(_kinds) : json ? OutputKinds.None : OutputKinds.Mask,
            Threshold = parse.GetValue(_threshold),
            Presence = parse.GetValue(_presence),
            MinArea = parse.GetValue(_minArea),
            Orient = !parse.GetValue(_noOrient),
            JsonLines = json,
            Recursive = parse.GetValue(_recursive),
            SkipExisting = parse.GetValue(_skipExisting),
            Quiet = parse.GetValue(_quiet),
            Verbose = parse.GetValue(_verbose),
            Segmenter = _compute.Read(parse, host) with
            {
                WorkingSize = parse.GetValue(_size),
                CpuPath = parse.GetValue(_cpu),
                ImagePrompts = like is not null,
                Profile = parse.GetValue(_profile),
                Check = parse.GetValue(_check),
            },
        };
    }

    static OutputKinds ReadKinds(ArgumentResult result)
    {
        OutputKinds kinds = OutputKinds.None;
        foreach (string name in result.Tokens.SelectMany(token => token.Value.Split(',')))
        {
            OutputKinds kind = ResultPaths.Kinds.FirstOrDefault(kind => ResultPaths.Spelling(kind) == name);
            if (kind == OutputKinds.None) result.AddError($"There is no output '{name}'; there are {KindNames}.");
            kinds |= kind;
        }
        return kinds;
    }
}
