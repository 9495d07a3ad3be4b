using Spectre.Console;
using Spectre.Console.Rendering;

namespace ClipSegNative.Cli;

/// <summary>How far a run is: a bar where somebody watches, else a line now and then, on the error stream either way.</summary>
sealed class Progress
{
    static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);

    readonly Host _host;
    readonly int _total;
    readonly string _what;
    readonly bool _quiet;
    readonly IAnsiConsole? _console;
    readonly ProgressTask? _bar;
    readonly long _started;
    long _lastLine;
    int _done;

    Progress(Host host, int total, string what, bool quiet, IAnsiConsole? console = null, ProgressTask? bar = null)
    {
        (_host, _total, _what, _quiet, _console, _bar) = (host, total, what, quiet, console, bar);
        _started = _lastLine = host.Clock.GetTimestamp();
    }

    /// <param name="host">Whose error stream to use.</param>
    /// <param name="total">How many pieces of work there are; a single one gets no bar.</param>
    /// <param name="what">What they are, as in "pictures".</param>
    /// <param name="quiet">Only what <see cref="Say"/> is given.</param>
    /// <param name="work">Calls <see cref="Advance"/> once a piece.</param>
    public static void Run(Host host, int total, string what, bool quiet, Action<Progress> work)
    {
        if (quiet || total < 2 || !host.ErrorIsTerminal)
        {
            work(new Progress(host, total, what, quiet));
            return;
        }
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(host.Error) });
        console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new CountColumn(), new RemainingTimeColumn())
            .Start(context => work(new Progress(host, total, what, quiet, console, context.AddTask(what, maxValue: total))));
    }

    /// <summary>A line of its own, beside a bar if there is one.</summary>
    public void Say(string line)
    {
        if (_console is null) _host.Error.WriteLine(line);
        else _console.WriteLine(line);
    }

    /// <summary>One piece more is done, well or not.</summary>
    /// <param name="note">How things stand, if there is anything to say; ends with a comma and a space.</param>
    public void Advance(string note = "")
    {
        _done++;
        if (_bar is not null)
        {
            _bar.Increment(1);
            _bar.Description = Markup.Escape($"{note}{_what}");
        }
        if (_quiet || _bar is not null || _done == _total || _host.Clock.GetElapsedTime(_lastLine) < PlainInterval) return;
        _lastLine = _host.Clock.GetTimestamp();
        TimeSpan elapsed = _host.Clock.GetElapsedTime(_started);
        double speed = _done / elapsed.TotalSeconds;
        TimeSpan left = TimeSpan.FromSeconds(Math.Ceiling((_total - _done) / speed));
        _host.Error.WriteLine($"{_done} of {_total} {_what}, {note}{speed:0.0##} a second, about {left:c} left");
    }

    /// <summary>"12/40, 3.4/s": the library has percent and bytes only.</summary>
    sealed class CountColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Markup($"{task.Value:0}/{task.MaxValue:0}, {task.Speed ?? 0:0.0}/s");
    }
}
