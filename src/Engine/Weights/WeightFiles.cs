using System.Security.Cryptography;
using System.Text;
using ClipSegNative.Weights.PyTorch;

namespace ClipSegNative.Weights;

/// <summary>Finds the weights of a model folder.</summary>
static class WeightFiles
{
    public const string Extension = ".safetensors";
    public const string Single = "model.safetensors";
    public const string Index = "model.safetensors.index.json";
    public const string PyTorch = "pytorch_model.bin";

    /// <summary>What a model folder holds, in the order of preference.</summary>
    static readonly string[] FolderFiles = [Single, Index, PyTorch];

    /// <summary>The folder that a model's other files lie in.</summary>
    /// <param name="folderOrFile">As for <see cref="Open"/>.</param>
    public static string FolderOf(string folderOrFile) => File.Exists(folderOrFile) ? Path.GetDirectoryName(Path.GetFullPath(folderOrFile))! : folderOrFile;

    /// <summary>Opens weights of any kind that is read; names of OpenAI's and CLIPSeg's authors' files are canonical then.</summary>
    /// <param name="folderOrFile">A folder with one of the files that Hugging Face's models have, or a .safetensors, index or PyTorch file of any name.</param>
    /// <exception cref="ModelFileException">Nothing that is read lies there, or it is damaged.</exception>
    public static IWeightSource Open(string folderOrFile)
    {
        string file = Find(folderOrFile);
        if (file.EndsWith(Index, StringComparison.OrdinalIgnoreCase)) return new ShardedWeights(file);
        return ForeignNames.Resolve(file.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) ? new SafetensorsFile(file) : new PyTorchFile(file));
    }

    /// <summary>Tells weights from others without reading them: sizes, times of change, and what lies at both ends of each file, names and shapes among it.</summary>
    /// <param name="folderOrFile">As for <see cref="Open"/>.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static string Identity(string folderOrFile)
    {
        const int End = 1 << 16;
        string file = Find(folderOrFile);
        string[] files = file.EndsWith(Index, StringComparison.OrdinalIgnoreCase)
            ? [file, .. Directory.GetFiles(FolderOf(file), $"*{Extension}").Order(StringComparer.Ordinal)]
            : [file];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var bytes = new byte[End];
        foreach (string part in files)
        {
            using var stream = new FileStream(part, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(part)}/{stream.Length}/{File.GetLastWriteTimeUtc(part).Ticks}/"));
            hash.AppendData(bytes, 0, stream.ReadAtLeast(bytes, End, throwOnEndOfStream: false));
            stream.Position = Math.Max(0, stream.Length - End);
            hash.AppendData(bytes, 0, stream.ReadAtLeast(bytes, End, throwOnEndOfStream: false));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    static string Find(string folderOrFile)
    {
        if (File.Exists(folderOrFile)) return folderOrFile;
        if (!Directory.Exists(folderOrFile)) throw new ModelFileException($"{folderOrFile}: no such file or folder: give a model folder with {Single}.");
        return FolderFiles.Select(name => Path.Combine(folderOrFile, name)).FirstOrDefault(File.Exists)
            ?? throw new ModelFileException($"{folderOrFile}: holds none of {string.Join(", ", FolderFiles)}: is this the model folder?");
    }
}
