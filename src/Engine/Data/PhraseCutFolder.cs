using System.Text.Json;

namespace ClipSegNative.Data;

/// <summary>A picture's size as its annotators saw it.</summary>
sealed record AnnotatedSize(long Id, int Width, int Height);

/// <summary>PhraseCut as published: <c>refer_*.json</c>, the list of pictures, and <c>images/</c>.</summary>
/// <remarks>VGPhraseCut_v0, github.com/ChenyunWu/PhraseCutDataset.</remarks>
static class PhraseCutFolder
{
    /// <summary>So that no annotated picture has more pixels than are read.</summary>
    const int LargestSide = 10_000;

    /// <summary>The list of pictures goes by the first name in the publication and by the second in its loader.</summary>
    static readonly string[] PictureLists = ["image_data_split3000.json", "image_data_split.json"];

    /// <summary>Pictures whose annotated size is not that of the file; CLIPSeg's authors leave them out as well.</summary>
    public static IReadOnlySet<long> WrongSizes { get; } = new HashSet<long>
    {
        61530, 61564, 150333, 150344, 150417, 150516, 285665, 285743, 285761, 285814, 286065, 286093, 498010, 498042, 498187, 498246, 498269,
    };

    /// <summary>The annotation file of a split, or those of several joined by _, as in <c>val_miniv</c>.</summary>
    /// <exception cref="DataFileException">One is missing.</exception>
    public static IReadOnlyList<string> ReferFiles(string folder, string splits)
    {
        string[] names = File.Exists(ReferFile(splits)) ? [splits] : splits.Split('_');
        string[] files = [.. names.Select(ReferFile)];
        string? missing = Array.Find(files, file => !File.Exists(file));
        return missing is null
            ? files
            : throw new DataFileException($"{missing}: is missing; name an annotation file, or a PhraseCut folder and its split, as in phrasecut/train.");

        string ReferFile(string split) => Path.Combine(folder, $"refer_{split}.json");
    }

    /// <summary>Sizes of all pictures; null where the folder has no list of them.</summary>
    /// <exception cref="DataFileException">The list cannot be read; strict problems.</exception>
    public static IReadOnlyDictionary<long, AnnotatedSize>? ReadSizes(string folder, DataProblems problems)
    {
        string? list = PictureLists.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (list is null) return null;
        var sizes = new Dictionary<long, AnnotatedSize>();
        foreach (AnnotatedSize size in JsonRecords.Read(list, "picture", "image_id", (fields, _) => Size(fields), problems)) sizes[size.Id] = size;
        return sizes;

        static AnnotatedSize Size(JsonElement fields) =>
            new(JsonFields.Whole(fields, "image_id"), Side(JsonFields.Whole(fields, "width")), Side(JsonFields.Whole(fields, "height")));

        static int Side(long side) => side is > 0 and <= LargestSide ? (int)side : throw new FormatException($"has a side of {side} pixels");
    }
}
