namespace ClipSegNative.Cli.Tests.Recipes;

/// <summary>The recipe of the default models itself, every stage as small as can be.</summary>
public sealed class QuickRecipeTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Recipe_Quick_MakesBothModelsWithScoresAndCards()
    {
        CommandResult result = InProcess.Run("recipe", "--out", _folder["out"], "--quick", "--seed", "5").Expect(ExitCode.Ok);
        foreach (string model in ShippedModels.Names)
        {
            string folder = _folder[$"out/weights/{model}"];
            foreach (string file in (string[])["config.json", "model.safetensors", "preprocessor_config.json", "vocab.json", "merges.txt", "segmentation_config.json", "README.md"])
                Assert.True(File.Exists(Path.Combine(folder, file)), $"{model} has no {file}");
            Assert.Contains(result.Text, File.ReadAllText(Path.Combine(folder, "README.md")), StringComparison.Ordinal);
        }
        foreach (string row in (string[])["| seen, large | mean IoU |", "| unseen_shapes, all | mean IoU |", "| negative, large | empty masks |", "| nearmiss, large | empty masks |"])
            Assert.Contains(row, result.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("== ", InProcess.Run("recipe", "--out", _folder["out"], "--quick", "--seed", "5").Expect(ExitCode.Ok).Error, StringComparison.Ordinal);
    }
}
