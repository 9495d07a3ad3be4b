using System.CommandLine;
using ClipSegNative.Calibration;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli;

/// <summary>weights init: model folders of random values, to try things out and to start training from.</summary>
static class WeightsCommand
{
    public static Command Make(Host host) => new("weights", "Fetches and makes model folders.")
    {
        PullCommands.MakePull(host),
        PullCommands.MakeList(host),
        PullCommands.MakePath(host),
        PullCommands.MakeVerify(host),
        MakeInit(host),
    };

    static Command MakeInit(Host host)
    {
        string presets = string.Join(", ", ClipSegConfig.Presets.Keys);
        var preset = new Option<string>("--preset") { Description = $"Which model: {presets}", HelpName = "NAME", Required = true };
        var seed = new Option<ulong>("--seed") { Description = "The same seed gives the same bytes; else 0", HelpName = "N" };
        var folder = new Option<string>("--out", "-o") { Description = "The folder, made where missing", HelpName = "DIR", Required = true };
        var vocabulary = new Option<string?>("--clip-vocab")
        {
            Description = "A folder with CLIP's vocabulary to copy; else phrases are spelled byte by byte",
            HelpName = "DIR",
        };
        var force = new Option<bool>("--force") { Description = "Replace a model that is there" };
        preset.CompletionSources.Add([.. ClipSegConfig.Presets.Keys]);
        var command = new Command("init", "Writes a full-size model folder of random values: its masks mean nothing.")
        {
            preset, seed, folder, vocabulary, force,
        };
        command.SetAction(parse =>
        {
            string name = parse.GetRequiredValue(preset), target = parse.GetRequiredValue(folder), weights = Path.Combine(target, WeightFiles.Single);
            if (!ClipSegConfig.Presets.TryGetValue(name, out ClipSegConfig? config))
                throw new UsageException($"there is no preset '{name}'; there are {presets}.");
            if (File.Exists(weights) && !parse.GetValue(force)) throw new UsageException($"{weights} is there already; add --force to replace it.");
            Write(target, config, parse.GetValue(seed), parse.GetValue(vocabulary), host);
            return (int)ExitCode.Ok;
        });
        return command;
    }

    /// <param name="folder">Made where it is missing.</param>
    /// <param name="config">Any sizes.</param>
    /// <param name="seed">The same gives the same bytes.</param>
    /// <param name="vocabulary">A folder whose vocabulary is copied; null for one that spells bytes.</param>
    /// <param name="host">Whose error stream says what the folder is good for.</param>
    /// <exception cref="ModelFileException">The vocabulary is missing, damaged or larger than the model's.</exception>
    public static void Write(string folder, ClipSegConfig config, ulong seed, string? vocabulary, Host host)
    {
        lock (host.Writing)
        {
            // The vocabulary first: what is wrong with it is then known before half a gigabyte is written.
            if (vocabulary is null) ClipVocabulary.WriteByteLevel(folder, config.Text.VocabularySize);
            else CopyVocabulary(vocabulary, folder, config.Text.VocabularySize);
            host.Interrupted.ThrowIfCancellationRequested();
            RandomWeights.Write(folder, config, seed);
            SegmentationConfig.Replace(folder, config: null);
        }
        string spelling = vocabulary is null ? "phrases are spelled byte by byte, and " : "";
        host.Error.WriteLine($"{folder}: random weights, seed {seed}: {spelling}masks mean nothing.");
    }

    /// <param name="from">The folder that has one.</param>
    /// <param name="to">Made where it is missing.</param>
    /// <param name="rows">Tokens that the model knows.</param>
    /// <exception cref="ModelFileException">The vocabulary is missing, damaged or larger than the model's.</exception>
    public static void CopyVocabulary(string from, string to, int rows)
    {
        int size = ClipVocabulary.Load(from).Size;
        if (size > rows) throw new ModelFileException($"{from}: its vocabulary has {size} tokens, but the model {rows}: is it CLIP's?");
        ClipVocabulary.Copy(from, to);
    }
}
