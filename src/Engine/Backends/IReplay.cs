namespace ClipSegNative.Backends;

/// <summary>A sequence of operations recorded once by <see cref="IBackend.Capture"/>; running it again costs no planning.</summary>
interface IReplay : IDisposable
{
    void Run();

    /// <summary>As <see cref="Run()"/>; a backend that can stop between two operations does, and the next run starts afresh.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before the last operation was started.</exception>
    void Run(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Run();
    }
}
