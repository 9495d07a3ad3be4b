using ClipSegNative.Benchmarks;
using ClipSegNative.Benchmarks.Peaks;
using ClipSegNative.Benchmarks.Peers;

switch (args)
{
    case ["profile", .. string[] rest]:
        ProfileCommand.Run(rest);
        return 0;
    case ["peak", .. string[] rest]:
        PeakCommand.Run(rest);
        return 0;
    case ["backward", .. string[] rest]:
        BackwardCommand.Run(rest);
        return 0;
    case ["training", .. string[] rest]:
        TrainingCommand.Run(rest);
        return 0;
    case ["peers", .. string[] rest]:
        return PeersCommand.Run(rest);
    case [StartProbe.LoadCommand, .. string[] rest]:
        StartProbe.RunLoad(rest);
        return 0;
    case [StartProbe.InferCommand, .. string[] rest]:
        StartProbe.RunInfer(rest);
        return 0;
    case ["precision-error", "photos" or "scenes", _, ..]:
        PrecisionErrorCommand.Run(args[1..]);
        return 0;
    case ["precision", .. string[] rest]:
        PrecisionCommand.Run(rest);
        return 0;
    default:
        Console.Error.WriteLine(
            $"""
            Usage: dotnet run -c Release --project tests/Benchmarks -- ...
              profile|backward [threads] [avx512|avx2|portable]
              peak [threads]
              training [threads] [small] [operations]
              precision [threads]
              precision-error photos|scenes FOLDER [precision ...]
              {PeersCommand.Usage}
            """);
        return 2;
}
