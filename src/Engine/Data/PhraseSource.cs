using ClipSegNative.Imaging;

namespace ClipSegNative.Data;

/// <summary>Phrases and their pictures on disk: a PhraseCut folder, or one annotation file with a folder of pictures.</summary>
/// <remarks>Safe to read from several times, not from several threads at once.</remarks>
sealed class PhraseSource
{
    readonly IReadOnlyList<string> _referFiles;
    readonly PictureFolder _pictures;
    readonly IReadOnlyDictionary<long, AnnotatedSize>? _sizes;
    readonly DataProblems _problems;
    readonly Dictionary<long, DataPicture?> _found = [];   // null: not usable, and said so

    PhraseSource(IReadOnlyList<string> referFiles, string pictureFolder, string folder, DataProblems problems)
    {
        (_referFiles, _pictures, _problems) = (referFiles, new PictureFolder(pictureFolder), problems);
        _sizes = PhraseCutFolder.ReadSizes(folder, problems);
    }

    /// <summary>
    /// Opens what <c>--data</c> names: an annotation file (<c>refer_train.json</c>), a PhraseCut folder, or one with its splits
    /// (<c>phrasecut/val</c>, <c>phrasecut/val_miniv</c>).
    /// </summary>
    /// <param name="data">An annotation file, or a folder, with or without splits.</param>
    /// <param name="pictures">The folder of the pictures; null for <c>images</c> beside the annotation files.</param>
    /// <param name="split">What a folder without splits means.</param>
    /// <param name="problems">Gets broken records and missing pictures, now and while reading.</param>
    /// <exception cref="DataFileException">There is no such file, folder or split, or no folder of pictures; strict problems.</exception>
    public static PhraseSource Open(string data, string? pictures, string split, DataProblems problems)
    {
        string path = Directory.Exists(data) ? Path.Combine(data, split) : data;
        string folder = Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : ".";
        IReadOnlyList<string> files = File.Exists(path) ? [path] : PhraseCutFolder.ReferFiles(folder, Path.GetFileName(path));
        return new PhraseSource(files, pictures ?? Path.Combine(folder, "images"), folder, problems);
    }

    /// <summary>Streams the tasks of all files whose pictures are there.</summary>
    /// <exception cref="DataFileException">A file cannot be read; strict problems.</exception>
    public IEnumerable<(PhraseTask Task, DataPicture Picture)> Read(DataSubset subset)
    {
        var tasks = from file in _referFiles
                    from task in ReferFile.Read(file, _problems)
                    where subset.Images?.Contains(task.ImageId) != false
                    let picture = Picture(task.ImageId)
                    where picture is not null
                    select (task, picture);
        return subset.Limit is { } limit ? tasks.Take(limit) : tasks;
    }

    DataPicture? Picture(long id)
    {
        if (!_found.TryGetValue(id, out DataPicture? picture)) _found[id] = picture = Look(id);
        return picture;
    }

    DataPicture? Look(long id)
    {
        if (_sizes is not null && PhraseCutFolder.WrongSizes.Contains(id)) return null;
        string? path = _pictures.Find(id);
        if (path is null)
        {
            _problems.Skip(DataProblem.BrokenPicture, _pictures.Location, $"picture {id}", "is missing");
            return null;
        }
        if (_sizes?.TryGetValue(id, out AnnotatedSize? size) == true) return new DataPicture(id, path, size.Width, size.Height);
        try
        {
            (int width, int height) = PictureHeader.ReadSize(path);
            return new DataPicture(id, path, width, height);
        }
        catch (PictureException error)
        {
            _problems.Skip(error, path, id);
            return null;
        }
    }
}
