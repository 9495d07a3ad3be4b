using System.CommandLine;
using ClipSegNative.Data.Scenes;

namespace ClipSegNative.Cli;

/// <summary>data scenes: a synthetic data set in PhraseCut's format.</summary>
static class DataCommand
{
    const int DefaultSide = 96, LeastSide = 32, MostSide = 2048, MostPictures = 999_999;

    public static Command Make(Host host) => new("data", "Makes data to train and judge on.") { MakeScenes(host) };

    static Command MakeScenes(Host host)
    {
        var folder = new Option<string>("--out", "-o") { Description = "The folder, made where missing; must be empty", HelpName = "DIR", Required = true };
        Option<int?> count = OptionValues.Of<int>("--count", "N", "Pictures", $"a whole number from 1 to {MostPictures}",
            (string text, out int value) => OptionValues.TryCount(text, 1, out value) && value <= MostPictures);
        var seed = new Option<ulong>("--seed") { Description = "The same seed gives the same bytes; else 0", HelpName = "N" };
        Option<int?> side = OptionValues.Of<int>("--size", "PX", $"Side of a picture; else {DefaultSide}", $"a whole number from {LeastSide} to {MostSide}",
            (string text, out int value) => OptionValues.TryCount(text, LeastSide, out value) && value <= MostSide);
        var quiet = new Option<bool>("--quiet", "-q") { Description = "No progress" };
        count.Required = true;
        var command = new Command("scenes", "Renders scenes of shapes, with phrases that need more than colour, and what is true of them.") { folder, count, seed, side, quiet };
        command.SetAction(parse =>
        {
            string target = parse.GetRequiredValue(folder);
            int pictures = parse.GetRequiredValue(count)!.Value;
            if (File.Exists(target)) throw new UsageException($"{target} is a file; name a folder.");
            if (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()) throw new UsageException($"{target} is not empty; name a new folder.");
            Progress.Run(host, pictures, "scenes", parse.GetValue(quiet), progress => SceneSet.Write(
                target, parse.GetValue(seed), pictures, parse.GetValue(side) ?? DefaultSide, _ => progress.Advance(), host.Interrupted));
            host.Error.WriteLine($"{target}: {pictures} scenes.");
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
