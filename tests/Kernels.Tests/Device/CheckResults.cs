using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Device;

/// <summary>How one kernel test ended.</summary>
/// <param name="Name">Of the test.</param>
/// <param name="Error">Null where it passed.</param>
/// <param name="Milliseconds">With the way to the device and back.</param>
sealed record TestOutcome(string Name, string? Error, double Milliseconds);

/// <summary>What one of compute-sanitizer's tools found in the kernel tests.</summary>
sealed record SanitizerOutcome(string Tool, bool Clean, string Summary);

/// <summary>How fast a kernel moves memory.</summary>
/// <param name="Kernel">Name and type.</param>
/// <param name="Bytes">That one launch must read and write at least.</param>
/// <param name="Microseconds">Median of a launch.</param>
/// <param name="Share">Of the rate at which a copy of as many bytes runs.</param>
sealed record BandwidthOutcome(string Kernel, long Bytes, double Microseconds, double Share)
{
    public double GigabytesPerSecond => Bytes / Microseconds / 1e3;
}

/// <summary>Everything that one run on a device found; a part is null where it could not run, and <see cref="NotRun"/> says why.</summary>
sealed record CheckResults(
    CudaDevice Device, string Driver, IReadOnlyList<PtxasKernel>? Ptxas, IReadOnlyList<TestOutcome>? Tests, IReadOnlyList<SanitizerOutcome>? Sanitizer,
    IReadOnlyList<BandwidthOutcome>? Bandwidth, IReadOnlyList<string> NotRun)
{
    /// <summary>What memory-bound kernels are to reach.</summary>
    public const double LeastShare = 0.8;

    /// <summary>One line for each thing that is not as it must be.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Failures =>
    [
        .. (Ptxas ?? []).Where(kernel => kernel.Spills).Select(k => $"ptxas: {k.Kernel} spills ({k.Stack} bytes of stack, {k.SpillStores} stored, {k.SpillLoads} loaded)"),
        .. (Tests ?? []).Where(test => test.Error is not null).Select(test => $"test: {test.Name}: {test.Error}"),
        .. (Sanitizer ?? []).Where(tool => !tool.Clean).Select(tool => $"{tool.Tool}: {tool.Summary}"),
        .. (Bandwidth ?? []).Where(kernel => kernel.Share < LeastShare).Select(kernel => $"bandwidth: {kernel.Kernel} runs at {kernel.Share:P0} of a copy, not {LeastShare:P0}"),
    ];

    public void WriteJson(Stream stream) => JsonSerializer.Serialize(stream, this, CheckResultsJson.Default.CheckResults);

    public string Markdown()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"## {Device.Name}").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Device}; driver for CUDA {Driver}.").AppendLine();
        foreach (string reason in NotRun) text.AppendLine(CultureInfo.InvariantCulture, $"- Not run: {reason}");
        foreach (string failure in Failures) text.AppendLine(CultureInfo.InvariantCulture, $"- Failed: {failure}");
        if (Tests is not null) text.AppendLine(CultureInfo.InvariantCulture, $"- Kernel tests: {Tests.Count(test => test.Error is null)} of {Tests.Count} passed.");
        foreach (SanitizerOutcome tool in Sanitizer ?? []) text.AppendLine(CultureInfo.InvariantCulture, $"- compute-sanitizer {tool.Tool}: {tool.Summary}");
        if (Bandwidth is not null)
        {
            text.AppendLine().AppendLine("| kernel | MB moved | median, µs | GB/s | of a copy |").AppendLine("| --- | ---: | ---: | ---: | ---: |");
            foreach (BandwidthOutcome k in Bandwidth)
                text.AppendLine(CultureInfo.InvariantCulture, $"| {k.Kernel} | {k.Bytes / 1e6:0.0} | {k.Microseconds:0.0} | {k.GigabytesPerSecond:0} | {k.Share:P0} |");
        }
        if (Ptxas is not null)
        {
            text.AppendLine().AppendLine("| kernel | registers | stack | spilled | shared |").AppendLine("| --- | ---: | ---: | ---: | ---: |");
            foreach (PtxasKernel k in Ptxas)
                text.AppendLine(CultureInfo.InvariantCulture, $"| {k.Kernel} | {k.Registers} | {k.Stack} | {k.SpillStores + k.SpillLoads} | {k.Shared} |");
        }
        return $"{text}".ReplaceLineEndings("\n");
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CheckResults))]
sealed partial class CheckResultsJson : JsonSerializerContext;
