using System.Text;
using ClipSegNative.Calibration;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli.Recipes;

/// <summary>Writes the README.md of each model that a recipe made: every number in it was measured or is a setting.</summary>
sealed class ModelCards(string folder, IReadOnlyList<Stage> stages, RecipeRun run, ScoreTable scores, string command, bool quick)
{
    const string FileName = "README.md", Models = "weights";

    /// <exception cref="IOException">A card cannot be written.</exception>
    /// <exception cref="ModelFileException">A model of the recipe cannot be read.</exception>
    public void Write(Host host)
    {
        string models = Path.Combine(folder, Models);
        if (!Directory.Exists(models)) return;
        foreach (string model in Directory.EnumerateDirectories(models).Order(StringComparer.Ordinal))
        {
            byte[] card = Encoding.UTF8.GetBytes(Card(model));
            lock (host.Writing) AtomicFile.Write(Path.Combine(model, FileName), stream => stream.Write(card));
        }
    }

    string Card(string model)
    {
        ClipSegConfig config = ClipSegConfig.Read(model);
        PreprocessorConfig pictures = PreprocessorConfig.Read(model);
        long decoder = ClipSegTensors.Decoder(config).Sum(tensor => tensor.Shape.Elements), all = ClipSegTensors.All(config).Sum(tensor => tensor.Shape.Elements);
        double megabytes = new FileInfo(Path.Combine(model, WeightFiles.Single)).Length / 1e6, minutes = stages.Sum(stage => run.StampOf(stage)?.Seconds ?? 0) / 60;
        string[] version = MachineInfo.ProgramVersion.Split('+', 2);
        return FormattableString.Invariant($"""
            # {Path.GetFileName(model)}
            {(quick ? "**Made by a quick run: it has learnt nothing.**\n\n" : "")}A small CLIP and a {(config.Conv is null ? "transformer" : "convolutional")} decoder that find what phrases name in **rendered scenes** of simple shapes: "a red star", "the small striped ring". Trained from nothing by ClipSegNative {version[0]} ({version.ElementAtOrDefault(1) ?? "no commit known"}); no pictures or weights of others are in it. MIT, as the project.

            {all:N0} parameters, {decoder:N0} of them in the decoder; {megabytes:0.0} MB; works at {pictures.Width} x {pictures.Height}. Image tower: {config.Vision.Layers} layers of {config.Vision.HiddenSize}, patches of {config.Vision.PatchSize}; text tower: {config.Text.Layers} layers of {config.Text.HiddenSize}, {config.Text.VocabularySize} tokens.

            ## Limits
            It knows the shapes, colours, patterns and sizes of `data scenes` and the words for them, nothing else. Of photographs it understands nothing: for those, `clipseg-native weights pull clipseg-rd64-refined`. What it reaches on shapes that its decoder never saw, on relations and on small targets stands in the table; a score below it is to be expected on scenes drawn otherwise.

            ## Scores
            On scenes that no stage trained on or was calibrated with. "large" leaves out targets that cover less of the picture than `--min-area` in the last commands below, which measured this; threshold and presence as stored. Beside the models: `colour` has perfect masks of everything of the colour that the phrase names, `background` finds nothing, `foreground` everything.

            {scores.ToMarkdown()}
            {Calibrated(model)}
            ## Recipe
            {stages.Count} stages, {minutes:0} minutes in all where this was made. The whole of it: `{command}`. Step by step, with every seed and number:

            ```sh
            {string.Join('\n', stages.Select(stage => $"{CommandLine.Name} {stage.Shown}{(stage.Scores ? $" > {Shown(stage.Makes)}" : "")}"))}
            ```

            """);
    }

    static string Calibrated(string model) => SegmentationConfig.Read(model) is not { Fitted: { } fitted } config ? "" : FormattableString.Invariant($"""

        Calibrated on validation scenes ({fitted.Present} phrases present, {fitted.Absent} absent, {fitted.NearMisses} nearly): threshold {config.Threshold:0.##}, presence {config.PresenceThreshold:0.###}; there, mean IoU {fitted.MeanIoU:0.000} and empty masks {fitted.AbsentEmpty:0.000} and {fitted.NearMissEmpty:0.000}{(fitted.FloorsMet ? "" : " (**the floors could not be met**)")}.

        """);

    string Shown(string path) => Path.Combine("DIR", Path.GetRelativePath(folder, path));
}
