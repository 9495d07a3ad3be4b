namespace ClipSegNative.Backends;

/// <summary>A sequence of operations recorded once by <see cref="IBackend.Capture"/>; running it again costs no planning.</summary>
interface IReplay : IDisposable
{
    void Run();
}
