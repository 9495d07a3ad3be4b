using ClipSegNative.Data;

namespace ClipSegNative.Cli.Study;

/// <summary>The phrases of a study, read once for all runs.</summary>
sealed class StudyData
{
    /// <summary>The sets that are scored, as <c>data scenes</c> names them; only the first must be there.</summary>
    public static readonly IReadOnlyList<string> SetNames = ["seen", "unseen", "unseen_shapes", "relations", "negative", "nearmiss"];

    /// <exception cref="DataFileException">There is nothing to learn from or to judge by, or a file cannot be read.</exception>
    public StudyData(StudyPlan plan, DataProblems problems)
    {
        Problems = problems;
        Training = Read(plan.Data, "train", plan.Limit, problems);
        Curve = Read(plan.Val, "seen", plan.ValLimit, problems);
        Sets = SetNames.Where((name, i) => i == 0 || File.Exists(FileOf(plan.Val, name))).ToDictionary(name => name, name => Read(plan.Val, name, plan.Limit, problems));
        string scenes = Path.Combine(plan.Val, SceneObjects.FileName);
        if (File.Exists(scenes)) Scenes = new SceneObjects(scenes, problems);
    }

    public DataProblems Problems { get; }

    public PhraseData Training { get; }

    /// <summary>For validations on the way.</summary>
    public PhraseData Curve { get; }

    /// <summary>By name, in the order of <see cref="SetNames"/>.</summary>
    public IReadOnlyDictionary<string, PhraseData> Sets { get; }

    /// <summary>Null where the folder does not say what is in its pictures.</summary>
    public SceneObjects? Scenes { get; }

    public IEnumerable<PhraseData> All => [Training, .. Sets.Values];

    public int Pictures => All.SelectMany(data => data.Samples).Select(sample => sample.Picture.Path).Distinct().Count();

    static string FileOf(string folder, string set) => Path.Combine(folder, $"refer_{set}.json");

    static PhraseData Read(string folder, string set, int limit, DataProblems problems) =>
        new(PhraseSource.Open(FileOf(folder, set), pictures: null, set, problems).Read(new DataSubset(limit == 0 ? null : limit)), problems);
}
