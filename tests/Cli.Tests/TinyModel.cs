using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Cli.Tests;

/// <summary>A model folder as <c>weights init</c> makes it, but small: made once for all tests.</summary>
public sealed class TinyModel : IDisposable
{
    public const int Side = 64;

    readonly TestFolder _folder = new();

    public TinyModel()
    {
        var config = new ClipSegConfig
        {
            Vision = new ClipVisionConfig { HiddenSize = 48, IntermediateSize = 96, Layers = 5, Heads = 4, PatchSize = 16, ImageSize = 64 },
            Text = new ClipTextConfig
            {
                HiddenSize = 16,
                IntermediateSize = 32,
                Layers = 2,
                Heads = 2,
                VocabularySize = 600,
                BeginTokenId = 598,
                EndTokenId = 599,
            },
            ProjectionSize = 16,
            ExtractLayers = [1, 2, 3],
            ReduceSize = 16,
            DecoderIntermediateSize = 32,
        };
        WeightsCommand.Write(Location, config, seed: 7, vocabulary: null, new Host(Stream.Null, Stream.Null, TextWriter.Null, CancellationToken.None));
        AtomicFile.Write(Path.Combine(Location, PreprocessorConfig.FileName), new PreprocessorConfig { Width = Side, Height = Side }.WriteJson);
    }

    public string Location => _folder.Location;

    public void Dispose() => _folder.Dispose();
}
