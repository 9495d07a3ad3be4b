using System.CommandLine;
using System.Text;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli;

/// <summary>tokenize: phrases to the numbers the text tower reads.</summary>
sealed class TokenizeCommand : Command
{
    readonly Argument<string[]> _phrases = new("PHRASE") { Description = "Phrases, or - for one a line from standard input", Arity = ArgumentArity.OneOrMore };
    readonly Option<string?> _model = ModelFolder.Option();

    public TokenizeCommand(Host host) : base("tokenize", "Prints the token ids of phrases, one JSON object a line; reads the vocabulary only.")
    {
        Arguments.Add(_phrases);
        Options.Add(_model);
        SetAction(parse => (int)Run(ModelFolder.Find(parse.GetValue(_model), host), parse.GetRequiredValue(_phrases), host));
    }

    static ExitCode Run(string model, string[] phrases, Host host)
    {
        string folder = WeightFiles.FolderOf(model);
        int context = ModelFolder.ContextLength(folder);
        ClipTokenizer tokenizer = ClipTokenizer.Load(folder);
        foreach (string phrase in phrases.SelectMany(phrase => phrase == PictureInput.Pipe ? ReadLines(host.Input) : [phrase]))
        {
            host.Interrupted.ThrowIfCancellationRequested();
            TokenizedText tokens = tokenizer.Encode(phrase, context);
            Lines.Write(host.Output, new TokenLine(phrase, tokens.Ids, tokens.Truncated));
        }
        return ExitCode.Ok;
    }

    static IEnumerable<string> ReadLines(Stream input)
    {
        using var reader = new StreamReader(input, Encoding.UTF8, leaveOpen: true);
        while (reader.ReadLine() is { } line) yield return line;
    }
}
