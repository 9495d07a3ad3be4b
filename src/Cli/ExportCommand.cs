using System.CommandLine;
using ClipSegNative.Export;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli;

/// <summary>export: a model as ONNX graphs.</summary>
sealed class ExportCommand : Command, IHasNotes
{
    readonly Option<string> _format = new("--format") { Description = "onnx", HelpName = "onnx", DefaultValueFactory = _ => "onnx" };
    readonly Option<string?> _model = ModelFolder.Option();
    readonly Option<string> _output = new("--out") { Description = "Folder for the graphs, made where missing", HelpName = "DIR", Required = true };
    readonly Option<bool> _halve = new("--f16") { Description = "Store weights as F16; the arithmetic stays float32" };
    readonly Option<bool> _force = new("--force") { Description = "Replace graphs that are there" };

    public ExportCommand(Host host) : base("export", "Writes a model as ONNX graphs: picture, phrase, decoder, and all in one.")
    {
        _format.AcceptOnlyFromAmong("onnx");
        foreach (Option option in (Option[])[_format, _model, _output, _halve, _force]) Options.Add(option);
        SetAction(parse => (int)Run(parse, host));
    }

    public string Notes => $"""
        vision.onnx   pixel_values [pictures, 3, height, width] -> features_0, features_1, ...
        text.onnx     input_ids [prompts, length] -> conditional_embeddings [prompts, projection]
        decoder.onnx  features of one picture, or of one a prompt, and conditional_embeddings -> logits [prompts, height, width]
        model.onnx    pixel_values, input_ids -> logits
        Height and width are those of the model's {PreprocessorConfig.FileName}; masks are the sigmoid of the logits against a threshold.

        Example:
          {CommandLine.Name} export --format onnx --model clipseg-rd64-refined --out onnx/

        """;

    ExitCode Run(ParseResult parse, Host host)
    {
        string model = ModelFolder.Find(parse.GetValue(_model), host), output = parse.GetRequiredValue(_output), folder = WeightFiles.FolderOf(model);
        bool halve = parse.GetValue(_halve);
        ClipSegConfig config = ClipSegConfig.Read(folder);
        PreprocessorConfig preprocessing = PreprocessorConfig.Read(folder);
        int endToken = ClipVocabulary.Load(folder).EndId;
        using var weights = new PrefixedWeights(WeightFiles.Open(model));
        ClipSegTensors.Verify(weights, config);
        var graphs = new ClipSegOnnx(config, weights, Segmenter.ChooseGrid(folder, config, preprocessing, new SegmenterOptions()), endToken, halve);
        if (graphs.Files.Select(file => Path.Combine(output, file.File)).FirstOrDefault(File.Exists) is { } there && !parse.GetValue(_force))
            throw new UsageException($"{there} is there already; add --force to replace it.");
        lock (host.Writing)
        {
            WeightsCommand.CopyVocabulary(folder, output, config.Text.VocabularySize);
            AtomicFile.Write(Path.Combine(output, PreprocessorConfig.FileName), preprocessing.WriteJson);
            foreach ((string file, Func<OnnxGraph> make) in graphs.Files) OnnxFile.Write(Path.Combine(output, file), make(), MachineInfo.ProgramVersion, host.Interrupted);
        }
        host.Error.WriteLine($"{output}: {string.Join(", ", graphs.Files.Select(file => file.File))} for pictures of {preprocessing.Width} x {preprocessing.Height}{(halve ? ", F16 weights" : "")}.");
        return ExitCode.Ok;
    }
}
