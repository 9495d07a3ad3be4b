using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Models.ClipSeg;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests;

/// <summary>The program that goes to a machine with a GPU, interpreting here.</summary>
public sealed class GpuCheckTests
{
    [Theory]
    [InlineData(0, "ops", "f32", "Add")]
    [InlineData(0, "ops", "bf16", "Attention")]
    [InlineData(0, "layers", "f32", "LayerNorm")]
    [InlineData(1, "ops", "f32", "Subtract")]
    [InlineData(2, "ops", "f8")]
    public void Program_Interpreting_Ends(int exitCode, params string[] arguments)
    {
        string output = Run(exitCode, [.. arguments, "--interpret"]);
        if (exitCode == 0) Assert.EndsWith("1 checks, 0 failed\n", output);
    }

    [Fact]
    public void Timings_TinyModelInterpreted_MeasuresEveryCase()
    {
        using var model = new TinyConvModel();
        string json = Path.Combine(model.Folder, "timings.json");
        string output = Run(0, "timings", model.Folder, "bf16", json, "--interpret");
        string[] cases = ["encode-1", "encode-2", "picture-to-mask", "further-phrase", "text", "training-step-1"];
        foreach (string name in cases) Assert.Matches($@"\| {name} \| - \| \d+\.\d{{3}} \|", output);
        JsonNode written = JsonNode.Parse(File.ReadAllText(json))!;
        Assert.Equal("bf16", (string)written["precision"]!);
        Assert.Equal(cases, written["cases"]!.AsArray().Select(entry => (string)entry!["name"]!));
        Assert.All(written["cases"]!.AsArray(), entry => Assert.True((double)entry!["wall_ms"]! > 0));
    }

    [Fact]
    public void Parity_TinyModelInterpreted_WritesInputsAndTheCpusLogits()
    {
        using var model = new TinyModel();
        string path = Path.Combine(model.Folder, "parity.bin");
        Run(0, "parity", model.Folder, "f32", path, "--interpret");
        using var file = new SafetensorsFile(path);
        Assert.Equal(new Shape(1, 3, 64, 96), Entry("pixel_values").Shape);
        float[] ids = Entry("input_ids").Singles().ToArray();
        Assert.Equal(TinyModel.Config.Text.VocabularySize - 1, ids[^1]);
        Assert.Equal(3 * 64 * 96, Entry("logits").Singles().ToArray().Count(float.IsFinite));
        Assert.NotEqual(0, Entry("logits").Singles()[0]);

        WeightEntry Entry(string name) => file.TryFind(name, out WeightEntry entry) ? entry : throw new InvalidOperationException(name);
    }

    [Fact]
    public void Memory_TinyModel_GrowsWithTheBatch()
    {
        using var model = new TinyConvModel();
        string[] rows = [.. Run(0, "memory", model.Folder).Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal) && char.IsDigit(line[2]))];
        Assert.Equal([1, 2, 4, 8, 16, 32, 64], rows.Select(row => (int)Number(row, 1)));
        foreach (int column in new[] { 2, 4 }) Assert.InRange(Number(rows[^1], column) / Number(rows[3], column), 6, 10);

        static double Number(string row, int column) => double.Parse(row.Split('|')[column], CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData(2, "timings")]
    [InlineData(3, "parity", "no-such-folder", "f32", "--interpret")]
    public void Program_WrongArguments_SaysSo(int exitCode, params string[] arguments) => Assert.NotEmpty(Run(exitCode, arguments));

    static string Run(int exitCode, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "gpu-checks.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == exitCode, output);
        return output;
    }
}
