using System.Diagnostics;
using System.Text.Json;
using ClipSegNative.Imaging;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>What only a fresh process shows: load, first call, memory, and a whole run from start to the written mask. Child processes come back here.</summary>
static class StartProbe
{
    public const string LoadCommand = "peer-load", InferCommand = "peer-infer";

    /// <summary>A phrase of the usual length.</summary>
    const string Phrase = "plane";

    const int WarmCalls = 5;

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(80);

    /// <summary>Contenders take turns here too.</summary>
    public static IEnumerable<StartResult> Measure(IReadOnlyList<Contender> contenders, PeerModel model, int threads, Effort effort)
    {
        string picture = Path.Combine(model.Graphs, "picture.png");
        PngWriter.Save(picture, stream => PngWriter.Write(stream, PngKind.Rgb8, model.Picture.Width, model.Picture.Height, model.Picture.Pixels));
        contenders = [.. contenders.SelectMany(contender => Contender.Packed.Where(packed => contender.Ours && packed.Precision == contender.Precision).Prepend(contender))];
        foreach (Contender packed in contenders.Intersect(Contender.Packed)) Child(OwnProgram(LoadCommand, [packed.Name, model.Folder, model.Graphs, $"{threads}"]));   // makes the file
        Dictionary<string, List<LoadTimes>> loads = [];
        Dictionary<string, List<double>> processes = [];
        for (int round = 0; round < effort.Starts; round++)
        {
            foreach (Contender contender in contenders)
            {
                string[] common = [contender.Name, model.Folder, model.Graphs, $"{threads}"];
                LoadTimes times = JsonSerializer.Deserialize<LoadTimes>(Child(OwnProgram(LoadCommand, common)))!;
                string output = Path.Combine(model.Graphs, "masks", contender.Name);
                ProcessStartInfo infer = contender.Ours
                    ? CommandLine(["infer", picture, "-t", Phrase, "--model", model.Folder, "--out", output, "--threads", $"{threads}", "--precision", contender.Precision.Name(), "--quiet",
                        .. contender.PackedFolder(model) is { } folder ? (string[])["--packed-weights", folder] : []])
                    : OwnProgram(InferCommand, [.. common, picture, output]);
                long start = Stopwatch.GetTimestamp();
                Child(infer);
                double process = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                if (Directory.GetFiles(output).Length == 0) throw new InvalidOperationException($"{contender.Name} wrote no mask.");
                Directory.Delete(output, recursive: true);
                if (round == 0) (loads[contender.Name], processes[contender.Name]) = ([], []);
                loads[contender.Name].Add(times);
                processes[contender.Name].Add(process);
            }
        }
        foreach (Contender contender in contenders)
        {
            List<LoadTimes> own = loads[contender.Name];
            yield return new StartResult(
                contender.Name, Interleaved.Median(own.Select(times => times.Load)), Interleaved.Median(own.Select(times => times.First)), Interleaved.Median(own.Select(times => times.Warm)),
                Interleaved.Median(own.Select(times => times.ResidentMegabytes)), own[0].WeightMegabytes, Interleaved.Median(processes[contender.Name]));
        }
    }

    /// <summary>The child: one line of JSON.</summary>
    public static void RunLoad(string[] arguments)
    {
        (Contender contender, PeerModel model, int threads) = Read(arguments);
        long start = Stopwatch.GetTimestamp();
        using IEngine engine = contender.Open(model, threads);
        Action segment = engine.Segment(1)!;
        double load = Milliseconds(start);
        start = Stopwatch.GetTimestamp();
        segment();
        double first = Milliseconds(start);
        var warm = new double[WarmCalls];
        for (int i = 0; i < warm.Length; i++)
        {
            Thread.Sleep(Pause);
            start = Stopwatch.GetTimestamp();
            segment();
            warm[i] = Milliseconds(start);
        }
        using Process self = Process.GetCurrentProcess();
        Console.WriteLine(JsonSerializer.Serialize(new LoadTimes(load, first, Interleaved.Median(warm), self.WorkingSet64 / 1e6, engine.WeightBytes / 1e6)));
    }

    /// <summary>The child: what a small program around a peer does.</summary>
    public static void RunInfer(string[] arguments)
    {
        (Contender contender, PeerModel model, int threads) = Read(arguments);
        Picture picture = ImageReader.Read(arguments[4]);
        Directory.CreateDirectory(arguments[5]);
        using IEngine engine = contender.Open(model with { Picture = picture }, threads);
        float[] logits = engine.Logits([Phrase]);
        int side = model.Config.LogitsPerPatch;
        Mask mask = Segmentation.FromLogits(Phrase, logits, model.Grid.Width * side, model.Grid.Height * side, picture.Width, picture.Height).Mask();
        mask.Save(Path.Combine(arguments[5], "mask.png"));
    }

    static (Contender Contender, PeerModel Model, int Threads) Read(string[] arguments) =>
        (Contender.Find(arguments[0]), new PeerModel(arguments[1], arguments[2]), int.Parse(arguments[3]));

    static ProcessStartInfo OwnProgram(string command, string[] arguments) => Program(Environment.ProcessPath!, typeof(StartProbe).Assembly.Location, [command, .. arguments]);

    static ProcessStartInfo CommandLine(params string[] arguments)
    {
        string assembly = typeof(Cli.MachineInfo).Assembly.Location, program = Path.ChangeExtension(assembly, OperatingSystem.IsWindows() ? ".exe" : null);
        return Program(File.Exists(program) ? program : "dotnet", assembly, arguments);
    }

    static ProcessStartInfo Program(string program, string assembly, string[] arguments)
    {
        bool host = Path.GetFileNameWithoutExtension(program) == "dotnet";
        return new ProcessStartInfo(program, host ? [assembly, .. arguments] : arguments) { RedirectStandardOutput = true };
    }

    static string Child(ProcessStartInfo start)
    {
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0 ? output : throw new InvalidOperationException($"{start.FileName} {string.Join(' ', start.ArgumentList)} ended with {child.ExitCode}.");
    }

    static double Milliseconds(long start) => Stopwatch.GetElapsedTime(start).TotalMilliseconds;

    sealed record LoadTimes(double Load, double First, double Warm, double ResidentMegabytes, double? WeightMegabytes);
}
