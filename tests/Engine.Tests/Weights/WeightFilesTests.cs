using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Weights;

public sealed class WeightFilesTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_FolderOrFile_FindsTheWeights()
    {
        Write("model.safetensors", ("a", 1));
        using IWeightSource byFolder = WeightFiles.Open(_folder.Location), byFile = WeightFiles.Open(_folder["model.safetensors"]);
        Assert.Equal(["a"], byFolder.Names);
        Assert.Equal(byFolder.Description, byFile.Description);
    }

    [Fact]
    public void Open_Shards_GivesTheTensorsOfAll()
    {
        Write("model-1.safetensors", ("a", 1), ("b", 2));
        Write("model-2.safetensors", ("c", 3));
        WriteIndex("""{"metadata":{"total_size":12},"weight_map":{"a":"model-1.safetensors","b":"model-1.safetensors","c":"model-2.safetensors"}}""");
        using IWeightSource source = WeightFiles.Open(_folder.Location);
        Assert.Equal(["a", "b", "c"], source.Names);
        Assert.True(source.TryFind("c", out WeightEntry entry));
        Assert.Equal(3, entry.Singles()[0]);
        Assert.False(source.TryFind("d", out _));
    }

    [Theory]
    [InlineData("""{"a":"model-1.safetensors","x":"gone.safetensors","y":"away.safetensors"}""", "away.safetensors, gone.safetensors are missing")]
    [InlineData("""{"x":"model-1.safetensors"}""", "'x' is in model-1.safetensors, which does not hold it")]
    [InlineData("""{"a":"../model-1.safetensors"}""", "maps to '../model-1.safetensors', expected the plain name")]
    [InlineData("""{"a":"sub\\model-1.safetensors"}""", "expected the plain name")]
    [InlineData("""{"a":"/model-1.safetensors"}""", "expected the plain name")]
    [InlineData("""{"a":"C:model-1.safetensors"}""", "expected the plain name")]
    [InlineData("""{"a":"..safetensors"}""", "expected the plain name")]
    [InlineData("""{"a":"config.json"}""", "expected the plain name")]
    [InlineData("""{"a":7}""", "'a' maps to 7")]
    [InlineData("""{"a":"model-1.safetensors","a":"model-1.safetensors"}""", "names 'a' twice")]
    [InlineData("[]", "no object 'weight_map'")]
    [InlineData("{", "not valid JSON")]
    [InlineData("""{"\ud800":"model-1.safetensors"}""", "not valid JSON")]
    public void Open_BrokenIndex_IsRefused(string map, string problem)
    {
        Write("model-1.safetensors", ("a", 1));
        WriteIndex($$"""{"weight_map":{{map}}}""");
        string message = Assert.Throws<ModelFileException>(() => WeightFiles.Open(_folder.Location)).Message;
        Assert.Contains(problem, message);
        Assert.StartsWith(_folder[WeightFiles.Index], message);
    }

    [Fact]
    public void Open_WhatIsNotThere_SaysWhatToDo()
    {
        Assert.Contains("no such file or folder", Refusal(_folder["nowhere"]));
        Assert.Contains("holds none of model.safetensors, model.safetensors.index.json, pytorch_model.bin", Refusal(_folder.Location));
        Assert.Contains("is neither a safetensors nor a PyTorch file", Refusal(_folder.WriteText("notes.txt", "")));
    }

    [Fact]
    public void Open_SeveralInOneFolder_PrefersSafetensors()
    {
        File.Copy(TestData.Fixture("foreign", "hf_clipseg_tiny.bin"), _folder[WeightFiles.PyTorch]);
        using (IWeightSource source = WeightFiles.Open(_folder.Location)) Assert.Equal(_folder[WeightFiles.PyTorch], source.Description);
        Write("model.safetensors", ("a", 1));
        using (IWeightSource source = WeightFiles.Open(_folder.Location)) Assert.Equal(["a"], source.Names);
    }

    [Theory]
    [InlineData("clip.")]
    [InlineData("clipseg.")]
    [InlineData("")]
    public void PrefixedWeights_AnySpelling_AnswersToCanonicalNames(string stored)
    {
        Write("model.safetensors", ($"{stored}logit_scale", 1), ($"{stored}text_model.embeddings.position_ids", 2), ("decoder.film_mul.bias", 3));
        using var source = new PrefixedWeights(WeightFiles.Open(_folder.Location));
        Assert.Equal(["clip.logit_scale", "decoder.film_mul.bias"], source.Names.Order(StringComparer.Ordinal));
        foreach (string name in source.Names) Assert.True(source.TryFind(name, out _));
        Assert.True(source.TryFind("clip.logit_scale", out WeightEntry entry));
        Assert.Equal($"{stored}logit_scale", entry.Name);
        Assert.False(source.TryFind("clip.text_model.embeddings.position_ids", out _));
    }

    static string Refusal(string path) => Assert.Throws<ModelFileException>(() => WeightFiles.Open(path)).Message;

    void WriteIndex(string json) => _folder.WriteText(WeightFiles.Index, json);

    void Write(string name, params (string Name, float Value)[] tensors) => SafetensorsWriter.Write(_folder[name],
        [.. tensors.Select(tensor => new WeightToWrite(tensor.Name, new Shape(1), new[] { tensor.Value }))]);
}
