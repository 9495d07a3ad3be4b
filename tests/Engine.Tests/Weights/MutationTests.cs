using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tests.Weights.PyTorch;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Weights;

/// <summary>2,000 damaged files of every kind that a model consists of: each is read or refused in one line that names the file.</summary>
public sealed class MutationTests : IDisposable
{
    const int Files = 2000;
    const int MostSeconds = 30;   // a guard against hanging, not a measurement

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Safetensors_Mutated_IsReadOrRefused()
    {
        const string Header = """
            {"__metadata__":{"format":"pt"},"film_mul.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[2,2],"data_offsets":[8,16]}}
            """;
        Run("model.safetensors", TemporaryFolder.Safetensors(Header, new byte[16]), seed: 1, ReadWeights);
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 3)]
    public void PyTorch_Mutated_IsReadOrRefused(bool legacy, int seed)
    {
        byte[] elements = MemoryMarshal.AsBytes<float>([.. Enumerable.Range(0, 12).Select(i => (float)i)]).ToArray();
        byte[] pickle = new TorchPickle().Dictionary(items => items
            .Text("film_mul.weight").Tensor("FloatStorage", "0", 12, 0, [4, 3], [3, 1], legacy)
            .Text("blocks.0.self_attn.in_proj_weight").Tensor("FloatStorage", "0", 12, 0, [3, 4], [1, 3], legacy)
            .Text("clip_model.visual.proj").Tensor("HalfStorage", "1", 4, 1, [3], [1], legacy)).Done();
        Run("model.pth", legacy
            ? LegacyFile.Write(pickle, ("0", 12, elements), ("1", 4, new byte[8]))
            : ZipFile.Write(new("n/data.pkl", pickle), new("n/data/0", elements), new ZipEntry("n/data/1", new byte[8])), seed, ReadWeights);
    }

    [Fact]
    public void Config_Mutated_IsReadOrRefused() =>
        Run("config.json", File.ReadAllBytes(TestData.Fixture("clipseg-tiny-refined", "config.json")), seed: 4, _ => ClipSegConfig.Read(_folder.Location));

    [Fact]
    public void Preprocessor_Mutated_IsReadOrRefused()
    {
        using var json = new MemoryStream();
        new PreprocessorConfig().WriteJson(json);
        Run(PreprocessorConfig.FileName, json.ToArray(), seed: 5, _ => PreprocessorConfig.Read(_folder.Location));
    }

    [Theory]
    [InlineData(ClipVocabulary.IdsFile, 6)]
    [InlineData(ClipVocabulary.MergesFile, 7)]
    public void Vocabulary_Mutated_IsReadOrRefused(string file, int seed)
    {
        ClipVocabulary.WriteByteLevel(_folder.Location, 600);
        File.WriteAllText(_folder[ClipVocabulary.IdsFile], File.ReadAllText(_folder[ClipVocabulary.IdsFile]).Replace("{\"!\"", """{"cat</w>": 514, "at</w>": 513, "ca": 512,"!" """));
        File.WriteAllText(_folder[ClipVocabulary.MergesFile], "#version: 0.2\na t</w>\nc a\nc at</w>\n");
        Run(file, File.ReadAllBytes(_folder[file]), seed, _ => ClipTokenizer.Load(_folder.Location).Encode("Cat cab"));
    }

    static void ReadWeights(string path)
    {
        using IWeightSource source = WeightFiles.Open(path);
        foreach (string name in source.Names)
        {
            try
            {
                if (source.TryFind(name, out WeightEntry entry)) entry.Singles();
            }
            catch (ModelFileException e)
            {
                AssertRefusal(e, path);
            }
        }
    }

    void Run(string file, byte[] valid, int seed, Action<string> read)
    {
        string path = _folder[file];
        File.WriteAllBytes(path, valid);
        read(path);
        long most = 0, started = Stopwatch.GetTimestamp();
        int refused = 0;
        foreach (byte[] bytes in Mutations.Of(valid, Files, seed))
        {
            File.WriteAllBytes(path, bytes);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(path);
            }
            catch (ModelFileException e)
            {
                AssertRefusal(e, path);
                refused++;
            }
            most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, MostSeconds);
        }
        Assert.InRange(most, 1, 4_000_000);   // a vocabulary's table of ids takes 1 MB of it
        Assert.InRange(refused, Files / 10, Files - 1);   // neither all nothing nor all rubbish
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{file}: {refused} of {Files} refused, at most {most:N0} bytes allocated for one, {Stopwatch.GetElapsedTime(started).TotalSeconds:f1} s");
    }

    static void AssertRefusal(ModelFileException e, string path)
    {
        Assert.StartsWith(Path.GetDirectoryName(path)!, e.Message, StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(path)[..5], e.Message, StringComparison.Ordinal);
        Assert.False(e.Message.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029'), e.Message);
        Assert.InRange(Encoding.UTF8.GetByteCount(e.Message), 30, 2000);
    }
}
