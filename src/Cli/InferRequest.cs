namespace ClipSegNative.Cli;

/// <summary>What <c>infer</c> was asked for, as parsed.</summary>
sealed record InferRequest
{
    public const double DefaultMix = 0.5;

    public required IReadOnlyList<string> Images { get; init; }
    public required IReadOnlyList<string> Phrases { get; init; }
    public required string? Model { get; init; }
    public required SegmenterOptions Segmenter { get; init; }

    /// <summary>A picture of what to look for, mixed with every phrase or alone.</summary>
    public string? Like { get; init; }

    public string? LikeMask { get; init; }

    /// <summary>Share of the phrase.</summary>
    public double Mix { get; init; } = DefaultMix;

    /// <summary>What results are called: one name a prompt.</summary>
    public IReadOnlyList<string> Names => Phrases.Count == 0 ? [Prompt.NameOf(text: null, Like)] : [.. Phrases.Select(phrase => Prompt.NameOf(phrase, Like))];

    /// <summary>Null: beside each picture. '-': standard output.</summary>
    public string? Out { get; init; }

    public OutputKinds Kinds { get; init; }

    /// <summary>Null: the model's own.</summary>
    public float? Threshold { get; init; }

    /// <summary>The score below which a mask is empty; null: the model's own.</summary>
    public float? Presence { get; init; }

    /// <summary>Share of the picture below which a mask counts as nothing found; null: there is no such limit.</summary>
    public double? MinArea { get; init; }

    public bool Orient { get; init; }
    public bool JsonLines { get; init; }
    public bool Recursive { get; init; }
    public bool SkipExisting { get; init; }
    public bool Quiet { get; init; }
    public bool Verbose { get; init; }

    public bool ToPipe => Out == PictureInput.Pipe;

    /// <summary>Whether somebody reads masks; a heatmap does without.</summary>
    public bool NeedsMasks => JsonLines || (Kinds & (OutputKinds.Mask | OutputKinds.Overlay | OutputKinds.Cutout | OutputKinds.Json | OutputKinds.Labels)) != 0;
}
