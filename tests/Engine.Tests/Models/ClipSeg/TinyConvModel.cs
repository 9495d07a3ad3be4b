using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;

namespace ClipSegNative.Tests.Models.ClipSeg;

/// <summary>A randomly initialised model folder with a convolutional decoder: patches of 8, so four stages, two of them with an activation.</summary>
public sealed class TinyConvModel : IDisposable
{
    internal static readonly ClipSegConfig Config = new()
    {
        Text = new ClipTextConfig { VocabularySize = 600, HiddenSize = 32, IntermediateSize = 64, Layers = 2, Heads = 2, Positions = 20 },
        Vision = new ClipVisionConfig { HiddenSize = 48, IntermediateSize = 96, Layers = 4, Heads = 4, PatchSize = 8, ImageSize = 32 },
        ProjectionSize = 24,
        ExtractLayers = [0, 2],
        Conv = new ConvDecoderConfig { Channels = [24, 16, 12, 8], Groups = 4 },
    };

    public TinyConvModel()
    {
        RandomWeights.Write(Folder, Config, seed: 6);
        ClipVocabulary.WriteByteLevel(Folder, Config.Text.VocabularySize);
        using FileStream preprocessing = File.Create(Path.Combine(Folder, PreprocessorConfig.FileName));
        new PreprocessorConfig { Width = 16, Height = 24 }.WriteJson(preprocessing);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("clipseg-conv").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
