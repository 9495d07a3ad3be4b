namespace ClipSegNative.Cli;

/// <summary>What each operation of a run cost, costliest first.</summary>
static class ProfileTable
{
    public static void Write(TextWriter writer, Segmenter segmenter)
    {
        double total = segmenter.Profile.Sum(line => line.Milliseconds);
        int width = segmenter.Profile.Select(line => line.Operation.Length).Append("operation".Length).Max();
        writer.WriteLine($"{"operation".PadRight(width)}  {"calls",7}  {"ms",10}  {"share",6}  {"GFLOP/s",8}");
        foreach (var line in segmenter.Profile)
        {
            string speed = line.GigaFlops > 0 ? $"{line.GigaFlops:0.0}" : "";
            writer.WriteLine($"{line.Operation.PadRight(width)}  {line.Calls,7}  {line.Milliseconds,10:0.00}  {line.Milliseconds / total,6:0.0%}  {speed,8}");
        }
        writer.WriteLine($"{"total".PadRight(width)}  {"",7}  {total,10:0.00}");
    }
}
