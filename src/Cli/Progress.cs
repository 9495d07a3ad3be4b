using Spectre.Console;
using Spectre.Console.Rendering;

namespace ClipSegNative.Cli;

/// <summary>How far a run is: a bar where somebody watches, else a line now and then, on the error stream either way.</summary>
sealed class Progress
{
    static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);

    readonly Host _host;
    readonly int _total;
    readonly bool _quiet;
    readonly IAnsiConsole? _console;
    readonly ProgressTask? _bar;
    readonly long _started;
    long _lastLine;
    int _done;

    Progress(Host host, int total, bool quiet, IAnsiConsole? console = null, ProgressTask? bar = null)
    {
        (_host, _total, _quiet, _console, _bar) = (host, total, quiet, console, bar);
        _started = _lastLine = host.Clock.GetTimestamp();
    }

    /// <param name="host">Whose error stream to use.</param>
    /// <param name="total">How many pictures there are; a single one gets no bar.</param>
    /// <param name="quiet">Only what <see cref="Say"/> is given.</param>
    /// <param name="work">Calls <see cref="Advance"/> once a picture.</param>
    public static void Run(Host host, int total, bool quiet, Action<Progress> work)
    {
        if (quiet || total < 2 || !host.ErrorIsTerminal)
        {
            work(new Progress(host, total, quiet));
            return;
        }
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(host.Error) });
        console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new CountColumn(), new RemainingTimeColumn())
            .Start(context => work(new Progress(host, total, quiet, console, context.AddTask("pictures", maxValue: total))));
    }

    /// <summary>A line of its own, beside a bar if there is one.</summary>
    public void Say(string line)
    {
        if (_console is null) _host.Error.WriteLine(line);
        else _console.WriteLine(line);
    }

    /// <summary>One picture more is done, well or not.</summary>
    public void Advance()
    {
        _done++;
        _bar?.Increment(1);
        if (_quiet || _bar is not null || _done == _total || _host.Clock.GetElapsedTime(_lastLine) < PlainInterval) return;
        _lastLine = _host.Clock.GetTimestamp();
        TimeSpan elapsed = _host.Clock.GetElapsedTime(_started);
        double speed = _done / elapsed.TotalSeconds;
        TimeSpan left = TimeSpan.FromSeconds(Math.Ceiling((_total - _done) / speed));
        _host.Error.WriteLine($"{_done} of {_total} pictures, {speed:0.0##} a second, about {left:c} left");
    }

    /// <summary>"12/40, 3.4/s": the library has percent and bytes only.</summary>
    sealed class CountColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Markup($"{task.Value:0}/{task.MaxValue:0}, {task.Speed ?? 0:0.0}/s");
    }
}
