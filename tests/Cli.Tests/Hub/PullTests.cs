using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ClipSegNative.Cli.Hub;

namespace ClipSegNative.Cli.Tests.Hub;

public sealed class PullTests : IDisposable
{
    const string Name = "clipseg-rd64-refined", Weights = "model.safetensors", Base = $"/CIDAS/{Name}/resolve/main/";

    readonly TinyModel _model;
    readonly TestFolder _folder = new();
    readonly HubServer _hub = new();

    public PullTests(TinyModel model)
    {
        _model = model;
        foreach (string file in HubModel.SmallFiles) Serve(file, new ServedFile(Original(file)));
        Serve(Weights, new ServedFile(Original(Weights)) { Large = true });
    }

    public void Dispose()
    {
        _hub.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Pull_WholeModel_CanBeUsedByItsName()
    {
        CommandResult pulled = Pull().Expect(ExitCode.Ok);
        Assert.Empty(pulled.Output);
        Assert.Contains("no more than that they are for research", pulled.Error, StringComparison.Ordinal);
        Assert.Contains($"{Weights}, {Original(Weights).Length:N0} bytes, SHA-256 {Served(Weights).Sum} (as the hub says)", pulled.Error, StringComparison.Ordinal);
        Assert.Equal(["config.json", "merges.txt", Weights, "preprocessor_config.json", "pulled.json", "vocab.json"], _folder.Files($"home/models/{Name}"));
        Assert.Equal(Original(Weights), File.ReadAllBytes(Cached(Weights)));
        JsonElement note = JsonDocument.Parse(File.ReadAllText(Cached(PulledModel.FileName))).RootElement;
        Assert.Equal((HubServer.Commit, 5), (note.GetProperty("revision").GetString(), note.GetProperty("files").GetArrayLength()));

        Run("infer", _folder.Picture("a.png"), "-t", "x", "--threads", "1", "--model", Name).Expect(ExitCode.Ok);
        Assert.Equal(Path.Combine(_folder["home"], "models", Name), Assert.Single(Run("weights", "path", Name).Expect(ExitCode.Ok).Lines));
        Assert.Equal($"{Name}: 5 files as recorded\n", Run("weights", "verify").Expect(ExitCode.Ok).Text);
        string[] list = Run("weights", "list").Expect(ExitCode.Ok).Lines;
        Assert.Equal((4, 3), (list.Length, list.Count(line => line.EndsWith("not pulled", StringComparison.Ordinal))));

        int requests = _hub.Requests.Count;
        Assert.Contains("is there already", Pull().Expect(ExitCode.Ok).Error, StringComparison.Ordinal);
        Assert.Equal(requests, _hub.Requests.Count);
    }

    [Fact]
    public void Pull_WithoutConsent_FetchesNothing()
    {
        CommandResult result = Run("weights", "pull", Name).Expect(ExitCode.Usage);
        Assert.Contains("--accept-licence", result.Error, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.Failed, Asked("n\n"));
        Assert.Equal((int)ExitCode.Failed, Asked(""));
        Assert.Empty(_hub.Requests);
        Assert.Equal((int)ExitCode.Ok, Asked("yes\n"));
    }

    [Fact]
    public void Pull_ConnectionIsCut_GoesOnWhereItEnded()
    {
        Served(Weights).Cuts.Enqueue(1000);
        Served(Weights).Cuts.Enqueue(2000);
        Pull().Expect(ExitCode.Ok);
        Assert.Equal(Original(Weights), File.ReadAllBytes(Cached(Weights)));
        Assert.Equal([$"GET /storage{Base}{Weights}", $"GET /storage{Base}{Weights} bytes=1000-", $"GET /storage{Base}{Weights} bytes=3000-"],
            _hub.Requests.Where(request => request.StartsWith("GET /storage", StringComparison.Ordinal)));
    }

    [Fact]
    public void Pull_ConnectionIsCutAgainAndAgain_FailsAndTheNextCommandGoesOn()
    {
        foreach (int cut in (int[])[1000, 0]) Served(Weights).Cuts.Enqueue(cut);
        CommandResult result = Pull().Expect(ExitCode.Failed);
        Assert.Contains("after 1,000 bytes: the same command goes on from there.", result.Error, StringComparison.Ordinal);
        Assert.Equal((ExitCode.ModelFile, false), ((ExitCode)Run("weights", "path", Name).Code, File.Exists(Cached(Weights))));
        Assert.Equal(1000, new FileInfo(Assert.Single(Directory.GetFiles(Cached(""), "*.part"))).Length);
        Pull().Expect(ExitCode.Ok);
        Assert.Contains($"GET /storage{Base}{Weights} bytes=1000-", _hub.Requests);
        Assert.Equal(Original(Weights), File.ReadAllBytes(Cached(Weights)));
        Assert.Empty(Directory.GetFiles(Cached(""), "*.part"));
    }

    [Fact]
    public void Pull_ServerWithoutRanges_StartsOver()
    {
        Serve(Weights, new ServedFile(Original(Weights)) { Large = true, Ranges = false });
        Served(Weights).Cuts.Enqueue(1000);
        Pull().Expect(ExitCode.Ok);
        Assert.Equal(Original(Weights), File.ReadAllBytes(Cached(Weights)));
    }

    [Fact]
    public void Pull_AnotherVersionSinceTheCut_StartsOver()
    {
        byte[] older = [.. Original(Weights).Select(b => (byte)(b ^ 1))];
        Serve(Weights, new ServedFile(older) { Large = true });
        foreach (int cut in (int[])[1000, 0]) Served(Weights).Cuts.Enqueue(cut);
        Pull().Expect(ExitCode.Failed);
        Serve(Weights, new ServedFile(Original(Weights)) { Large = true });
        Pull().Expect(ExitCode.Ok);
        Assert.Equal(Original(Weights), File.ReadAllBytes(Cached(Weights)));
        Assert.Empty(Directory.GetFiles(Cached(""), "*.part"));
    }

    [Fact]
    public void Pull_WrongSum_IsRefusedAndLeavesNothing()
    {
        string promised = new('a', 64), found = Served(Weights).Sum;
        Serve(Weights, new ServedFile(Original(Weights)) { Large = true, Sum = promised });
        CommandResult result = Pull().Expect(ExitCode.ModelFile);
        Assert.Contains($"has the SHA-256 {found}, but {promised} was promised", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.Files("home"), file => file.Contains("safetensors", StringComparison.Ordinal) || file.Contains("pulled", StringComparison.Ordinal));
    }

    [Fact]
    public void Pull_MoreThanPromised_IsRefused()
    {
        Serve(Weights, new ServedFile(Original(Weights)) { Large = true, Surplus = 10 });
        Assert.Contains("sends more than the", Pull().Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Cached(Weights)));
    }

    [Theory]
    [InlineData("file:///etc/passwd", "which is not encrypted")]
    [InlineData("ftp://127.0.0.1/x", "which is not encrypted")]
    [InlineData($"{Base}{Weights}", "leads on more than 10 times")]
    public void Pull_RedirectToWhereNothingGoodIs_IsRefused(string location, string problem)
    {
        Serve(Weights, new ServedFile([]) { Location = location });
        Assert.Contains(problem, Pull().Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Pull_ServerThatGoesSilent_IsGivenUp()
    {
        Served(Weights).SilentFrom = 0;
        long started = Stopwatch.GetTimestamp();
        CommandResult result = Pull("--timeout", "1").Expect(ExitCode.Failed);
        Assert.Contains("the server sent nothing for 1 seconds", result.Error, StringComparison.Ordinal);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 1, 20);
    }

    [Fact]
    public void Pull_FilesThatAreNotThere_AreNamedOrReplaced()
    {
        _hub.Files.Remove(Base + Weights, out _);
        Assert.Contains($"has no {Weights} nor pytorch_model.bin", Pull().Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
        Serve("pytorch_model.bin", new ServedFile([1, 2, 3]) { Large = true });
        _hub.Files.Remove(Base + "preprocessor_config.json", out _);
        Pull().Expect(ExitCode.Ok);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(Cached("pytorch_model.bin")));
        _hub.Files.Remove(Base + "vocab.json", out _);
        Assert.Contains("has no vocab.json", Pull("--force").Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Pull_ServerInTrouble_IsToldInOneLine()
    {
        Serve("config.json", new ServedFile([]) { Status = 503 });
        string error = Pull().Expect(ExitCode.Failed).Error;
        Assert.Contains("answers 503 Trouble", error, StringComparison.Ordinal);
        Assert.StartsWith("error: ", error.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
        string closed = _hub.Endpoint;
        _hub.Dispose();
        Assert.Contains(closed, Run("weights", "pull", Name, "--accept-licence", "--endpoint", closed).Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Pull_Interrupted_KeepsWhatHasCome()
    {
        Served(Weights).SilentFrom = 1500;
        using var interruption = new CancellationTokenSource();
        using var error = new WatchingWriter(line => { if (line.StartsWith(Weights, StringComparison.Ordinal)) interruption.Cancel(); });
        InProcess.Run(["weights", "pull", Name, "--accept-licence"], variables: Variables, error: error, clock: new HastyClock(), interrupted: interruption.Token)
            .Expect(ExitCode.Interrupted);
        long came = new FileInfo(Assert.Single(Directory.GetFiles(Cached(""), "*.part"))).Length;
        Assert.InRange(came, 1, 1500);
        Served(Weights).SilentFrom = -1;
        Pull().Expect(ExitCode.Ok);
        Assert.Contains($"GET /storage{Base}{Weights} bytes={came}-", _hub.Requests);
    }

    [Fact]
    public async Task Fetch_FullDisk_SaysSoAndLeavesABeginning()
    {
        var place = new Uri(_hub.Endpoint + Base + Weights);
        using var full = new Downloader(TimeSpan.FromSeconds(20), (path, mode) => new SmallDisk(path, mode, 2000));
        using var downloader = new Downloader(TimeSpan.FromSeconds(20));
        CancellationToken token = TestContext.Current.CancellationToken;
        RemoteFile remote = (await downloader.AskAsync(place, token))!;
        IOException e = await Assert.ThrowsAsync<IOException>(() => full.FetchAsync(place, remote, _folder["x.part"], long.MaxValue, _ => { }, token));
        Assert.Equal("no space left on this small disk", e.Message);
        await downloader.FetchAsync(place, remote, _folder["x.part"], long.MaxValue, _ => { }, token);
        Assert.Equal(Original(Weights), await File.ReadAllBytesAsync(_folder["x.part"], token));
    }

    [Fact]
    public void Pull_ServerThatTellsNeitherSumNorLengthOfWhatItCuts_StartsOver()
    {
        Serve("vocab.json", new ServedFile(Original("vocab.json")) { Tagged = false });
        Served("vocab.json").Cuts.Enqueue(100);
        Assert.Contains("after 100 bytes: try again.", Pull().Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
        Pull().Expect(ExitCode.Ok);
        Assert.Equal(Original("vocab.json"), File.ReadAllBytes(Cached("vocab.json")));
    }

    [Fact]
    public void Verify_ChangedFile_NamesBothSums()
    {
        Pull().Expect(ExitCode.Ok);
        using (FileStream file = File.OpenWrite(Cached(Weights))) file.WriteByte(0xFF);
        string error = Run("weights", "verify", Name).Expect(ExitCode.ModelFile).Error;
        Assert.Contains(Served(Weights).Sum, error, StringComparison.Ordinal);
        Assert.Contains(PulledModel.Sum(Cached(Weights), CancellationToken.None), error, StringComparison.Ordinal);
        File.Delete(Cached(Weights));
        Assert.Contains("is missing", Run("weights", "verify", Name).Expect(ExitCode.ModelFile).Error, StringComparison.Ordinal);
        Pull("--force").Expect(ExitCode.Ok);
        Run("weights", "verify", Name).Expect(ExitCode.Ok);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"files\":null}")]
    [InlineData("{\"files\":[{\"name\":\"../x\",\"sha256\":\"0\"}]}")]
    [InlineData("{\"files\":[{\"name\":\"x\"}]}")]
    public void Verify_DamagedNote_IsRefused(string note)
    {
        Pull().Expect(ExitCode.Ok);
        File.WriteAllText(Cached(PulledModel.FileName), note);
        Assert.Contains("pulled.json: is damaged", Run("weights", "verify", Name).Expect(ExitCode.ModelFile).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Pull_NameOrEndpointThatCannotBe_IsUsage()
    {
        string error = Run("weights", "pull", "clip", "--accept-licence").Expect(ExitCode.Usage).Error;
        foreach (HubModel model in HubModel.All) Assert.Contains(model.Name, error, StringComparison.Ordinal);
        Pull("--endpoint", "ftp://x").Expect(ExitCode.Usage);
        Pull("--timeout", "0").Expect(ExitCode.Usage);
        Run("weights", "path", "clip").Expect(ExitCode.Usage);
        Assert.Contains("weights pull clipseg-rd64", Run("weights", "path", "clipseg-rd64").Expect(ExitCode.ModelFile).Error, StringComparison.Ordinal);
        Assert.Empty(_hub.Requests);
    }

    Dictionary<string, string> Variables => new() { ["CLIPSEG_HOME"] = _folder["home"], ["CLIPSEG_HUB"] = _hub.Endpoint };

    CommandResult Pull(params string[] more) => Run(["weights", "pull", Name, "--accept-licence", .. more]);

    CommandResult Run(params string[] arguments) => InProcess.Run(arguments, variables: Variables);

    /// <summary>A person at a terminal.</summary>
    int Asked(string answer)
    {
        using var error = new StringWriter();
        var host = new Host(new MemoryStream(Encoding.UTF8.GetBytes(answer)), Stream.Null, error, TestContext.Current.CancellationToken)
        {
            InputIsTerminal = true,
            ErrorIsTerminal = true,
            Variable = name => Variables.GetValueOrDefault(name),
        };
        int code = CommandLine.Run(["weights", "pull", Name], host);
        Assert.Contains("[y/N]", error.ToString(), StringComparison.Ordinal);
        return code;
    }

    void Serve(string name, ServedFile file) => _hub.Files[Base + name] = file;

    ServedFile Served(string name) => _hub.Files[Base + name];

    byte[] Original(string name) => File.ReadAllBytes(Path.Combine(_model.Location, name));

    string Cached(string name) => Path.Combine(_folder["home"], "models", Name, name);

    /// <summary>At every look ten seconds have gone by, so that every step is told.</summary>
    sealed class HastyClock : TimeProvider
    {
        long _now;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _now += 10;
    }

    /// <summary>Takes so many bytes and no more.</summary>
    sealed class SmallDisk(string path, FileMode mode, int room) : FileStream(path, mode)
    {
        int _room = room;

        public override void Write(byte[] buffer, int offset, int count)
        {
            int fits = Math.Min(_room, count);
            base.Write(buffer, offset, fits);
            _room -= fits;
            if (fits < count) throw new IOException("no space left on this small disk");
        }
    }
}
