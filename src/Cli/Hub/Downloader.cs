using System.Net;
using System.Net.Http.Headers;

namespace ClipSegNative.Cli.Hub;

/// <summary>What a server says about a file before it sends it.</summary>
/// <param name="Sha256">In lower-case hexadecimal; null where the server does not know it.</param>
/// <param name="Tag">Changes when the file does; null where the server gives none.</param>
/// <param name="Bytes">Null where the server does not say.</param>
/// <param name="Revision">The commit; null where the server does not say.</param>
sealed record RemoteFile(string? Sha256, string? Tag, long? Bytes, string? Revision);

/// <summary>Fetches files over HTTP, goes on where an earlier attempt ended, and says in one sentence what went wrong.</summary>
/// <param name="patience">How long a server may send nothing.</param>
/// <param name="open">Opens the file to write to: what a test puts in place of the disk.</param>
sealed class Downloader(TimeSpan patience, Func<string, FileMode, Stream>? open = null) : IDisposable
{
    const int MaxRedirects = 10;
    const int MaxAttempts = 5;

    readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = patience })
    {
        Timeout = Timeout.InfiniteTimeSpan,   // of the whole: a large file may take its time
        DefaultRequestHeaders = { { "User-Agent", CommandLine.Name } },
    };

    /// <summary>Asks what a file is; null where the server has none of that name.</summary>
    /// <remarks>
    /// The hub names the sum of a large file in the answer that leads to its storage, which may not take such a question itself: that answer is enough.
    /// </remarks>
    /// <exception cref="IOException">The server cannot be reached or answers with an error.</exception>
    public async Task<RemoteFile?> AskAsync(Uri place, CancellationToken interrupted)
    {
        string? revision = null;
        using HttpResponseMessage answer = await SendAsync(HttpMethod.Head, place, range: null, hop =>
        {
            revision ??= Header(hop, "X-Repo-Commit");
            return Header(hop, "X-Linked-Etag") is not null;
        }, interrupted).ConfigureAwait(false);
        if (answer.StatusCode == HttpStatusCode.NotFound) return null;
        if (Header(answer, "X-Linked-Etag") is not { } linked)
            return new RemoteFile(null, answer.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null, answer.Content.Headers.ContentLength, revision);
        linked = linked.Trim('"').ToLowerInvariant();
        bool isSum = linked.Length == 64 && linked.All(char.IsAsciiHexDigit);
        return new RemoteFile(isSum ? linked : null, linked, long.TryParse(Header(answer, "X-Linked-Size"), out long bytes) ? bytes : null, revision);
    }

    /// <summary>Appends to a partial file until the whole file is there; a cut connection is taken up again as long as each attempt brings something.</summary>
    /// <param name="place">Where the file is.</param>
    /// <param name="remote">What <see cref="AskAsync"/> gave.</param>
    /// <param name="partial">Holds a beginning of the same file, or is missing.</param>
    /// <param name="most">More bytes are refused.</param>
    /// <param name="arrived">Told how many bytes are there.</param>
    /// <param name="interrupted">Leaves the partial file as far as it has come.</param>
    /// <exception cref="IOException">The server cannot be reached, stops sending or answers with an error, or the disk is full.</exception>
    public async Task FetchAsync(Uri place, RemoteFile remote, string partial, long most, Action<long> arrived, CancellationToken interrupted)
    {
        for (int attempt = 1; ; attempt++)
        {
            long before = Length(partial);
            if (before == remote.Bytes) return;
            try
            {
                await AppendAsync(place, remote, partial, most, arrived, interrupted).ConfigureAwait(false);
                if (remote.Bytes is { } expected && Length(partial) < expected) throw new ConnectionLostException($"{place}: the connection was cut.");
                return;
            }
            catch (ConnectionLostException e)
            {
                if (attempt < MaxAttempts && remote.Tag is not null && Length(partial) > before) continue;
                string advice = remote.Tag is null ? "try again" : "the same command goes on from there";
                throw new IOException($"{e.Message.TrimEnd('.')} after {Length(partial):N0} bytes: {advice}.", e);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    async Task AppendAsync(Uri place, RemoteFile remote, string partial, long most, Action<long> arrived, CancellationToken interrupted)
    {
        long begin = remote.Tag is null ? 0 : Length(partial);
        using HttpResponseMessage answer = await SendAsync(
            HttpMethod.Get, place, begin > 0 ? new RangeHeaderValue(begin, null) : null, isEnough: _ => false, interrupted).ConfigureAwait(false);
        if (answer.StatusCode is HttpStatusCode.NotFound) throw new IOException($"{place}: not found (404).");
        // Else the whole comes, or nothing: then from the start.
        bool continues = answer.StatusCode == HttpStatusCode.PartialContent && answer.Content.Headers.ContentRange?.From == begin;
        if (begin > 0 && !continues) File.Delete(partial);
        if (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            throw new ConnectionLostException($"{place}: the server did not go on where it had stopped.");
        long there = continues ? begin : 0, expected = Math.Min(most, remote.Bytes ?? most);
        using Stream body = await answer.Content.ReadAsStreamAsync(interrupted).ConfigureAwait(false);
        FileMode mode = continues ? FileMode.Append : FileMode.Create;
        using Stream file = open?.Invoke(partial, mode) ?? new FileStream(partial, mode, FileAccess.Write, FileShare.None);
        var block = new byte[1 << 17];
        while (true)
        {
            int read = await PatientlyAsync(place, token => body.ReadAsync(block, token).AsTask(), interrupted).ConfigureAwait(false);
            if (read == 0) return;
            there += read;
            if (there > expected) throw new IOException($"{place}: sends more than the {expected:N0} bytes that were expected.");
            file.Write(block, 0, read);
            arrived(there);
        }
    }

    /// <summary>Follows redirects by hand: what they say about the file is wanted, and none may lead from an encrypted connection to an open one.</summary>
    async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri place, RangeHeaderValue? range, Func<HttpResponseMessage, bool> isEnough, CancellationToken interrupted)
    {
        Uri hop = place;
        for (int i = 0; i <= MaxRedirects; i++)
        {
            using var request = new HttpRequestMessage(method, hop);
            request.Headers.Range = range;
            HttpResponseMessage answer = await PatientlyAsync(
                hop, token => _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token), interrupted).ConfigureAwait(false);
            int status = (int)answer.StatusCode;
            if (isEnough(answer) || status is >= 200 and < 300 or 404 or 416) return answer;
            Uri? next = status is >= 300 and < 400 ? answer.Headers.Location : null;
            string reason = $"{status} {answer.ReasonPhrase}";
            answer.Dispose();
            if (next is null) throw new IOException($"{hop}: answers {reason}: try again later, or name a mirror with --endpoint.");
            next = new Uri(hop, next);
            if (next.Scheme != Uri.UriSchemeHttps && next.Scheme != hop.Scheme)
                throw new IOException($"{hop}: leads to {next.Scheme}://{next.Host}, which is not encrypted: name another server with --endpoint.");
            hop = next;
        }
        throw new IOException($"{place}: leads on more than {MaxRedirects} times: name another server with --endpoint.");
    }

    async Task<T> PatientlyAsync<T>(Uri place, Func<CancellationToken, Task<T>> work, CancellationToken interrupted)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(interrupted);
        limited.CancelAfter(patience);
        try
        {
            return await work(limited.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!interrupted.IsCancellationRequested)
        {
            throw new ConnectionLostException($"{place}: the server sent nothing for {patience.TotalSeconds:0.#} seconds.");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new ConnectionLostException($"{place}: {e.Message.TrimEnd('.').ReplaceLineEndings(" ")}.", e);
        }
    }

    static long Length(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    static string? Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.First() : null;

    /// <summary>Another attempt may do better.</summary>
    sealed class ConnectionLostException(string message, Exception? inner = null) : IOException(message, inner);
}
