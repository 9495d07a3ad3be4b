using ClipSegNative.Benchmarks;

switch (args)
{
    case ["profile", .. string[] rest]:
        ProfileCommand.Run(rest);
        return 0;
    case ["backward", .. string[] rest]:
        BackwardCommand.Run(rest);
        return 0;
    case ["training", .. string[] rest]:
        TrainingCommand.Run(rest);
        return 0;
    default:
        Console.Error.WriteLine("Usage: dotnet run -c Release --project tests/Benchmarks -- profile|backward|training [threads] [avx512|avx2|portable]; training [threads] [small]");
        return 2;
}
