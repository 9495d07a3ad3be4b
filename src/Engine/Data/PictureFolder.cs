namespace ClipSegNative.Data;

/// <summary>
/// Finds pictures by the number in their names: <c>30.jpg</c> as PhraseCut has it, <c>000000000030.jpg</c> and
/// <c>COCO_val2014_000000000030.jpg</c> as COCO has it; JPEG, PNG, WebP and BMP.
/// </summary>
sealed class PictureFolder
{
    static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".webp", ".bmp"];   // of two pictures with one number, the earlier kind

    readonly Dictionary<long, string> _names = [];

    /// <exception cref="DataFileException">The folder is missing or cannot be read.</exception>
    public PictureFolder(string path)
    {
        Path = path;
        try
        {
            foreach (string file in Directory.EnumerateFiles(path))
            {
                string name = System.IO.Path.GetFileName(file);
                if (Rank(name) < 0 || !TryNumber(System.IO.Path.GetFileNameWithoutExtension(name), out long id)) continue;
                if (!_names.TryGetValue(id, out string? other) || IsBefore(name, other)) _names[id] = name;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataFileException($"{path}: the picture folder cannot be read ({error.Message.TrimEnd('.')}).", error);
        }
    }

    public string Path { get; }

    /// <summary>The file of a picture; null where there is none.</summary>
    public string? Find(long id) => _names.TryGetValue(id, out string? name) ? System.IO.Path.Combine(Path, name) : null;

    static bool TryNumber(string stem, out long id) => long.TryParse(stem.AsSpan(stem.LastIndexOf('_') + 1), System.Globalization.NumberStyles.None, null, out id);

    static int Rank(string name) => Array.IndexOf(Extensions, System.IO.Path.GetExtension(name).ToLowerInvariant());

    // Ties by name, so that the order in which the file system lists them does not matter.
    static bool IsBefore(string name, string other) => (Rank(name), name.Length).CompareTo((Rank(other), other.Length)) is var order && order != 0
        ? order < 0
        : string.CompareOrdinal(name, other) < 0;
}
