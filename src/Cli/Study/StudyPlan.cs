using System.Text.Json.Serialization;
using ClipSegNative.Training;

namespace ClipSegNative.Cli.Study;

/// <summary>What <c>compare</c> was asked for: everything that the numbers depend on.</summary>
sealed record StudyPlan
{
    public const string Trained = "trained", Random = "random";

    /// <summary>Folder of scenes to learn from.</summary>
    public required string Data { get; init; }
    /// <summary>Folder of scenes to judge by.</summary>
    public required string Val { get; init; }
    /// <summary>A model folder with the frozen towers.</summary>
    public required string Clip { get; init; }
    public required IReadOnlyList<string> Decoders { get; init; }
    /// <summary>From the smallest.</summary>
    public required IReadOnlyList<string> Sizes { get; init; }
    public required IReadOnlyList<string> Losses { get; init; }
    public required IReadOnlyList<ulong> Seeds { get; init; }
    /// <summary>Optimiser steps of every run.</summary>
    public long Steps { get; init; } = 600;
    public int Batch { get; init; } = 16;
    public double LearningRate { get; init; } = 1e-3;
    /// <summary>Whether some decoders also train on an image tower of random values.</summary>
    public bool RandomTower { get; init; }
    /// <summary>The first so many phrases of each set; 0 for all.</summary>
    public int Limit { get; init; }
    /// <summary>Phrases of each validation on the way.</summary>
    public int ValLimit { get; init; } = 128;

    /// <summary>
    /// Every decoder with every size, loss and seed, the seeds outermost, so that a study that is looked at early has all kinds; then, on the random tower,
    /// each decoder of the largest size with the last loss.
    /// </summary>
    [JsonIgnore]
    public IEnumerable<StudyRun> Runs =>
    [
        .. from seed in Seeds from decoder in Decoders from size in Sizes from loss in Losses select new StudyRun(Trained, decoder, size, loss, seed),
        .. from seed in Seeds from decoder in Decoders where RandomTower select new StudyRun(Random, decoder, Sizes[^1], Losses[^1], seed),
    ];

    /// <summary>The same wherever the program is started next.</summary>
    public StudyPlan WithFullPaths() => this with { Data = Path.GetFullPath(Data), Val = Path.GetFullPath(Val), Clip = Path.GetFullPath(Clip) };

    /// <summary>What a run trains by: whole pictures, so that features are kept, and the negatives that the data bring.</summary>
    /// <param name="run">One of <see cref="Runs"/>.</param>
    /// <param name="clip">The folder of its towers.</param>
    public TrainingSettings Settings(StudyRun run, string clip) => new()
    {
        Data = Path.Combine(Data, "refer_train.json"),
        Val = Path.Combine(Val, "refer_seen.json"),
        Clip = clip,
        Decoder = run.Decoder,
        Size = run.Size,
        Loss = run.Loss,
        Seed = run.Seed,
        Steps = Steps,
        Batch = Batch,
        LearningRate = LearningRate,
        MinLearningRate = LearningRate / 10,
        WarmUp = Steps / 20,
        Negatives = 0,
        Crop = "none",
        Limit = Limit,
        ValLimit = ValLimit,
        ValidateEvery = Math.Max(1, Steps / 10),
        SaveEvery = Math.Max(1, Steps / 4),
        Samples = 0,
        Threads = 1,
    };
}

/// <summary>One training.</summary>
/// <param name="Tower">trained or random.</param>
/// <param name="Decoder">transformer or conv.</param>
/// <param name="Size">As <c>train --size</c> takes it.</param>
/// <param name="Loss">As <c>train --loss</c> takes it.</param>
/// <param name="Seed">Of the decoder's first values and of the order of the data.</param>
sealed record StudyRun(string Tower, string Decoder, string Size, string Loss, ulong Seed)
{
    /// <summary>Of its folder.</summary>
    [JsonIgnore]
    public string Name => $"{Kind.Replace(' ', '-')}-{Seed}";

    /// <summary>What the runs of all seeds have in common.</summary>
    [JsonIgnore]
    public string Kind => $"{(Tower == StudyPlan.Random ? "random tower " : "")}{Decoder} {Size} {Loss}";
}
