using System.Globalization;
using System.Text.Json;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli.Tests;

public sealed class TrainTests(TinyModel model) : IDisposable
{
    readonly TrainingFolder _folder = new(model);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("transformer", "bce+dice")]
    [InlineData("conv", "bce")]
    public void Train_FewPictures_LossFallsAndTheRunIsAModel(string decoder, string loss)
    {
        string[] size = decoder == "conv" ? ["--size", "small"] : [];
        CommandResult result = _folder.Train("run", ["--decoder", decoder, "--loss", loss, "--steps", "40", "--learning-rate", "1e-2", "--samples", "2", .. size]).Expect(ExitCode.Ok);
        Assert.Matches($"^{decoder} decoder: [0-9,]+ parameters trained, [0-9,]+ frozen; 4 phrases, steps 1 to 40; cpu", result.Error);
        double[] losses = [.. _folder.Metrics("run").Skip(1).Select(line => double.Parse(line.Split(',')[3], CultureInfo.InvariantCulture))];
        Assert.Equal(40, losses.Length);
        Assert.True(losses[^1] < 0.7 * losses[0], $"{losses[0]} -> {losses[^1]}");

        string[] files = _folder.Files("run");
        foreach (string name in new[]
        {
            "config.json", "model.safetensors.index.json", "towers.safetensors", "best.safetensors", "last.safetensors", "preprocessor_config.json", "vocab.json",
            "merges.txt", "run.json", "metrics.csv", "machine.json",
        })
            Assert.Contains(name, files);
        Assert.Equal(2, files.Count(file => file.StartsWith("samples/step-000040-", StringComparison.Ordinal)));
        Assert.Single(files, file => file.StartsWith("events.out.tfevents.", StringComparison.Ordinal));

        InProcess.Run("infer", _folder["images/1.png"], "-t", "a square", "--model", _folder["run"], "--out", _folder["masks"]).Expect(ExitCode.Ok);
        Assert.Equal(["1.a-square.mask.png"], _folder.Files("masks"));
    }

    [Fact]
    public void Train_Interrupted_ResumesToTheSameBytes()
    {
        string[] settings =
        [
            "--steps", "12", "--loss", "dice", "--val", _folder["refer.json"], "--validate-every", "3", "--save-every", "100", "--accumulate", "2",
            "--flip", "--seed", "5", "--feature-cache-disk", "1",
        ];
        _folder.Train("whole", settings).Expect(ExitCode.Ok);

        foreach (string until in new[] { "step 3:", "step 6:" })
        {
            using var interruption = new CancellationTokenSource();
            using var error = new WatchingWriter(line => { if (line.StartsWith(until, StringComparison.Ordinal)) interruption.Cancel(); });
            string[] arguments = until == "step 3:" ? _folder.Arguments("broken", settings) : ["train", "--resume", _folder["broken"]];
            CommandResult stopped = InProcess.Run(arguments, error: error, interrupted: interruption.Token).Expect(ExitCode.Interrupted);
            Assert.Contains("saved at step ", stopped.Error, StringComparison.Ordinal);
        }
        InProcess.Run("train", "--resume", _folder["broken"]).Expect(ExitCode.Ok);

        foreach (string name in new[] { "best.safetensors", "last.safetensors" }) Assert.Equal(_folder.Bytes($"whole/{name}"), _folder.Bytes($"broken/{name}"));
        Assert.Equal(_folder.Metrics("whole"), _folder.Metrics("broken"));
    }

    [Fact]
    public void Train_NoBetterValidation_StopsEarly()
    {
        CommandResult result = _folder.Train(
            "run", "--steps", "100", "--learning-rate", "1e-12", "--min-learning-rate", "0", "--val", _folder["refer.json"], "--validate-every", "2", "--patience", "3");
        Assert.Contains("best validation IoU", result.Expect(ExitCode.Ok).Error, StringComparison.Ordinal);
        Assert.Equal(8 + 4, _folder.Metrics("run").Length - 1);   // the first validation is the best, three more are not better
    }

    [Fact]
    public void Train_FullRunFolder_IsRefused()
    {
        _folder.Train("run", "--steps", "1").Expect(ExitCode.Ok);
        Assert.Contains("--resume", _folder.Train("run", "--steps", "1").Expect(ExitCode.Usage).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_ParameterIsNaN_SaysWhichAndKeepsTheCheckpoint()
    {
        string poisoned = WriteVariant("poisoned", (name, values) => { if (name == "decoder.layers.1.mlp.fc1.weight") values[3] = float.NaN; });
        CommandResult result = _folder.Train("run", "--steps", "5", "--init", poisoned).Expect(ExitCode.Failed);
        Assert.Matches(
            "error: step 1: the loss is NaN; phrases '.*' on [1-4].png, .*; largest logit NaN; first parameter that is not finite: decoder.layers.1.mlp.fc1.weight; the checkpoint before is whole",
            result.Error);
        using var last = new SafetensorsFile(_folder["run/last.safetensors"]);
        Assert.Equal("0", last.Metadata["step"]);
    }

    [Fact]
    public void Train_EverythingIsBackground_IsNamedWithTheTrivialScores()
    {
        string dark = WriteVariant("dark", (name, values) => { if (name == "decoder.transposed_convolution.bias") values.Fill(-1000); });
        CommandResult result = _folder.Train(
            "run", "--steps", "2", "--init", dark, "--loss", "dice", "--learning-rate", "1e-9", "--min-learning-rate", "0", "--val", _folder["refer.json"]);
        Assert.Matches(
            @"warning: validation at step 2: every pixel is predicted background, mean IoU 0\.000 \(pixel accuracy 0\.9..\); trivially, all background gets 0\.000",
            result.Expect(ExitCode.Ok).Error);
    }

    [Fact]
    public void Train_Json_WritesTheMetricsAsLines()
    {
        JsonElement[] lines = _folder.Train("run", "--steps", "3", "--json", "--quiet").Expect(ExitCode.Ok).Json;
        Assert.Equal([1, 2, 3], lines.Select(line => line.GetProperty("step").GetInt32()));
        Assert.All(lines, line => Assert.True(line.GetProperty("loss").GetDouble() > 0));
    }

    [Fact]
    public void Train_TowersOfAPlainClip_GetADecoderAndItsWorkingSize()
    {
        string clip = WriteVariant("clip", (_, _) => { });
        ClipConfig towers = ClipConfig.Read(clip);
        AtomicFile.Write(Path.Combine(clip, ClipConfig.FileName), towers.WriteJson);
        File.WriteAllText(Path.Combine(clip, PreprocessorConfig.FileName), """{"processor_class": "CLIPProcessor", "size": 224, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}""");
        InProcess.Run(
            "train", "--data", _folder["refer.json"], "--clip", clip, "--out", _folder["run"], "--size", "small", "--steps", "1", "--batch", "1", "--samples", "0",
            "--crop", "none").Expect(ExitCode.Ok);
        Assert.Equal([1, 2, 3], ClipSegConfig.Read(_folder["run"]).ExtractLayers);
        Assert.Equal(352, PreprocessorConfig.Read(_folder["run"]).Width);
    }

    /// <summary>The tiny model with some values of its own.</summary>
    string WriteVariant(string name, ChangeValues change)
    {
        string folder = Directory.CreateDirectory(_folder[name]).FullName;
        foreach (string file in Directory.EnumerateFiles(model.Location)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        using var source = new SafetensorsFile(Path.Combine(model.Location, WeightFiles.Single));
        SafetensorsWriter.Write(Path.Combine(folder, WeightFiles.Single), [.. source.Names.Select(tensor =>
        {
            source.TryFind(tensor, out WeightEntry entry);
            float[] values = entry.Singles().ToArray();
            change(tensor, values);
            return new WeightToWrite(tensor, entry.Shape, values);
        })]);
        return folder;
    }

    delegate void ChangeValues(string name, Span<float> values);
}
