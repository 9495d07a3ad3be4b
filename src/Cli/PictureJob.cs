namespace ClipSegNative.Cli;

/// <summary>A picture and where its results go.</summary>
/// <param name="Input">The picture.</param>
/// <param name="Paths">The names of its results.</param>
/// <param name="Error">Why it cannot be done, if that is known beforehand.</param>
sealed record PictureJob(PictureInput Input, ResultPaths Paths, string? Error)
{
    /// <summary>
    /// Pictures of one stem that would share a folder keep their extension in the names of their results; where even that does not tell them apart,
    /// or a result would replace a picture, the later one fails.
    /// </summary>
    /// <param name="inputs">In order.</param>
    /// <param name="folder">Null: beside each picture.</param>
    /// <param name="kinds">What will be written; nothing cannot collide.</param>
    /// <param name="slugs">Of the phrases.</param>
    public static IReadOnlyList<PictureJob> Plan(IReadOnlyList<PictureInput> inputs, string? folder, OutputKinds kinds, IReadOnlyList<string> slugs)
    {
        // A file system may ignore case: compared so everywhere, names do not depend on the machine.
        ILookup<string, PictureInput> byStem = inputs.Where(input => input.Error is null)
            .ToLookup(input => Key(Prefix(input, folder, Stem(input))), StringComparer.OrdinalIgnoreCase);
        var claimed = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var pictures = inputs.Where(input => input.Path is not null).Select(input => Path.GetFullPath(input.Path!)).ToHashSet();
        return [.. inputs.Select(Make)];

        PictureJob Make(PictureInput input)
        {
            string prefix = Prefix(input, folder, Stem(input));
            if (byStem[Key(prefix)].Skip(1).Any()) prefix = Prefix(input, folder, input.FileName);
            var paths = new ResultPaths(prefix);
            if (input.Error is not null || kinds == OutputKinds.None) return new(input, paths, input.Error);
            if (!claimed.TryAdd(Key(prefix), input.Name))
            {
                string first = claimed[Key(prefix)];
                return new(input, paths, $"{input.Name} is left out: its results would replace those of {first}; give their folder instead, or call twice.");
            }
            string? victim = paths.All(kinds, slugs).FirstOrDefault(path => pictures.Contains(Path.GetFullPath(path)));
            return new(input, paths, victim is null ? null : $"{input.Name} is left out: its result would replace the picture {victim}.");
        }
    }

    static string Stem(PictureInput input) => Path.GetFileNameWithoutExtension(input.FileName);

    static string Prefix(PictureInput input, string? folder, string stem) =>
        Path.Combine(folder is null ? Path.GetDirectoryName(input.Path) ?? "" : Path.Combine(folder, input.Below), stem);

    static string Key(string prefix) => Path.GetFullPath(prefix);
}
