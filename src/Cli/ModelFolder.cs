using System.CommandLine;
using ClipSegNative.Cli.Hub;
using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Cli;

/// <summary>Where the model lies: the command line, else the environment, else the one that comes with the program.</summary>
static class ModelFolder
{
    public const string Variable = "CLIPSEG_MODEL";

    const string Remedy =
        $"fetch one ({CommandLine.Name} weights pull clipseg-rd64-refined), give a folder downloaded from the Hugging Face hub (CIDAS/clipseg-rd64-refined: "
        + "config.json, model.safetensors, vocab.json, merges.txt, preprocessor_config.json), or try things out on random weights: "
        + $"{CommandLine.Name} weights init --preset clipseg-rd64-refined --out DIR";

    public static Option<string?> Option() => new("--model")
    {
        Description = $"Model folder in Hugging Face's layout, a file of weights in one, or the name of a pulled model or one that comes with this program "
            + $"({string.Join(", ", ShippedModels.Names)}); else the environment variable {Variable}, else {ShippedModels.DefaultName}",
        HelpName = "DIR",
    };

    /// <summary>Null where none is named and none comes with the program.</summary>
    public static string? Named(string? given, Host host) => given ?? host.Setting(Variable) ?? host.Shipped.Find(ShippedModels.DefaultName);

    /// <exception cref="ModelFileException">No folder is named, or there is none of that name; the message says what to do.</exception>
    public static string Find(string? given, Host host)
    {
        string? folder = Named(given, host);
        if (folder is null) throw new ModelFileException($"there is no model: --model is not given, {Variable} is not set and {host.Shipped.Default} is not there; {Remedy}");
        folder = Resolve(folder, host);
        if (!Path.Exists(folder)) throw new ModelFileException($"{folder} (from {(given is null ? Variable : "--model")}): no such folder; {Remedy}");
        return folder;
    }

    /// <summary>The folder of a model that comes with the program, or of a pulled one, for its name; any other path as it is, one that exists before all.</summary>
    public static string Resolve(string pathOrName, Host host) =>
        Path.Exists(pathOrName) ? pathOrName : host.Shipped.Find(pathOrName) ?? ModelCache.Of(host).Find(pathOrName) ?? pathOrName;

    /// <summary>The most tokens a phrase may have; CLIP's where the folder has only a vocabulary, or the configuration of another kind of model.</summary>
    public static int ContextLength(string folder)
    {
        try { return ClipSegConfig.Read(folder).Text.Positions; }
        catch (ModelFileException) { return Text.ClipTokenizer.DefaultContextLength; }
    }

    /// <summary>Loads a model, and says where it computes in something else than was asked for, or by what nobody has tried.</summary>
    /// <exception cref="UsageException">An option is out of the model's range.</exception>
    public static Segmenter Load(string model, SegmenterOptions options, Host host)
    {
        try
        {
            Segmenter segmenter = Segmenter.Load(model, options);
            if (options.Device == DeviceKind.Cuda) host.Error.WriteLine(DeviceChoice.CudaWarning);
            foreach (string? warning in (string?[])[segmenter.PrecisionWarning, segmenter.PackedWeightsWarning])
                if (warning is not null) host.Error.WriteLine($"warning: {warning}");
            return segmenter;
        }
        catch (ArgumentException error)
        {
            throw new UsageException(error.Message);
        }
    }
}
