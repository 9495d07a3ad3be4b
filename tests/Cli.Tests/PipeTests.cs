using System.Text;
using System.Text.Json;

namespace ClipSegNative.Cli.Tests;

public sealed class PipeTests(TinyModel model) : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("mask", "cat.a-cat.mask.png")]
    [InlineData("heatmap", "cat.a-cat.heatmap.png")]
    [InlineData("npy", "cat.npy")]
    [InlineData("logits", "cat.logits.npy")]
    public void Infer_FromPipeToPipe_GivesTheBytesOfTheFile(string kind, string file)
    {
        string picture = _folder.Picture("cat.png");
        model.Infer(picture, "-t", "a cat", "--output", kind).Expect(ExitCode.Ok);
        CommandResult piped = InProcess.Run(model.InferArguments("-", "-t", "a cat", "-o", "-", "--output", kind), File.ReadAllBytes(picture));
        Assert.Equal(File.ReadAllBytes(_folder[file]), piped.Expect(ExitCode.Ok).Output);
    }

    [Fact]
    public void Infer_JsonToPipe_IsOneObjectWithoutDevice()
    {
        CommandResult result = model.Infer(_folder.Picture("cat.png"), "-t", "a cat", "-t", "b", "-o", "-", "--output", "json").Expect(ExitCode.Ok);
        JsonElement line = Assert.Single(result.Json);
        Assert.Equal(2, line.GetProperty("results").GetArrayLength());
        Assert.False(line.TryGetProperty("device", out _));
    }

    [Fact]
    public void Infer_FromPipeWithOut_IsNamedStdin()
    {
        byte[] picture = File.ReadAllBytes(_folder.Picture("cat.png"));
        InProcess.Run(model.InferArguments("-", "-t", "a cat", "-o", _folder["out"]), picture).Expect(ExitCode.Ok);
        Assert.Equal(["stdin.a-cat.mask.png"], _folder.Files("out"));
    }

    [Fact]
    public void Infer_NoiseFromPipe_IsAFailedInputWithoutData()
    {
        CommandResult result = InProcess.Run(model.InferArguments("-", "-t", "a cat", "-o", "-"), "Hello"u8.ToArray()).Expect(ExitCode.SomeInputsFailed);
        Assert.Contains("standard input is not a picture", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("-t", "x", "-t", "y")]
    [InlineData("-t", "x", "--output", "mask,npy")]
    [InlineData("-t", "x", "--json")]
    [InlineData("-t", "x", "b.png")]
    [InlineData("-t", "x", "-")]
    public void Infer_MoreThanOneResultToPipe_IsUsage(params string[] more)
    {
        CommandResult result = InProcess.Run(model.InferArguments(["-", "-o", "-", .. more]), [1]).Expect(ExitCode.Usage);
        Assert.Empty(result.Output);
        Assert.Single(result.Error.Trim().Split('\n'));
    }

    [Fact]
    public void Infer_PipeThatIsATerminal_IsUsage() => model.Infer("-", "-t", "x").Expect(ExitCode.Usage);

    [Fact]
    public void Tokenize_ByteLevelVocabulary_SpellsBytes()
    {
        // ByteSymbols: '!' to '~' are ids 0 to 93, and 256 more where a word ends; then come the Latin-1 letters.
        CommandResult result = InProcess.Run("tokenize", "--model", model.Location, "A cat!", "");
        Assert.Equal(
            [
                """{"text":"A cat!","ids":[598,320,66,64,339,256,599],"truncated":false}""",
                """{"text":"","ids":[598,599],"truncated":false}""",
            ], result.Expect(ExitCode.Ok).Lines);
        Assert.Empty(result.Error);
    }

    [Fact]
    public void Tokenize_LongPhraseFromPipe_IsCutAndReadable()
    {
        byte[] input = Encoding.UTF8.GetBytes($"ein Bär <3\n{new string('x', 100)}\n");
        JsonElement[] lines = InProcess.Run(["tokenize", "--model", model.Location, "-"], input).Expect(ExitCode.Ok).Json;
        Assert.Equal(["ein Bär <3", new string('x', 100)], lines.Select(line => line.GetProperty("text").GetString()));
        Assert.Equal([false, true], lines.Select(line => line.GetProperty("truncated").GetBoolean()));
        Assert.Equal(77, lines[1].GetProperty("ids").GetArrayLength());
    }

    [Fact]
    public void Tokenize_VocabularyAlone_NeedsNoWeights()
    {
        foreach (string file in (string[])["vocab.json", "merges.txt"]) File.Copy(Path.Combine(model.Location, file), _folder[file]);
        CommandResult result = InProcess.Run("tokenize", "--model", _folder.Location, "Bär <3").Expect(ExitCode.Ok);
        Assert.Contains("\"Bär <3\"", result.Text, StringComparison.Ordinal);
    }
}
