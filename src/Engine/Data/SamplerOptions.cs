namespace ClipSegNative.Data;

/// <summary>What part of a picture a sample shows.</summary>
enum TrainingCrop
{
    /// <summary>All of it, so that its features can be kept.</summary>
    None,

    /// <summary>A square as long as the shorter side, at a place that shows enough of the target.</summary>
    Square,
}

/// <summary>The sentences that phrases are put in. The authors train on bare phrases, and on <see cref="ShufflePlus"/> together with visual prompts.</summary>
enum PhraseTemplates
{
    /// <summary>The phrase as it is.</summary>
    None,

    /// <summary>Always "a photo of a ...".</summary>
    Fixed,

    /// <summary>One of four.</summary>
    Shuffle,

    /// <summary>One of nine.</summary>
    ShufflePlus,
}

/// <summary>How samples are drawn; the defaults are the paper's for text prompts.</summary>
sealed record SamplerOptions
{
    /// <summary>The same seed gives the same samples.</summary>
    public ulong Seed { get; init; }

    /// <summary>Share of samples that get another's phrase and an empty target, in [0, 1].</summary>
    public double Negatives { get; init; } = 0.2;

    public PhraseTemplates Templates { get; init; }

    public TrainingCrop Crop { get; init; } = TrainingCrop.Square;

    /// <summary>Whether every second sample is mirrored. Not the authors'; phrases that name a side never are.</summary>
    public bool Flip { get; init; }

    /// <summary>Whether a second picture with the same phrase is drawn, to prompt with.</summary>
    public bool VisualPrompts { get; init; }

    /// <summary>With a visual prompt, the text's weight is uniform from 0 to this; the picture has the rest. The authors' code has 0.5, the paper 1.</summary>
    public double MaxTextWeight { get; init; } = 0.5;
}
