using System.CommandLine;
using ClipSegNative.Calibration;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;
using ClipSegNative.Weights;
using static ClipSegNative.Weights.MessageText;

namespace ClipSegNative.Cli;

/// <summary>convert: weights of any kind that is read, to Hugging Face's layout.</summary>
sealed class ConvertCommand : Command, IHasNotes
{
    const int ShownIgnored = 4;

    readonly Argument<string> _input = new("IN") { Description = "Model folder, a .safetensors, .bin, .pt or .pth file, or the name of a pulled model" };
    readonly Argument<string> _output = new("OUT") { Description = "Folder, made where missing; or NAME.safetensors for the weights alone" };

    readonly Option<string?> _clip = new("--clip")
    {
        Description = "The CLIP that a decoder was trained on, where IN holds the decoder alone",
        HelpName = "CLIP",
    };

    readonly Option<string?> _vocabulary = new("--clip-vocab")
    {
        Description = "A folder with CLIP's vocabulary to copy; else that beside IN or CLIP, if there is one",
        HelpName = "DIR",
    };

    readonly Option<int[]?> _layers = new("--extract-layers")
    {
        Description = "Which of CLIP's layers a decoder without config.json reads, from 0; else 3,6,9",
        HelpName = "N,N,...",
        CustomParser = result =>
        {
            string[] parts = result.Tokens[^1].Value.Split(',');
            int[] layers = [.. parts.Select(part => OptionValues.TryCount(part, 0, out int layer) ? layer : -1)];
            if (layers.Contains(-1)) result.AddError($"--extract-layers is '{result.Tokens[^1].Value}'; it must be whole numbers from 0 with commas, as in 3,6,9.");
            return layers;
        },
    };

    readonly Option<bool> _halve = new("--f16") { Description = "Store every tensor as F16; else only those that are F16 already" };
    readonly Option<bool> _force = new("--force") { Description = "Replace weights that are there" };

    public ConvertCommand(Host host) : base("convert", "Writes a model in Hugging Face's layout; reads PyTorch's files without executing anything.")
    {
        Arguments.Add(_input);
        Arguments.Add(_output);
        foreach (Option option in (Option[])[_clip, _vocabulary, _layers, _halve, _force]) Options.Add(option);
        SetAction(parse => (int)Run(parse, host));
    }

    public string Notes => $"""
        Examples:
          {CommandLine.Name} convert pytorch_model.bin model.safetensors
          {CommandLine.Name} convert ViT-B-16.pt clip/ --clip-vocab vocabulary/
          {CommandLine.Name} convert rd64-uni-refined.pth clipseg/ --clip ViT-B-16.pt --clip-vocab vocabulary/

        """;

    ExitCode Run(ParseResult parse, Host host)
    {
        string input = ModelFolder.Resolve(parse.GetRequiredValue(_input), host), output = parse.GetRequiredValue(_output);
        string? clip = parse.GetValue(_clip) is { } named ? ModelFolder.Resolve(named, host) : null, vocabulary = parse.GetValue(_vocabulary);
        bool toFile = output.EndsWith(WeightFiles.Extension, StringComparison.OrdinalIgnoreCase), halve = parse.GetValue(_halve);
        string target = toFile ? output : Path.Combine(output, WeightFiles.Single);
        if (toFile && vocabulary is not null) throw new UsageException($"{output} is a file of weights; --clip-vocab needs a folder as OUT.");
        if (File.Exists(target) && !parse.GetValue(_force)) throw new UsageException($"{target} is there already; add --force to replace it.");

        using ModelConversion model = ModelConversion.Open(input, clip, parse.GetValue(_layers));
        vocabulary ??= new[] { input, clip }.OfType<string>().Select(WeightFiles.FolderOf).FirstOrDefault(ClipVocabulary.IsIn);
        lock (host.Writing)
        {
            if (toFile) model.WriteWeights(output, halve, host.Interrupted);
            else
            {
                if (vocabulary is not null) WeightsCommand.CopyVocabulary(vocabulary, output, model.Clip.Text.VocabularySize);
                model.WriteFolder(output, PreprocessorConfig.Read(WeightFiles.FolderOf(input)), halve, host.Interrupted);
                // A calibration belongs to the whole model: a decoder on another CLIP has none.
                SegmentationConfig.Replace(output, clip is null ? SegmentationConfig.Read(WeightFiles.FolderOf(input)) : null);
            }
        }
        Tell(model, output, halve, host.Error);
        if (!toFile && vocabulary is null)
            host.Error.WriteLine($"{output}: has no vocabulary yet; copy {ClipVocabulary.IdsFile} and {ClipVocabulary.MergesFile} there, or convert with --clip-vocab.");
        return ExitCode.Ok;
    }

    static void Tell(ModelConversion model, string output, bool halve, TextWriter words)
    {
        string kind = model.ClipSeg is null ? "CLIP" : "CLIPSeg";
        words.WriteLine($"{output}: a {kind} of {model.Tensors.Sum(tensor => tensor.Shape.Elements):N0} parameters{(halve ? ", F16" : "")}.");
        string[] ignored = [.. model.Ignored.Order(StringComparer.Ordinal)];
        if (ignored.Length == 0) return;
        string rest = ignored.Length > ShownIgnored ? $" and {ignored.Length - ShownIgnored} more" : "";
        words.WriteLine($"left out, as a {kind} has no such tensors: {string.Join(", ", ignored.Take(ShownIgnored).Select(Shown))}{rest}");
    }
}
