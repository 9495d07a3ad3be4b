namespace ClipSegNative.Data;

/// <summary>A data set to learn from, in memory: phrases and polygons, not pictures. Immutable, so safe to share between threads.</summary>
sealed class PhraseData
{
    /// <param name="tasks">With polygons; at least one.</param>
    /// <param name="problems">Gets tasks without polygons, which are left out, and points outside the picture.</param>
    /// <exception cref="DataFileException">Strict problems.</exception>
    public PhraseData(IEnumerable<(PhraseTask Task, DataPicture Picture)> tasks, DataProblems problems)
    {
        var samples = new List<PhraseSample>();
        var phrases = new Dictionary<string, int>();
        foreach ((PhraseTask task, DataPicture picture) in tasks)
        {
            string id = $"task {task.TaskId}";
            if (task.Instances is null)
            {
                problems.Skip(DataProblem.BrokenRecord, picture.Path, id, "has no Polygons to learn from");
                continue;
            }
            if (!phrases.TryGetValue(task.Phrase, out int phrase)) phrases[task.Phrase] = phrase = phrases.Count;
            var sample = new PhraseSample(task, picture, phrase);
            if (sample.PointsOutside() is > 0 and var outside)
                problems.Note(DataProblem.PointsOutside, picture.Path, id, $"has {outside} points outside its {picture.Width} x {picture.Height} pixels");
            samples.Add(sample);
        }
        (Samples, Phrases) = (samples, [.. phrases.Keys]);
    }

    public IReadOnlyList<PhraseSample> Samples { get; }

    /// <summary>The different phrases, in the order of their first sample.</summary>
    public IReadOnlyList<string> Phrases { get; }
}
