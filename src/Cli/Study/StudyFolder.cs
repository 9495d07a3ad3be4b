using System.Text.Json;
using ClipSegNative.Training;

namespace ClipSegNative.Cli.Study;

/// <summary>
/// The folder of a study: <c>study.json</c> (the plan), <c>baselines.json</c>, <c>runs/NAME/</c> (run folders, each with a <c>result.json</c> when it has
/// ended), <c>towers-trained/</c> and <c>towers-random/</c> (features of all pictures).
/// </summary>
sealed class StudyFolder(string path)
{
    public string Location => path;

    string Plan => Path.Combine(path, "study.json");

    string BaselinesFile => Path.Combine(path, "baselines.json");

    /// <summary>Where a random image tower lies.</summary>
    public string RandomClip => Path.Combine(path, "clip-random");

    /// <summary>A run folder for a kind of tower, which is never trained in: it has the features.</summary>
    public RunFolder Towers(string tower) => new(Path.Combine(path, $"towers-{tower}"));

    public RunFolder Run(StudyRun run) => new(Path.Combine(path, "runs", run.Name));

    /// <summary>Takes the folder for a plan, or goes on where the same plan was begun.</summary>
    /// <exception cref="UsageException">Something else lies there.</exception>
    public void Begin(StudyPlan plan)
    {
        if (File.Exists(Plan))
        {
            // Runs that were done stay, whatever is added to the lists; all else must be as it was.
            if (Text(Alike(StudyJson.Read(Plan, StudyJson.Default.StudyPlan))) != Text(Alike(plan)))
                throw new UsageException($"{path} holds a study of other settings (see {Plan}): name another --out.");
        }
        else if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw new UsageException($"{path} is not empty and holds no study: name another --out.");
        }
        Directory.CreateDirectory(Path.Combine(path, "runs"));
        StudyJson.Write(Plan, plan, StudyJson.Default.StudyPlan);
    }

    /// <summary>Null where the run has not ended.</summary>
    /// <exception cref="DataFileException">Its result is damaged.</exception>
    public RunResult? Result(StudyRun run)
    {
        string file = ResultFile(run);
        return File.Exists(file) ? StudyJson.Read(file, StudyJson.Default.RunResult) : null;
    }

    public void Write(RunResult result) => StudyJson.Write(ResultFile(result.Run), result, StudyJson.Default.RunResult);

    /// <summary>[set][baseline].</summary>
    public void Write(Dictionary<string, Dictionary<string, SetScore>> baselines) => StudyJson.Write(BaselinesFile, baselines, StudyJson.Default.Baselines);

    string ResultFile(StudyRun run) => Path.Combine(Run(run).Location, RunResult.FileName);

    static StudyPlan Alike(StudyPlan plan) => plan with { Decoders = [], Sizes = [], Losses = [], Seeds = [], RandomTower = false };

    static string Text(StudyPlan plan) => JsonSerializer.Serialize(plan, StudyJson.Default.StudyPlan);
}
