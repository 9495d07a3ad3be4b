using ClipSegNative.Benchmarks;

if (args is ["profile", .. string[] rest])
{
    ProfileCommand.Run(rest);
    return 0;
}
Console.Error.WriteLine("Usage: dotnet run -c Release --project tests/Benchmarks -- profile [threads] [avx512|avx2|portable]");
return 2;
