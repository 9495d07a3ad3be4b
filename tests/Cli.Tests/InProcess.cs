using System.Text;
using System.Text.Json;

namespace ClipSegNative.Cli.Tests;

/// <summary>What one command line gave.</summary>
sealed record CommandResult(int Code, byte[] Output, string Error)
{
    public string Text => Encoding.UTF8.GetString(Output);

    public string[] Lines => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public JsonElement[] Json => [.. Lines.Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>The same, for a call that must have worked.</summary>
    public CommandResult Expect(ExitCode code)
    {
        Assert.True(Code == (int)code, $"exit code {Code}, not {(int)code}: {Error}");
        return this;
    }
}

/// <summary>Runs command lines inside the test process.</summary>
static class InProcess
{
    /// <summary>A program that comes without models: tests name theirs.</summary>
    static readonly ShippedModels NoModels = new(Path.Combine(AppContext.BaseDirectory, "without-models"));

    public static CommandResult Run(params string[] arguments) => Run(arguments, input: null);

    public static CommandResult Run(
        string[] arguments, byte[]? input = null, Dictionary<string, string>? variables = null, TextWriter? error = null,
        TimeProvider? clock = null, bool terminal = false, CancellationToken? interrupted = null, ShippedModels? shipped = null)
    {
        using var output = new MemoryStream();
        error ??= new StringWriter();
        var host = new Host(new MemoryStream(input ?? []), output, error, interrupted ?? TestContext.Current.CancellationToken)
        {
            InputIsTerminal = input is null,
            ErrorIsTerminal = terminal,
            Variable = name => variables?.GetValueOrDefault(name),
            Clock = clock ?? TimeProvider.System,
            Shipped = shipped ?? NoModels,
        };
        int code = CommandLine.Run(arguments, host);
        return new CommandResult(code, output.ToArray(), error.ToString()!);
    }

    /// <summary>infer with the tiny model on one thread.</summary>
    public static CommandResult Infer(this TinyModel model, params string[] arguments) => Run(model.InferArguments(arguments), input: null);

    public static string[] InferArguments(this TinyModel model, params string[] arguments) =>
        ["infer", "--model", model.Location, "--threads", "1", .. arguments];
}
