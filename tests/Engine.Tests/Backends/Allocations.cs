namespace ClipSegNative.Tests.Backends;

static class Allocations
{
    /// <summary>
    /// Managed bytes that a warmed-up action allocates on this thread. The least of several runs: a collection that another test
    /// sets off in the middle of one counts the unused rest of this thread's allocation buffer as allocated.
    /// </summary>
    public static long Of(Action action)
    {
        action();
        long least = long.MaxValue;
        for (int run = 0; run < 5 && least > 0; run++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
