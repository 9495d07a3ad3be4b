using Spectre.Console;

namespace ClipSegNative.Cli.Hub;

/// <summary>How far a file has come: a bar where somebody watches, else a line now and then, on the error stream either way.</summary>
static class DownloadProgress
{
    static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);

    /// <param name="host">Whose error stream to use.</param>
    /// <param name="name">What is fetched.</param>
    /// <param name="bytes">Of the whole; null where nobody knows.</param>
    /// <param name="fetch">Calls what it is given with the number of bytes that are there.</param>
    public static async Task RunAsync(Host host, string name, long? bytes, Func<Action<long>, Task> fetch)
    {
        if (host.ErrorIsTerminal)
        {
            IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(host.Error) });
            await console.Progress().AutoClear(true)
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
                .StartAsync(async context =>
                {
                    ProgressTask bar = context.AddTask(Markup.Escape(name), maxValue: bytes ?? 1);
                    bar.IsIndeterminate = bytes is null;
                    await fetch(there => bar.Value = there).ConfigureAwait(false);
                }).ConfigureAwait(false);
            return;
        }
        long last = host.Clock.GetTimestamp();
        await fetch(there =>
        {
            if (host.Clock.GetElapsedTime(last) < PlainInterval) return;
            last = host.Clock.GetTimestamp();
            host.Error.WriteLine($"{name}: {there / 1e6:0.0}{(bytes is { } all ? $" of {all / 1e6:0.0}" : "")} MB");
        }).ConfigureAwait(false);
    }
}
