using System.Globalization;

namespace ClipSegNative.Data;

/// <summary>
/// Finds pictures by the number in their names: <c>30.jpg</c> as PhraseCut has it, <c>000000000030.jpg</c> and
/// <c>COCO_val2014_000000000030.jpg</c> as COCO has it; JPEG, PNG, WebP and BMP.
/// </summary>
sealed class PictureFolder
{
    static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".webp", ".bmp"];   // the earlier ones first

    readonly Dictionary<long, string> _names = [];

    /// <exception cref="DataFileException">The folder is missing or cannot be read.</exception>
    public PictureFolder(string location)
    {
        Location = location;
        try
        {
            foreach (string file in Directory.EnumerateFiles(location))
            {
                string name = Path.GetFileName(file);
                if (Rank(name) < 0 || !TryNumber(name, out long id)) continue;
                if (!_names.TryGetValue(id, out string? other) || Order(name).CompareTo(Order(other)) < 0) _names[id] = name;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataFileException($"{location}: the picture folder cannot be read ({error.Message.TrimEnd('.')}).", error);
        }
    }

    public string Location { get; }

    /// <summary>The file of a picture; null where there is none.</summary>
    public string? Find(long id) => _names.TryGetValue(id, out string? name) ? Path.Combine(Location, name) : null;

    static bool TryNumber(string name, out long id)
    {
        ReadOnlySpan<char> stem = Path.GetFileNameWithoutExtension(name.AsSpan());
        return long.TryParse(stem[(stem.LastIndexOf('_') + 1)..], NumberStyles.None, null, out id);
    }

    /// <summary>Which of two pictures with one number is taken does not depend on how the file system lists them.</summary>
    static (int, int, string) Order(string name) => (Rank(name), name.Length, name);

    static int Rank(string name) => Array.IndexOf(Extensions, Path.GetExtension(name).ToLowerInvariant());
}
