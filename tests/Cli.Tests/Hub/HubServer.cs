using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace ClipSegNative.Cli.Tests.Hub;

/// <summary>How a file is served, and what goes wrong with it.</summary>
sealed class ServedFile(byte[] bytes)
{
    public byte[] Bytes => bytes;

    /// <summary>As the hub serves large ones: an answer that names the sum and leads to the storage.</summary>
    public bool Large { get; init; }

    public string Sum { get; init; } = Convert.ToHexStringLower(SHA256.HashData(bytes));

    public bool Tagged { get; init; } = true;

    public bool Ranges { get; init; } = true;

    /// <summary>After how many bytes of the body each answer in turn is cut; the last one's is sent whole.</summary>
    public ConcurrentQueue<int> Cuts { get; } = new();

    /// <summary>Where the connection stays open and silent from there on; negative for nowhere.</summary>
    public int SilentFrom { get; set; } = -1;

    public string? Location { get; init; }

    public int Status { get; init; }

    /// <summary>More than the length that was promised.</summary>
    public int Surplus { get; init; }
}

/// <summary>A hub on the loopback address, which answers as the real one is known to.</summary>
sealed class HubServer : IDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _closing = new();

    public HubServer()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Endpoint => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>By their whole path.</summary>
    public ConcurrentDictionary<string, ServedFile> Files { get; } = new();

    /// <summary>Every request: method, path and, where one was asked for, the range.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public void Dispose()
    {
        _closing.Cancel();
        _listener.Dispose();
    }

    async Task AcceptAsync()
    {
        while (!_closing.IsCancellationRequested)
        {
            TcpClient client;
            try { client = await _listener.AcceptTcpClientAsync(_closing.Token); }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { return; }
            _ = AnswerAsync(client);
        }
    }

    async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                string[] request = (await reader.ReadLineAsync(_closing.Token))!.Split(' ');
                string range = "";
                for (string? line = await reader.ReadLineAsync(_closing.Token); !string.IsNullOrEmpty(line); line = await reader.ReadLineAsync(_closing.Token))
                    if (line.StartsWith("Range: ", StringComparison.OrdinalIgnoreCase)) range = line["Range: ".Length..];
                Requests.Enqueue($"{request[0]} {request[1]} {range}".TrimEnd());
                await AnswerAsync(stream, request[0] == "HEAD", request[1], range);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
            {
                // The other side went away, or the test is over.
            }
        }
    }

    async Task AnswerAsync(NetworkStream stream, bool head, string path, string range)
    {
        bool storage = path.StartsWith("/storage", StringComparison.Ordinal);
        if (!Files.TryGetValue(storage ? path["/storage".Length..] : path, out ServedFile? file))
        {
            await WriteAsync(stream, 404, "Not Found", "Content-Length: 0");
            return;
        }
        if (file.Status != 0)
        {
            await WriteAsync(stream, file.Status, "Trouble", "Content-Length: 0");
            return;
        }
        if (!storage && (file.Large || file.Location is not null))
        {
            string[] linked = file.Large ? [$"X-Linked-Etag: \"{file.Sum}\"", $"X-Linked-Size: {file.Bytes.Length}"] : [];
            await WriteAsync(stream, 302, "Found", [$"Location: {file.Location ?? $"/storage{path}"}", "Content-Length: 0", $"X-Repo-Commit: {Commit}", .. linked]);
            return;
        }
        int begin = file.Ranges && range.Length > 0 ? int.Parse(range["bytes=".Length..^1]) : 0;
        byte[] body = [.. file.Bytes[begin..], .. new byte[file.Surplus]];
        string[] tag = file.Tagged ? [$"ETag: \"{file.Sum[..40]}\""] : [];
        string[] part = begin > 0 ? [$"Content-Range: bytes {begin}-{file.Bytes.Length - 1}/{file.Bytes.Length}"] : [];
        await WriteAsync(stream, begin > 0 ? 206 : 200, "OK", [$"Content-Length: {body.Length}", $"X-Repo-Commit: {Commit}", .. tag, .. part]);
        if (head) return;
        if (file.SilentFrom >= 0)
        {
            await stream.WriteAsync(body.AsMemory(0, file.SilentFrom), _closing.Token);
            await Task.Delay(Timeout.Infinite, _closing.Token);
        }
        if (file.Cuts.TryDequeue(out int cut))
        {
            await stream.WriteAsync(body.AsMemory(0, cut), _closing.Token);
            return;
        }
        await stream.WriteAsync(body, _closing.Token);
    }

    async Task WriteAsync(NetworkStream stream, int status, string reason, params string[] headers) => await stream.WriteAsync(
        Encoding.ASCII.GetBytes($"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n{string.Concat(headers.Select(header => $"{header}\r\n"))}\r\n"), _closing.Token);
}
