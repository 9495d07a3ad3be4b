namespace ClipSegNative.Weights;

/// <summary>Finds the weights of a model folder.</summary>
static class WeightFiles
{
    public const string Extension = ".safetensors";
    public const string Single = "model.safetensors";
    public const string Index = "model.safetensors.index.json";

    static readonly string[] PyTorchExtensions = [".bin", ".pt", ".pth", ".ckpt"];

    /// <param name="folderOrFile">A folder with model.safetensors or model.safetensors.index.json, or one such file.</param>
    /// <exception cref="ModelFileException">Nothing that is read lies there, or it is damaged.</exception>
    public static IWeightSource Open(string folderOrFile)
    {
        if (Directory.Exists(folderOrFile)) return OpenFolder(folderOrFile);
        if (!File.Exists(folderOrFile)) throw new ModelFileException($"{folderOrFile}: no such file or folder: give a model folder with {Single}.");
        if (folderOrFile.EndsWith(Index, StringComparison.OrdinalIgnoreCase)) return new ShardedWeights(folderOrFile);
        if (folderOrFile.EndsWith(Extension, StringComparison.OrdinalIgnoreCase)) return new SafetensorsFile(folderOrFile);
        throw IsPyTorch(folderOrFile) ? PyTorch(folderOrFile)
            : new ModelFileException($"{folderOrFile}: is not a {Extension} file: give a model folder with {Single}, or that file.");
    }

    static IWeightSource OpenFolder(string folder)
    {
        string single = Path.Combine(folder, Single), index = Path.Combine(folder, Index);
        if (File.Exists(single)) return new SafetensorsFile(single);
        if (File.Exists(index)) return new ShardedWeights(index);
        string? foreign = Directory.EnumerateFiles(folder).Where(IsPyTorch).Order(StringComparer.Ordinal).FirstOrDefault();
        throw foreign is not null ? PyTorch(foreign) : new ModelFileException($"{folder}: holds neither {Single} nor {Index}: is this the model folder?");
    }

    static bool IsPyTorch(string path) => PyTorchExtensions.Contains(Path.GetExtension(path).ToLowerInvariant());

    static ModelFileException PyTorch(string path) =>
        new($"{path}: is a PyTorch file; this version reads safetensors only: save the model as {Single}.");
}
