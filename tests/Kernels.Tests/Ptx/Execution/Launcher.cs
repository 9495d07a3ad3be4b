using System.Collections.Concurrent;

namespace ClipSegNative.Tests.Kernels.Ptx.Execution;

/// <summary>Runs the blocks of a launch.</summary>
static class Launcher
{
    /// <exception cref="KernelFaultException">The kernel did what it must not; of several faults, the one that was found first.</exception>
    public static void Run(LaunchSettings launch, GlobalMemory memory, byte[] parameters)
    {
        int blocks = launch.BlockCount;
        // Blocks that add to the same places, or find out who is the last, need one order to give the same result each time.
        int workers = launch.Kernel.HasGlobalAtomics ? 1 : Math.Min(Environment.ProcessorCount, blocks);
        int next = 0;
        ConcurrentQueue<Exception> faults = [];
        void Work()
        {
            using Block block = new(launch, memory, parameters);
            while (faults.IsEmpty && Interlocked.Increment(ref next) is int taken && taken <= blocks)
            {
                try { block.Run(launch.Backwards ? blocks - taken : taken - 1); }
                catch (KernelFaultException fault) { faults.Enqueue(fault); }
            }
        }
        if (workers == 1) Work();
        else Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, _ => Work());
        if (faults.TryDequeue(out Exception? first)) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
    }
}
