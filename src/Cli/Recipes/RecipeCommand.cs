using System.CommandLine;

namespace ClipSegNative.Cli.Recipes;

/// <summary>recipe: makes the default models from nothing, in one resumable run.</summary>
sealed class RecipeCommand : Command, IHasNotes
{
    readonly Option<string> _out = new("--out", "-o") { Description = "Folder for data, runs, scores and models, made where missing", HelpName = "DIR" };
    readonly Option<ulong> _seed = new("--seed") { Description = "Another one gives other scenes and other first weights; else 1", HelpName = "N", DefaultValueFactory = _ => 1 };
    readonly Option<bool> _quick = new("--quick") { Description = "Every stage in the smallest possible size: shows that all works, learns nothing" };
    readonly Option<string?> _config = new("--config") { Description = "A JSON file whose numbers, or stages, replace those of the same name; comments are allowed", HelpName = "FILE" };
    readonly Option<bool> _plan = new("--plan") { Description = "Only say what would be done" };
    readonly Option<bool> _print = new("--print-config") { Description = "Only print the recipe with its numbers, for --config" };

    public RecipeCommand(Host host) : base("recipe", "Makes the default models: renders scenes, trains a CLIP and both decoders, calibrates, judges.")
    {
        foreach (Option option in (Option[])[_out, _seed, _quick, _config, _plan, _print]) Options.Add(option);
        SetAction(parse => (int)Run(parse, host));
    }

    public string Notes => """
        Each stage is a command of this program; the plan shows them. The same call again skips what
        is finished and goes on with what was cut off; a changed number runs the stages that depend
        on it again. To repeat a stage, delete its file in DIR/stages. DIR/weights gets the models,
        each with a card of what was measured.

        """;

    ExitCode Run(ParseResult parse, Host host)
    {
        Recipe recipe = Recipe.Parse(Recipe.BuiltIn, "the recipe");
        TextWriter output = parse.InvocationConfiguration.Output;
        if (parse.GetValue(_config) is { } file) recipe = recipe.With(Recipe.Parse(Text(file), file));
        if (parse.GetValue(_print))
        {
            output.WriteLine(System.Text.Json.JsonSerializer.Serialize(recipe, RecipeJson.Default.Recipe));
            return ExitCode.Ok;
        }
        string folder = Path.GetFullPath(parse.GetValue(_out) ?? throw new UsageException("--out is missing: name a folder."));
        ulong seed = parse.GetValue(_seed);
        bool quick = parse.GetValue(_quick);
        IReadOnlyList<Stage> stages = recipe.Expand(folder, seed, quick);
        var run = new RecipeRun(folder, stages, host);
        if (parse.GetValue(_plan))
        {
            run.WritePlan(output);
            return ExitCode.Ok;
        }
        run.WritePlan(host.Error);
        ExitCode code = run.Run();
        if (code != ExitCode.Ok) return code;
        var scores = ScoreTable.Read(stages);
        string config = parse.GetValue(_config) is { } name ? $" --config {Path.GetFileName(name)}" : "";
        new ModelCards(folder, stages, run, scores, $"{CommandLine.Name} recipe --out DIR --seed {seed}{(quick ? " --quick" : "")}{config}", quick).Write(host);
        output.Write(scores.ToMarkdown());
        return ExitCode.Ok;
    }

    static string Text(string file)
    {
        try { return File.ReadAllText(file); }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--config {file}: cannot be read ({error.Message.TrimEnd('.')}).");
        }
    }
}
