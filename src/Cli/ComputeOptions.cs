using System.CommandLine;

namespace ClipSegNative.Cli;

/// <summary>What a command computes with: --device, --threads, --precision, --packed-weights, and their environment variables.</summary>
sealed class ComputeOptions
{
    readonly Option<DeviceChoice?> _device = OptionValues.Device();
    readonly Option<int?> _threads = OptionValues.Threads();
    readonly Option<Precision?> _precision = OptionValues.Precision();

    readonly Option<string?> _packedWeights = OptionValues.PackedWeights();

    public IReadOnlyList<Option> All => [_device, _threads, _precision, _packedWeights];

    public SegmenterOptions Read(ParseResult parse, Host host)
    {
        DeviceChoice device = OptionValues.Device(parse.GetValue(_device), host);
        return new SegmenterOptions
        {
            Device = device.Kind,
            DeviceOrdinal = device.Ordinal,
            Threads = OptionValues.Threads(parse.GetValue(_threads), host),
            Precision = OptionValues.Precision(parse.GetValue(_precision), host),
            PackedWeights = parse.GetValue(_packedWeights) ?? host.Setting(OptionValues.PackedWeightsVariable),
        };
    }
}

/// <param name="Kind">Which device.</param>
/// <param name="Ordinal">Of the GPUs, from 0.</param>
readonly record struct DeviceChoice(DeviceKind Kind, int Ordinal)
{
    public const string Values = "auto, cpu, cuda or cuda:N";

    public const string CudaWarning = "warning: the CUDA backend is untried: it has run in an interpreter only, so compare its results with those of --device cpu.";

    public static bool TryRead(string text, out DeviceChoice choice)
    {
        int ordinal = 0;
        choice = text switch
        {
            "auto" => new(DeviceKind.Auto, 0),
            "cpu" => new(DeviceKind.Cpu, 0),
            _ => new(DeviceKind.Cuda, 0),
        };
        if (choice.Kind != DeviceKind.Cuda || text == "cuda") return true;
        if (!text.StartsWith("cuda:", StringComparison.Ordinal) || !OptionValues.TryCount(text["cuda:".Length..], 0, out ordinal)) return false;
        choice = choice with { Ordinal = ordinal };
        return true;
    }
}
