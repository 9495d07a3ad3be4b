namespace ClipSegNative.Data;

/// <summary>What can be wrong with data.</summary>
enum DataProblem
{
    /// <summary>A file ends early or is no list of records; what follows in it is lost.</summary>
    BrokenFile,

    /// <summary>A record is no JSON, lacks a key or holds a value of the wrong kind.</summary>
    BrokenRecord,

    /// <summary>A record's id stands in the file already.</summary>
    DuplicateId,

    /// <summary>A polygon has fewer than two points.</summary>
    BrokenPolygon,

    /// <summary>Points lie outside the picture. Rasterising copes; nothing is left out.</summary>
    PointsOutside,

    /// <summary>A picture is missing, cannot be decoded, or has not the annotated size, so that polygons would not fit it.</summary>
    BrokenPicture,
}

/// <summary>
/// Collects what is wrong with data, one line each: by default the bad part is left out and counted; strictly, the first one ends the work.
/// Safe to call from several threads.
/// </summary>
/// <param name="strict">Whether what would be left out throws.</param>
/// <param name="report">Gets each line as it arises, on the thread that found it.</param>
sealed class DataProblems(bool strict = false, Action<string>? report = null)
{
    const int KeptLines = 100;
    const int ShownCharacters = 200;

    readonly Lock _lock = new();
    readonly int[] _counts = new int[Enum.GetValues<DataProblem>().Length];
    readonly List<string> _lines = [];

    public bool Strict => strict;

    /// <summary>The first 100 lines, in the order found.</summary>
    public IReadOnlyList<string> Lines
    {
        get { lock (_lock) return [.. _lines]; }
    }

    /// <summary>All problems of all kinds.</summary>
    public int Total
    {
        get { lock (_lock) return _counts.Sum(); }
    }

    public int Count(DataProblem kind)
    {
        lock (_lock) return _counts[(int)kind];
    }

    /// <summary>Something bad that is left out.</summary>
    /// <param name="kind">What is counted.</param>
    /// <param name="file">The file it stands in.</param>
    /// <param name="id">Which task, picture or record; may come from the file as it is.</param>
    /// <param name="what">What is wrong with it, as in "has no phrase".</param>
    /// <exception cref="DataFileException">Strict: the same line.</exception>
    public void Skip(DataProblem kind, string file, string id, string what)
    {
        if (strict) throw new DataFileException(Line(file, id, what));
        Note(kind, file, id, what);
    }

    /// <summary>A picture that cannot be read and is left out.</summary>
    /// <exception cref="DataFileException">Strict: the same line.</exception>
    public void Skip(PictureException error, string file, long id)
    {
        // Its message begins with the file, as the line does.
        string what = error.Message.StartsWith(file, StringComparison.Ordinal) ? error.Message[file.Length..].TrimStart() : error.Message;
        Skip(DataProblem.BrokenPicture, file, $"picture {id}", what.TrimEnd('.'));
    }

    /// <summary>Something odd that is used all the same; never throws.</summary>
    public void Note(DataProblem kind, string file, string id, string what)
    {
        string line = Line(file, id, what);
        lock (_lock)
        {
            _counts[(int)kind]++;
            if (_lines.Count < KeptLines) _lines.Add(line);
        }
        report?.Invoke(line);
    }

    static string Line(string file, string id, string what) => $"{file}: {Shown(id)} {Shown(what)}.";

    /// <summary>Ids and values come from the file: whatever they hold, a problem is one line.</summary>
    static string Shown(string text)
    {
        string shown = text.Length <= ShownCharacters ? text : $"{text.AsSpan(0, ShownCharacters)}…";
        return shown.Any(char.IsControl) ? string.Concat(shown.Select(c => char.IsControl(c) ? ' ' : c)) : shown;
    }
}
