using System.Text;
using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Imaging;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Reference;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests;

/// <summary>Packed weights in files change how a model is loaded and nothing else, whatever lies in their folder.</summary>
public sealed class PackedWeightsTests : IDisposable
{
    readonly TinyModel _model = new();
    readonly string _folder = Path.Combine(Directory.CreateTempSubdirectory("clipseg-packed").FullName, "made when it is needed");

    public void Dispose()
    {
        _model.Dispose();
        Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);
    }

    [Theory, InlineData(Precision.Fp32), InlineData(Precision.F16Weights), InlineData(Precision.Int8), InlineData(Precision.Bf16)]
    public void Load_WrittenThenMapped_GivesTheSameBits(Precision precision)
    {
        SegmenterOptions options = Options() with { Precision = precision, EmulatePrecision = precision == Precision.Bf16 };
        float[] expected = Run(options with { PackedWeights = null });
        Assert.Equal(expected, Run(options));
        DateTime written = File.GetLastWriteTimeUtc(OnlyFile());
        Assert.Equal(expected, Run(options));
        Assert.Equal(expected, Run(options with { Check = true, Threads = 3 }));
        Assert.Equal(written, File.GetLastWriteTimeUtc(OnlyFile()));
    }

    [Theory, InlineData("avx512"), InlineData("avx2"), InlineData("portable")]
    public void Load_OtherPanelsOrDecoder_HasAFileOfItsOwn(string path)
    {
        Run(Options() with { CpuPath = "portable" });
        CpuBackends.SkipUnlessTested(Enum.Parse<CpuInstructionSet>(path, ignoreCase: true));
        ClipSegConfig config = TinyModel.Config with { Conv = new ConvDecoderConfig { Channels = [12, 8, 8, 8, 7], Groups = 1 }, ExtractLayers = [0, 2] };
        RandomWeights.Write(_model.Folder, config, seed: 7);   // biases of 7 and 1 elements: not whole cache lines
        SegmenterOptions options = Options() with { CpuPath = path };
        float[] expected = Run(options with { PackedWeights = null });
        Assert.Equal(expected, Run(options));
        Assert.Equal(expected, Run(options));
        Assert.Equal(path == "portable" ? 1 : 2, Directory.GetFiles(_folder).Length);
        foreach (string file in Directory.GetFiles(_folder)) Assert.Contains(Path.GetFileName(_model.Folder), file, StringComparison.Ordinal);
    }

    /// <summary>Otherwise the other tests would also pass if no file were ever read.</summary>
    [Fact]
    public void Load_Mapped_TakesTheFilesNumbers()
    {
        float[] expected = Run(Options());
        byte[] bytes = File.ReadAllBytes(OnlyFile());
        bytes.AsSpan(bytes.Length / 2).Clear();
        File.WriteAllBytes(OnlyFile(), bytes);
        Assert.NotEqual(expected, Run(Options()));
    }

    public static TheoryData<string> Damages => ["nothing in it", "cut short", "header cut", "header broken", "zeros", "another layout", "another program"];

    [Theory, MemberData(nameof(Damages))]
    public void Load_FileThatDoesNotFit_IsMadeAnewWithOneLine(string damage)
    {
        float[] expected = Run(Options());
        byte[] bytes = File.ReadAllBytes(OnlyFile());
        byte[] damaged = damage switch
        {
            "nothing in it" => [],
            "cut short" => bytes[..^64],
            "header cut" => bytes[..100],
            "header broken" => Replace(bytes, "\"dtype\"", "\"dtipe\""),
            "zeros" => new byte[bytes.Length],
            "another layout" => Replace(bytes, "\"layout\":\"cpu", "\"layout\":\"cpV"),
            _ => Replace(bytes, "\"program\":\"0", "\"program\":\"9"),
        };
        File.WriteAllBytes(OnlyFile(), damaged);
        Assert.Equal(expected, Run(Options(), out string? warning));
        Assert.Contains(OnlyFile(), warning, StringComparison.Ordinal);
        Assert.EndsWith("made anew.", warning, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', warning!);
        Assert.Equal(expected, Run(Options(), out warning));
        Assert.Null(warning);
        Assert.Equal(bytes, File.ReadAllBytes(OnlyFile()));
    }

    [Fact]
    public void Load_OtherWeightsInTheSamePlace_AreNotMistaken()
    {
        float[] former = Run(Options());
        string weights = Path.Combine(_model.Folder, WeightFiles.Single);
        DateTime time = File.GetLastWriteTimeUtc(weights);
        RandomWeights.Write(_model.Folder, TinyModel.Config, seed: 6);
        File.SetLastWriteTimeUtc(weights, time.AddSeconds(2));
        float[] expected = Run(Options() with { PackedWeights = null });
        Assert.NotEqual(former, expected);
        Assert.Equal(expected, Run(Options(), out string? warning));
        Assert.EndsWith("differs in its 'weights' from what is loaded; made anew.", warning, StringComparison.Ordinal);
        Assert.Equal(expected, Run(Options()));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Load_FolderThatCannotBeWritten_CostsOneLine()
    {
        float[] expected = Run(Options() with { PackedWeights = null });
        File.WriteAllText(_folder, "a file");
        Assert.Equal(expected, Run(Options(), out string? warning));
        Assert.Contains("cannot be written", warning, StringComparison.Ordinal);
        Assert.Equal("a file", File.ReadAllText(_folder));
    }

    [Fact]
    public void Load_DeviceWithoutSuchFiles_SaysSo()
    {
        float[] expected = Run(Options() with { PackedWeights = null, Backend = () => new ReferenceBackend() });
        Assert.Equal(expected, Run(Options() with { Backend = () => new ReferenceBackend() }, out string? warning));
        Assert.Contains("for the CPU only", warning, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder));
    }

    /// <summary>A file written without the blocks that image prompts need is completed, and a load that needs less leaves it as it is.</summary>
    [Fact]
    public void Load_FileThatLacksSomething_IsCompleted()
    {
        Run(Options() with { ImagePrompts = false });
        long few = new FileInfo(OnlyFile()).Length;
        float[] expected = Run(Options() with { PackedWeights = null });
        Assert.Equal(expected, Run(Options(), out string? warning));
        Assert.Null(warning);
        byte[] all = File.ReadAllBytes(OnlyFile());
        Assert.True(all.Length > few);
        Run(Options() with { ImagePrompts = false });
        Assert.Equal(expected, Run(Options()));
        Assert.Equal(all, File.ReadAllBytes(OnlyFile()));
    }

    [Fact]
    public async Task Load_SeveralAtOnce_AllAgree()
    {
        float[] expected = Run(Options() with { PackedWeights = null });
        for (int round = 0; round < 3; round++)
        {
            float[][] results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Run(Options()))));
            Assert.All(results, result => Assert.Equal(expected, result));
            Assert.Single(Directory.GetFiles(_folder));
            File.Delete(OnlyFile());
        }
    }

    /// <summary>Every file is refused by a device that lays matrices out otherwise, also where it is as long: sizes are compared with what the matrix needs.</summary>
    [Fact]
    public unsafe void BorrowMatrix_OfOtherSize_IsRefused()
    {
        using IBackend backend = CpuBackend.Create(CpuInstructionSet.Portable, threads: 1);
        using PackedMatrix matrix = backend.AllocateMatrix(8, 5);
        fixed (byte* bytes = matrix.Contents)
        {
            Assert.NotNull(backend.BorrowMatrix(8, 5, PrecisionFloor.None, bytes, matrix.Bytes));
            Assert.Null(backend.BorrowMatrix(8, 6, PrecisionFloor.None, bytes, matrix.Bytes));
            Assert.Null(backend.BorrowMatrix(8, 5, PrecisionFloor.None, bytes, matrix.Bytes - 4));
        }
    }

    SegmenterOptions Options() => new() { PackedWeights = _folder, Threads = 2 };

    string OnlyFile() => Assert.Single(Directory.GetFiles(_folder));

    float[] Run(SegmenterOptions options) => Run(options, out _);

    float[] Run(SegmenterOptions options, out string? warning)
    {
        using Segmenter segmenter = Segmenter.Load(_model.Folder, options);
        warning = segmenter.PackedWeightsWarning;
        using EncodedImage image = segmenter.Encode(Noise(77, 33));
        Prompt[] prompts = options.ImagePrompts ? ["a cat", segmenter.Like(Noise(20, 50))] : ["a cat"];
        return [.. image.Segment(prompts).SelectMany(result => result.Logits.ToArray())];
    }

    static Picture Noise(int width, int height)
    {
        var pixels = new byte[width * height * Picture.Channels];
        new Random(width).NextBytes(pixels);
        return Picture.FromRgb(pixels, width, height, width * Picture.Channels);
    }

    static byte[] Replace(byte[] bytes, string former, string later)
    {
        int at = bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(former));
        Assert.True(at > 0 && later.Length == former.Length);
        var copy = (byte[])bytes.Clone();
        Encoding.UTF8.GetBytes(later).CopyTo(copy, at);
        return copy;
    }
}
