using System.Threading.Channels;

namespace ClipSegNative.Cli;

/// <summary>Work that is done beside whoever takes its results: on a thread of its own, in order, a bounded number of results ahead.</summary>
sealed class Stage<T>
{
    readonly Channel<T> _results;
    readonly Task _work;

    /// <param name="work">Each step of it makes a result; what it throws comes out where the results are taken.</param>
    /// <param name="ahead">Finished results that may wait; one more may be in the making.</param>
    /// <param name="stop">Ends it between two results.</param>
    public Stage(IEnumerable<T> work, int ahead, CancellationToken stop)
    {
        _results = Channel.CreateBounded<T>(new BoundedChannelOptions(ahead) { SingleReader = true, SingleWriter = true });
        _work = Task.Factory.StartNew(() => Run(work, stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>To be taken once.</summary>
    public IEnumerable<T> Results(CancellationToken interrupted) => _results.Reader.ReadAllAsync(interrupted).ToBlockingEnumerable(interrupted);

    /// <summary>Until nothing of it runs any more: for whoever stopped it and frees what it used.</summary>
    public void Wait() => _work.Wait();

    void Run(IEnumerable<T> work, CancellationToken stop)
    {
        try
        {
            foreach (T result in work)
            {
                stop.ThrowIfCancellationRequested();
                _results.Writer.WriteAsync(result, stop).AsTask().GetAwaiter().GetResult();
            }
            _results.Writer.Complete();
        }
#pragma warning disable CA1031 // It comes out where the results are taken.
        catch (Exception error) { _results.Writer.Complete(error); }
#pragma warning restore CA1031
    }
}
