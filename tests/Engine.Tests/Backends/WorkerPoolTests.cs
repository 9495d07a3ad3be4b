using ClipSegNative.Backends.Cpu;

namespace ClipSegNative.Tests.Backends;

public sealed unsafe class WorkerPoolTests
{
    const int MostTasks = 200;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Run_ThousandsOfTimes_RunsEveryTaskOnce(int threads)
    {
        using var pool = new WorkerPool(threads);
        var random = new Random(threads);
        for (int run = 0; run < 5000; run++) RunAndCheck(pool, random.Next(MostTasks), threads);
    }

    /// <summary>Helpers spin for 200 µs after their last task; later they sleep and must be woken.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Run_AfterHelpersFellAsleep_WakesThem(int threads)
    {
        using var pool = new WorkerPool(threads);
        for (int run = 0; run < 100; run++)
        {
            Thread.Sleep(run % 4);
            RunAndCheck(pool, 1 + run, threads);
        }
    }

    /// <summary>Around the moment at which a helper decides to sleep.</summary>
    [Fact]
    public void Run_WhileHelpersFallAsleep_LosesNoTask()
    {
        using var pool = new WorkerPool(3);
        for (int run = 0; run < 1000; run++)
        {
            long until = System.Diagnostics.Stopwatch.GetTimestamp() + System.Diagnostics.Stopwatch.Frequency / 1_000_000 * (150 + run % 100);
            while (System.Diagnostics.Stopwatch.GetTimestamp() < until) Thread.SpinWait(4);
            RunAndCheck(pool, 7, 3);
        }
    }

    [Fact]
    public void Run_LongTasks_AreSharedWithHelpers()
    {
        using var pool = new WorkerPool(2);
        int byHelper = 0;
        for (int run = 0; run < 50 && byHelper == 0; run++) pool.Run(8, new SleepingWork(&byHelper));
        Assert.True(byHelper > 0);
    }

    [Fact]
    public void Run_WarmedUp_AllocatesNothing()
    {
        using var pool = new WorkerPool(3);
        int* counts = stackalloc int[MostTasks];
        var work = new CountingWork(counts, pool.Threads);
        long allocated = Allocations.Of(() =>
        {
            for (int run = 0; run < 100; run++) pool.Run(20, work);
        });
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void Dispose_OfManyPools_EndsTheirThreadsAndMayBeRepeated()
    {
        for (int i = 0; i < 50; i++)
        {
            var pool = new WorkerPool(4);
            if (i % 2 == 0) RunAndCheck(pool, 10, 4);
            if (i % 10 == 0) Thread.Sleep(1);
            pool.Dispose();
            pool.Dispose();
        }
    }

    [Fact]
    public void Pool_WithoutThreads_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerPool(0));

    static void RunAndCheck(WorkerPool pool, int tasks, int threads)
    {
        int* counts = stackalloc int[MostTasks];
        new Span<int>(counts, MostTasks).Clear();
        pool.Run(tasks, new CountingWork(counts, threads));
        for (int task = 0; task < MostTasks; task++)
            if (counts[task] != (task < tasks ? 1 : 0)) Assert.Fail($"Task {task} of {tasks} ran {counts[task]} times.");
    }

    readonly struct CountingWork(int* counts, int threads) : IParallelWork
    {
        public void Run(int task, int worker)
        {
            // A worker that is none of the pool's spoils the count.
            Interlocked.Add(ref counts[task], worker >= 0 && worker < threads ? 1 : 1000);
        }
    }

    readonly struct SleepingWork(int* byHelper) : IParallelWork
    {
        public void Run(int task, int worker)
        {
            if (worker > 0) Interlocked.Increment(ref *byHelper);
            Thread.Sleep(1);
        }
    }
}
