using ClipSegNative.Evaluation;

namespace ClipSegNative.Cli;

/// <summary>What <c>evaluate</c> was asked for.</summary>
sealed record EvaluateRequest
{
    /// <summary>An annotation file, or a split of a PhraseCut folder.</summary>
    public required string Data { get; init; }

    /// <summary>The folder of the pictures; null for none, which predictions allow.</summary>
    public string? Images { get; init; }

    /// <summary>Null for the environment's; no part where there are <see cref="Predictions"/>.</summary>
    public string? Model { get; init; }

    /// <summary>The folder of predictions; null where a model predicts.</summary>
    public string? Predictions { get; init; }

    /// <summary>Which reader without learning predicts instead; null for none.</summary>
    public Baseline? Baseline { get; init; }

    public EvaluationProtocol Protocol { get; init; }

    /// <summary>Null for the model's own.</summary>
    public float? Threshold { get; init; }

    /// <summary>The score below which a mask is empty; null for the model's own.</summary>
    public float? Presence { get; init; }

    /// <summary>Share of the picture, below which targets are left out.</summary>
    public double MinArea { get; init; }

    public bool Json { get; init; }

    /// <summary>A file for a line a task; null for none.</summary>
    public string? Csv { get; init; }

    /// <summary>Bad data ends the run.</summary>
    public bool Strict { get; init; }

    public bool Quiet { get; init; }

    public SegmenterOptions Segmenter { get; init; } = new();
}
