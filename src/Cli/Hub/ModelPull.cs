using System.Security.Cryptography;
using System.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli.Hub;

/// <summary>Fetches a model from the hub into the cache: every file is checked and appears whole or not at all, and the note about all of them comes last.</summary>
/// <param name="model">From the list.</param>
/// <param name="folder">Made where it is missing.</param>
/// <param name="endpoint">The hub or a mirror of it.</param>
/// <param name="revision">A branch, tag or commit.</param>
/// <param name="downloader">Does the fetching.</param>
/// <param name="host">Whose interruption stops it.</param>
sealed class ModelPull(HubModel model, string folder, Uri endpoint, string revision, Downloader downloader, Host host)
{
    const long MostBytes = 8L << 30;
    const long MostSmallBytes = 64 << 20;

    /// <summary>The first that the repository has: the same tensors, the safer form before the other.</summary>
    static readonly string[] WeightNames = [WeightFiles.Single, WeightFiles.PyTorch];

    /// <exception cref="IOException">The hub cannot be reached, a file is not there, or the disk is full. What has come stays for the next call.</exception>
    /// <exception cref="ModelFileException">A file is not what the hub promised.</exception>
    /// <exception cref="OperationCanceledException">Interrupted. What has come stays for the next call.</exception>
    public async Task<PulledModel> RunAsync()
    {
        Directory.CreateDirectory(folder);
        var files = new List<PulledFile>();
        string? commit = null;
        foreach (string name in HubModel.SmallFiles)
        {
            if (await AskAsync(name).ConfigureAwait(false) is { } remote) await AddAsync(name, remote, MostSmallBytes).ConfigureAwait(false);
            else if (name != "preprocessor_config.json") throw NotFound(name);
        }
        foreach (string name in WeightNames)
        {
            if (await AskAsync(name).ConfigureAwait(false) is not { } remote) continue;
            await AddAsync(name, remote, MostBytes).ConfigureAwait(false);
            foreach (string outdated in Directory.GetFiles(folder, "*.part")) File.Delete(outdated);
            var pulled = new PulledModel(model.Name, new Uri(endpoint, model.Repository).ToString(), commit ?? revision, files);
            lock (host.Writing) pulled.Write(folder);
            return pulled;
        }
        throw NotFound(string.Join(" nor ", WeightNames));

        async Task AddAsync(string name, RemoteFile remote, long most)
        {
            commit ??= remote.Revision;
            files.Add(await FetchAsync(name, remote, most).ConfigureAwait(false));
        }
    }

    async Task<PulledFile> FetchAsync(string name, RemoteFile remote, long most)
    {
        string path = Path.Combine(folder, name), partial = $"{path}.{Key(remote)}.part";
        if (!File.Exists(path) || remote.Sha256 is null || PulledModel.Sum(path, host.Interrupted) != remote.Sha256)
        {
            await DownloadProgress.RunAsync(host, name, remote.Bytes, arrived =>
                downloader.FetchAsync(Place(name), remote, partial, most, arrived, host.Interrupted)).ConfigureAwait(false);
            string came = PulledModel.Sum(partial, host.Interrupted);
            if (remote.Sha256 is { } promised && came != promised)
            {
                File.Delete(partial);
                throw new ModelFileException($"{Place(name)}: what came has the SHA-256 {came}, but {promised} was promised: pull it again.");
            }
            lock (host.Writing) File.Move(partial, path, overwrite: true);
        }
        return new PulledFile(name, new FileInfo(path).Length, remote.Sha256 ?? PulledModel.Sum(path, host.Interrupted), remote.Sha256 is not null);
    }

    Task<RemoteFile?> AskAsync(string name) => downloader.AskAsync(Place(name), host.Interrupted);

    Uri Place(string name) => new(endpoint, $"{model.Repository}/resolve/{Uri.EscapeDataString(revision)}/{name}");

    /// <summary>The beginning of another version must not be continued: its partial file has another name.</summary>
    static string Key(RemoteFile remote) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(remote.Tag ?? "")), 0, 6);

    IOException NotFound(string name) => new($"{Place("")}: has no {name}: is {endpoint} the hub or a whole mirror of it?");
}
