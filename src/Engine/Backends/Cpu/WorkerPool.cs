using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>A piece of work that falls into independent, numbered tasks.</summary>
interface IParallelWork
{
    /// <param name="task">Which task.</param>
    /// <param name="worker">Which worker runs it, in [0, threads): for its own scratch memory.</param>
    void Run(int task, int worker);
}

/// <summary>
/// The calling thread and its helpers take numbered tasks from one atomic counter. Helpers spin for a moment after their last task, so the operations
/// of one forward pass follow each other without a system call, and sleep when nothing comes. One caller at a time; running allocates nothing.
/// </summary>
sealed unsafe class WorkerPool : IDisposable
{
    /// <summary>How long a helper looks for work before it sleeps: longer than the gaps between operations, short enough not to burn a core.</summary>
    static readonly long SpinTicks = Stopwatch.Frequency / 5000;   // 200 µs

    readonly Helper[] _helpers;
    Shared _shared;
    delegate*<void*, int, int, void> _invoke;
    void* _work;
    int _tasks;
    volatile bool _stopping;

    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        _helpers = new Helper[threads - 1];
        for (int i = 0; i < _helpers.Length; i++)
        {
            var helper = _helpers[i] = new Helper(i + 1);
            helper.Thread = new Thread(() => Loop(helper)) { IsBackground = true, Name = $"ClipSegNative worker {helper.Index}" };
            helper.Thread.Start();
        }
    }

    /// <summary>Workers in all, the caller included.</summary>
    public int Threads { get; }

    /// <summary>Runs tasks 0..tasks-1 and returns when all have ended.</summary>
    public void Run<TWork>(int tasks, TWork work) where TWork : struct, IParallelWork
    {
        if (Threads == 1 || tasks <= 1)
        {
            for (int task = 0; task < tasks; task++) work.Run(task, worker: 0);
            return;
        }
        _invoke = &Invoke<TWork>;
        _work = Unsafe.AsPointer(ref work);   // on this stack frame, which outlives every task
        _tasks = tasks;
        Volatile.Write(ref _shared.Ended, 0);
        Interlocked.Exchange(ref _shared.Left, tasks);
        foreach (Helper helper in _helpers)
            if (Interlocked.Exchange(ref helper.Sleeping, 0) == 1) helper.Wake.Set();
        TakeTasks(worker: 0);
        var spin = new SpinWait();
        for (int i = 0; Volatile.Read(ref _shared.Ended) < tasks; i++)
        {
            if (i < 20_000) Thread.SpinWait(8);
            else spin.SpinOnce();   // a helper has lost its core with a task in hand: give way
        }
    }

    public void Dispose()
    {
        if (_stopping) return;
        _stopping = true;
        foreach (Helper helper in _helpers) helper.Wake.Set();
        foreach (Helper helper in _helpers)
        {
            helper.Thread!.Join();
            helper.Dispose();
        }
    }

    static void Invoke<TWork>(void* work, int task, int worker) where TWork : struct, IParallelWork => Unsafe.AsRef<TWork>(work).Run(task, worker);

    /// <summary>
    /// Whoever lowers the counter from n owns task tasks - n, and the caller waits for it to end: so what <see cref="Run"/> published stays valid
    /// while anyone owns a task, and a helper that comes late finds the counter at zero and touches nothing.
    /// </summary>
    void TakeTasks(int worker)
    {
        while (true)
        {
            int left = Volatile.Read(ref _shared.Left);
            if (left <= 0) return;
            if (Interlocked.CompareExchange(ref _shared.Left, left - 1, left) != left) continue;
            _invoke(_work, _tasks - left, worker);
            Interlocked.Increment(ref _shared.Ended);
        }
    }

    void Loop(Helper self)
    {
        long idleSince = Stopwatch.GetTimestamp();
        while (!_stopping)
        {
            if (Volatile.Read(ref _shared.Left) > 0)
            {
                TakeTasks(self.Index);
                idleSince = Stopwatch.GetTimestamp();
            }
            Thread.SpinWait(8);
            if (Stopwatch.GetTimestamp() - idleSince < SpinTicks) continue;
            Interlocked.Exchange(ref self.Sleeping, 1);
            // Looked at again after the flag is up: either this thread sees the work or the caller sees the flag.
            if (Volatile.Read(ref _shared.Left) > 0 || _stopping) Interlocked.Exchange(ref self.Sleeping, 0);
            else self.Wake.WaitOne();
            idleSince = Stopwatch.GetTimestamp();
        }
    }

    sealed class Helper(int index) : IDisposable
    {
        public readonly int Index = index;
        public readonly AutoResetEvent Wake = new(initialState: false);
        public int Sleeping;
        public Thread? Thread;

        public void Dispose() => Wake.Dispose();
    }

    /// <summary>The two counters that all threads write, on cache lines of their own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    struct Shared
    {
        [FieldOffset(64)] public int Left;
        [FieldOffset(128)] public int Ended;
    }
}
