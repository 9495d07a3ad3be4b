using ClipSegNative.Backends.Cuda;
using ClipSegNative.Models;

namespace ClipSegNative.GpuChecks;

/// <summary>Device memory of encoding and decoding at several batches, from their plans: exact, without a device.</summary>
static class MemoryTable
{
    static readonly int[] Batches = [1, 2, 4, 8, 16, 32, 64];

    /// <summary>In MB of 10^6 bytes: the planned block, inputs and outputs included, and the scratch of its operations.</summary>
    public static void Print(string folder, TextWriter output)
    {
        output.WriteLine("| batch | encode, MB | its scratch, MB | decode, MB | its scratch, MB |\n| --- | --- | --- | --- | --- |");
        foreach (int batch in Batches)
        {
            (double encode, double encodeScratch) = Of(folder, model => model.Model.EncodePlan(batch, model.Grid));
            (double decode, double decodeScratch) = Of(folder, model => model.Model.DecodePlan(batch, batch, model.Grid));
            output.WriteLine(FormattableString.Invariant($"| {batch} | {encode:0.0} | {encodeScratch:0.0} | {decode:0.0} | {decodeScratch:0.0} |"));
        }
    }

    static (double Planned, double Scratch) Of(string folder, Func<ModelFixture, Plan> plan)
    {
        var runtime = new PlanningRuntime();
        using var backend = new CudaBackend(runtime);
        using var model = new ModelFixture(folder, backend);
        using Plan made = plan(model);
        return (made.Bytes / 1e6, (runtime.Bytes - model.Model.WeightBytes - made.Bytes) / 1e6);
    }
}
