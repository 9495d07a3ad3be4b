namespace ClipSegNative.Data;

/// <summary>Which part of a data set is used.</summary>
/// <param name="Limit">The first so many phrases; null for all.</param>
/// <param name="Images">Only phrases about these pictures; null for all.</param>
sealed record DataSubset(int? Limit = null, IReadOnlySet<long>? Images = null)
{
    public static readonly DataSubset All = new();

    /// <summary>Reads picture numbers, one a line; empty lines and those that begin with # are passed over.</summary>
    /// <exception cref="DataFileException">The file cannot be read, or a line is no whole number.</exception>
    public static IReadOnlySet<long> ReadImages(string path)
    {
        try
        {
            var images = new HashSet<long>();
            int number = 0;
            foreach (string line in File.ReadLines(path))
            {
                number++;
                ReadOnlySpan<char> text = line.AsSpan().Trim();
                if (text.IsEmpty || text[0] == '#') continue;
                if (!long.TryParse(text, out long id)) throw new DataFileException($"{path}: line {number} is '{text}', not the number of a picture.");
                images.Add(id);
            }
            return images;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataFileException($"{path}: cannot be read ({error.Message.TrimEnd('.')}).", error);
        }
    }
}
