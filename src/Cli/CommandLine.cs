using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text;
using ClipSegNative.Cli.Recipes;
using ClipSegNative.Training;

namespace ClipSegNative.Cli;

/// <summary>The whole program but for the process around it: arguments in, exit code out.</summary>
static class CommandLine
{
    public const string Name = "clipseg-native";

    const string Welcome = $"""
        {Name}: finds what phrases name in pictures.

        Examples:
          {Name} infer cat.jpg -t "a cat" --model clipseg-rd64-refined
          {Name} infer photos/ -t "a cat" -t "the sofa" -o out/ --recursive --skip-existing
          {Name} infer - -t "a cat" -o - < cat.jpg > mask.png

        The model that comes with the program knows rendered scenes only. For photographs:
        {Name} weights pull clipseg-rd64-refined; set {ModelFolder.Variable} to its name to leave out --model.

        All commands: {Name} --help. One command: {Name} infer --help.

        """;

    /// <summary>Runs one command line. Never throws: what goes wrong is one sentence on the error stream and an exit code.</summary>
    public static int Run(string[] args, Host host)
    {
        using var text = new StreamWriter(host.Output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };
        var verbose = new Option<bool>("--verbose") { Description = "Say more on the error stream, and give stack traces with errors", Recursive = true };
        // Without a replacer, '@' has no meaning: it may begin the name of a picture.
        ParseResult parse = Root(host, verbose).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        try
        {
            if (parse.Action is ParseErrorAction || parse.Action == parse.CommandResult.Command.Action) RefuseUnknownOptions(parse);
            if (parse.Action is ParseErrorAction wrong) return Refuse(parse, wrong, host);
            return parse.Invoke(new InvocationConfiguration
            {
                Output = text,
                Error = host.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,   // Program listens for signals itself
            });
        }
#pragma warning disable CA1031 // The outermost frame: users get a sentence, not a crash.
        catch (Exception error)
#pragma warning restore CA1031
        {
            (ExitCode code, string sentence) = Explain(error);
            host.Error.WriteLine(sentence);
            if (parse.GetValue(verbose)) host.Error.WriteLine(error);
            return (int)code;
        }
    }

    static RootCommand Root(Host host, Option<bool> verbose)
    {
        var root = new RootCommand("Finds what phrases name in pictures: a photo and a phrase go in, a mask comes out.")
        {
            new InferCommand(host, verbose),
            new TrainCommand(host),
            new PretrainCommand(host),
            new EvaluateCommand(host),
            new CalibrateCommand(host),
            new CompareCommand(host),
            new TokenizeCommand(host),
            new InfoCommand(host, verbose),
            new DoctorCommand(host),
            WeightsCommand.Make(host),
            DataCommand.Make(host),
            new ConvertCommand(host),
            new ExportCommand(host),
            new RecipeCommand(host),
            CompletionCommand.Make(),
        };
        root.Options.Add(verbose);
        foreach (HelpOption help in root.Options.OfType<HelpOption>()) help.Action = new HelpWithNotes((HelpAction)help.Action!);
        root.SetAction(parse =>
        {
            parse.InvocationConfiguration.Output.Write(Welcome);
            return (int)ExitCode.Ok;
        });
        return root;
    }

    /// <summary>The library would print the whole help to the output, where a pipe takes it for data, and exit with 1.</summary>
    static int Refuse(ParseResult parse, ParseErrorAction wrong, Host host)
    {
        wrong.ShowHelp = false;
        parse.Invoke(new InvocationConfiguration { Output = host.Error, Error = host.Error, ProcessTerminationTimeout = null });
        host.Error.WriteLine($"Try: {Path(parse)} --help");
        return (int)ExitCode.Usage;
    }

    /// <summary>To the library, a misspelled option is the name of one more picture.</summary>
    static void RefuseUnknownOptions(ParseResult parse)
    {
        if (parse.Tokens.Any(token => token.Type == TokenType.DoubleDash)) return;
        string? unknown = parse.CommandResult.Tokens.Select(token => token.Value).FirstOrDefault(value => value.StartsWith('-') && value != PictureInput.Pipe);
        if (unknown is not null)
            throw new UsageException($"there is no option {unknown} (try: {Path(parse)} --help); if it is not meant as one, put -- before the names.");
    }

    static string Path(ParseResult parse) => string.Join(' ', parse.CommandResult.Command.Parents.OfType<Command>()
        .Append(parse.CommandResult.Command).Select(command => command is RootCommand ? Name : command.Name));

    static (ExitCode Code, string Sentence) Explain(Exception error) => error switch
    {
        UsageException => (ExitCode.Usage, $"error: {error.Message}"),
        ModelFileException => (ExitCode.ModelFile, $"error: {error.Message}"),
        DeviceException => (ExitCode.Device, $"error: {error.Message}"),
        OperationCanceledException => (ExitCode.Interrupted, "interrupted"),
        PictureException or DataFileException or TrainingException or IOException or UnauthorizedAccessException => (ExitCode.Failed, $"error: {error.Message}"),
        OutOfMemoryException => (ExitCode.Failed, "error: there is not enough memory."),
        _ => (ExitCode.Failed, $"error: unexpected {error.GetType().Name}: {error.Message} (--verbose tells where)"),
    };

    /// <summary>The library's help, then the command's own notes and the exit codes.</summary>
    sealed class HelpWithNotes(HelpAction inner) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int code = inner.Invoke(parseResult);
            TextWriter output = parseResult.InvocationConfiguration.Output;
            if (parseResult.CommandResult.Command is IHasNotes command) output.WriteLine(command.Notes);
            output.Write(ExitCodes.Help);
            return code;
        }
    }
}

/// <summary>A command that has more to say in its help than the list of options.</summary>
interface IHasNotes
{
    string Notes { get; }
}
