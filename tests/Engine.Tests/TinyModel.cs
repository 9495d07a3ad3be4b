using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;

namespace ClipSegNative.Tests;

/// <summary>A randomly initialised model folder of a few hundred kilobytes, deleted with the object.</summary>
public sealed class TinyModel : IDisposable
{
    internal static readonly ClipSegConfig Config = new()
    {
        Text = new ClipTextConfig { VocabularySize = 600, HiddenSize = 32, IntermediateSize = 64, Layers = 2, Heads = 2, Positions = 20 },
        Vision = new ClipVisionConfig { HiddenSize = 48, IntermediateSize = 96, Layers = 4, Heads = 4, PatchSize = 16, ImageSize = 64 },
        ProjectionSize = 24,
        ExtractLayers = [0, 2],
        ReduceSize = 16,
        DecoderHeads = 2,
        DecoderIntermediateSize = 40,
        ComplexUpsampler = true,
    };

    public TinyModel()
    {
        RandomWeights.Write(Folder, Config, seed: 5);
        ClipVocabulary.WriteByteLevel(Folder, Config.Text.VocabularySize);
        using FileStream preprocessing = File.Create(Path.Combine(Folder, PreprocessorConfig.FileName));
        new PreprocessorConfig { Width = 96, Height = 64 }.WriteJson(preprocessing);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("clipseg-tiny").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
