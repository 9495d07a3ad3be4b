using System.Text.Json;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Imaging;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tests.Kernels.Emulation;
using ClipSegNative.Training;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Kernels.Training;

/// <summary>Run folders of whole training runs on an emulated device: three small pictures, a phrase about each, batches of one.</summary>
sealed class EmulatedRun : ITrainingWatcher, IDisposable
{
    const int Side = 32, Tokens = 1 + 2 * 2;

    public const int PixelBytes = 3 * Side * Side * sizeof(float);

    readonly TinyModel _model = new();
    readonly string _folder = Directory.CreateTempSubdirectory("clipseg-run-").FullName;
    readonly List<string> _warnings = [];
    Action<MetricsLine>? _measured;

    public EmulatedRun()
    {
        AtomicFile.Write(Path.Combine(_model.Folder, PreprocessorConfig.FileName), new PreprocessorConfig { Width = Side, Height = Side }.WriteJson);
        string images = Directory.CreateDirectory(Path.Combine(_folder, "images")).FullName;
        int[][] square = [[4, 4], [20, 4], [20, 20], [4, 20]];
        var pixels = new byte[Side * Side * 3];
        for (int id = 1; id <= 3; id++)
        {
            new Random(id).NextBytes(pixels);
            using FileStream file = File.Create(Path.Combine(images, $"{id}.png"));
            PngWriter.Write(file, PngKind.Rgb8, Side, Side, pixels);
        }
        File.WriteAllText(Data, JsonSerializer.Serialize(Enumerable.Range(1, 3).Select(id =>
            new { task_id = $"{id}__1", image_id = id, phrase = $"square {id}", Polygons = new[] { new[] { square } } })));
    }

    /// <summary>Of one extracted layer.</summary>
    public static int FeatureBytes => Tokens * TinyModel.Config.Vision.HiddenSize * sizeof(float);

    public IReadOnlyList<string> Warnings => _warnings;

    string Data => Path.Combine(_folder, "refer.json");

    public string this[string run] => Path.Combine(_folder, run);

    /// <summary>Trains, or goes on, to so many steps.</summary>
    /// <param name="run">The folder's name.</param>
    /// <param name="steps">Of the whole run.</param>
    /// <param name="precision">As options spell it.</param>
    /// <param name="until">Interrupted after this step.</param>
    /// <param name="change">Of the settings.</param>
    /// <param name="runtime">The device; null for one of its own.</param>
    /// <returns>Where it stands.</returns>
    public TrainingState Train(
        string run, int steps, string precision = "fp32", int until = int.MaxValue, Func<TrainingSettings, TrainingSettings>? change = null, EmulatedRuntime? runtime = null)
    {
        var settings = new TrainingSettings
        {
            Data = Data,
            Clip = _model.Folder,
            Steps = steps,
            Batch = 1,
            Accumulate = 2,
            Negatives = 0,
            Crop = "none",
            Samples = 0,
            Schedule = "constant",
            Device = "cuda",
            Precision = precision,
        };
        settings = change?.Invoke(settings) ?? settings;
        settings.Check();
        var folder = new RunFolder(this[run]);
        folder.Prepare(settings);
        CudaPrecision rounding = precision switch { "fp16" => CudaPrecision.Float16, "bf16" => CudaPrecision.BFloat16, _ => CudaPrecision.Float32 };
        using var backend = new CudaBackend(runtime ?? new EmulatedRuntime(EmulatedDevice.Create()), rounding);
        using var interruption = new CancellationTokenSource();
        _measured = line => { if (line.Step == until) interruption.Cancel(); };
        if (until == 0) interruption.Cancel();
        using var trainer = new Trainer(settings, folder, TrainingPhrases.Read(settings, _ => { }), backend, this);
        try { trainer.Run(interruption.Token); }
        catch (OperationCanceledException) when (interruption.IsCancellationRequested) { }
        return trainer.State;
    }

    /// <summary>Puts another loss scale into the last checkpoint, and other values where they are asked for.</summary>
    public void SetLossScale(string run, double value, Action<string, float[]>? change = null)
    {
        Dictionary<string, float[]> tensors = Tensors(run);
        Dictionary<string, string> counters;
        List<WeightToWrite> written = [];
        using (var file = Open(run))
        {
            counters = new(file.Metadata) { ["loss_scale"] = $"{value}", ["steps_at_loss_scale"] = "0", ["skipped"] = "0" };
            foreach (string name in file.Names)
            {
                file.TryFind(name, out WeightEntry entry);
                change?.Invoke(name, tensors[name]);
                written.Add(new WeightToWrite(name, entry.Shape, tensors[name]));
            }
        }
        SafetensorsWriter.Write(new RunFolder(this[run]).Last, written, counters);
    }

    /// <summary>Weights and moments of the last checkpoint.</summary>
    public Dictionary<string, float[]> Tensors(string run)
    {
        using SafetensorsFile file = Open(run);
        return file.Names.ToDictionary(name => name, name =>
        {
            file.TryFind(name, out WeightEntry entry);
            return entry.Singles().ToArray();
        });
    }

    public byte[] Bytes(string run) => File.ReadAllBytes(new RunFolder(this[run]).Last);

    public void Dispose()
    {
        _model.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    void ITrainingWatcher.Measured(MetricsLine line) => _measured?.Invoke(line);

    void INewsWatcher.Said(string sentence) { }

    void INewsWatcher.Warned(string sentence) => _warnings.Add(sentence);

    SafetensorsFile Open(string run) => new(new RunFolder(this[run]).Last);
}
