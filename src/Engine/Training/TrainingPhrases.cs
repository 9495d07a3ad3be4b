using ClipSegNative.Data;

namespace ClipSegNative.Training;

/// <summary>The phrases of a run.</summary>
/// <param name="Training">To learn from, drawn as the settings say.</param>
/// <param name="Plain">To judge and draw by, as they are, on whole pictures: those of <see cref="TrainingSettings.Val"/>, else the training phrases.</param>
/// <param name="Problems">What was wrong with them, and what loading will find.</param>
sealed record TrainingPhrases(PhraseSampler Training, PhraseSampler Plain, DataProblems Problems)
{
    /// <param name="settings">Checked.</param>
    /// <param name="report">Gets a line a problem.</param>
    /// <exception cref="DataFileException">There are none, a file cannot be read, or strict problems.</exception>
    public static TrainingPhrases Read(TrainingSettings settings, Action<string> report)
    {
        var problems = new DataProblems(settings.Strict, report);
        PhraseData training = Read(settings.Data, "train", settings.Images, settings.Limit, problems);
        PhraseData plain = settings.Val is null ? training : Read(settings.Val, "val", settings.ValImages ?? settings.Images, settings.ValLimit, problems);
        return Of(settings, training, plain, problems);
    }

    /// <summary>Of data that were read already, for several runs perhaps.</summary>
    public static TrainingPhrases Of(TrainingSettings settings, PhraseData training, PhraseData plain, DataProblems problems)
    {
        var drawing = new SamplerOptions
        {
            Seed = settings.Seed,
            Negatives = settings.Negatives,
            Crop = settings.WholePictures ? TrainingCrop.None : TrainingCrop.Square,
            Flip = settings.Flip,
            VisualPrompts = settings.VisualPrompts,
            Templates = settings.Templates switch
            {
                "fixed" => PhraseTemplates.Fixed,
                "shuffle" => PhraseTemplates.Shuffle,
                "shuffle+" => PhraseTemplates.ShufflePlus,
                _ => PhraseTemplates.None,
            },
        };
        var judging = new SamplerOptions { Seed = settings.Seed, Negatives = 0, Crop = TrainingCrop.None };
        return new TrainingPhrases(new PhraseSampler(training, drawing), new PhraseSampler(plain, judging), problems);
    }

    static PhraseData Read(string data, string split, string? images, int limit, DataProblems problems) =>
        new(PhraseSource.Open(data, images, split, problems).Read(new DataSubset(limit == 0 ? null : limit)), problems);
}
