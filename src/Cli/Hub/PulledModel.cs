using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClipSegNative.Cli.Hub;

/// <summary>A file of a pulled model.</summary>
/// <param name="Name">In the model's folder.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">In lower-case hexadecimal.</param>
/// <param name="Promised">Whether the hub named the sum before the download; else it is that of what came.</param>
sealed record PulledFile(string Name, long Bytes, string Sha256, bool Promised);

/// <summary>What <c>weights pull</c> notes beside the files when all have come.</summary>
/// <param name="Name">As users name the model.</param>
/// <param name="Source">The hub and the repository on it.</param>
/// <param name="Revision">The commit, where the hub tells it; else what was asked for.</param>
/// <param name="Files">All of them.</param>
sealed record PulledModel(string Name, string Source, string Revision, IReadOnlyList<PulledFile> Files)
{
    public const string FileName = "pulled.json";
    const int MaxBytes = 1 << 20;

    /// <summary>Null where the folder holds no model that has come whole.</summary>
    /// <exception cref="ModelFileException">The note is there but damaged.</exception>
    public static PulledModel? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        try
        {
            if (new FileInfo(path).Length > MaxBytes) throw Damaged(path);
            PulledModel? model = JsonSerializer.Deserialize(File.ReadAllBytes(path), PulledModelJson.Default.PulledModel);
            return model?.Files is { } files && files.All(IsSound) ? model : throw Damaged(path);
        }
        catch (JsonException e)
        {
            throw Damaged(path, e);
        }
    }

    public void Write(string folder) => AtomicFile.Write(
        Path.Combine(folder, FileName), stream => JsonSerializer.Serialize(stream, this, PulledModelJson.Default.PulledModel));

    /// <summary>Compares every file with the note.</summary>
    /// <exception cref="ModelFileException">The first file that is missing or another; both sums are named.</exception>
    /// <exception cref="OperationCanceledException">Interrupted.</exception>
    public void Verify(string folder, CancellationToken interrupted)
    {
        foreach (PulledFile file in Files)
        {
            string path = Path.Combine(folder, file.Name);
            if (!File.Exists(path)) throw new ModelFileException($"{path}: is missing: pull {Name} again.");
            string sum = Sum(path, interrupted);
            if (sum != file.Sha256) throw new ModelFileException($"{path}: has the SHA-256 {sum}, but {file.Sha256} was recorded: pull {Name} again with --force.");
        }
    }

    /// <summary>SHA-256 in lower-case hexadecimal.</summary>
    public static string Sum(string path, CancellationToken interrupted)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using FileStream stream = File.OpenRead(path);
        var block = new byte[1 << 20];
        for (int read = stream.Read(block); read > 0; read = stream.Read(block))
        {
            interrupted.ThrowIfCancellationRequested();
            hash.AppendData(block, 0, read);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The names become paths: they must not lead out of the folder.</summary>
    static bool IsSound(PulledFile? file) => file is { Name.Length: > 0, Sha256: not null } && Path.GetFileName(file.Name) == file.Name;

    static ModelFileException Damaged(string path, Exception? inner = null) => new($"{path}: is damaged: pull the model again with --force.", inner);
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PulledModel))]
sealed partial class PulledModelJson : JsonSerializerContext;
