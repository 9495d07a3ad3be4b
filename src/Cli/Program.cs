using System.Runtime.InteropServices;
using System.Text;

namespace ClipSegNative.Cli;

static class Program
{
    /// <summary>Work that does not notice an interruption this long is left where it stands; users are promised an end within a second.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(600);

    const string ShowCursor = "\e[?25h";

    static int Main(string[] args)
    {
        using var interruption = new CancellationTokenSource();
        using Stream input = Console.OpenStandardInput(), output = Console.OpenStandardOutput();
        using var utf8 = new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true };
        // A terminal is written to as it wishes, and the progress bar knows one by this writer; a file or pipe gets UTF-8 everywhere.
        TextWriter error = Console.IsErrorRedirected ? TextWriter.Synchronized(utf8) : Console.Error;
        var host = new Host(input, output, error, interruption.Token)
        {
            InputIsTerminal = !Console.IsInputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
        };
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return CommandLine.Run(args, host);

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            _ = LeaveAsync(host);
            interruption.Cancel();
        }
    }

    static async Task LeaveAsync(Host host)
    {
        await Task.Delay(Patience).ConfigureAwait(false);
        lock (host.Writing)
        {
            if (host.ErrorIsTerminal) host.Error.Write(ShowCursor);   // a progress bar hides it
            Environment.Exit((int)ExitCode.Interrupted);
        }
    }
}
