using ClipSegNative.Imaging;
using ClipSegNative.Text;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>
/// ONNX Runtime as CLIPSeg is usually deployed: one graph with all twelve vision blocks, and the picture repeated for each phrase, as the model's own example
/// code does it.
/// </summary>
sealed class OrtWholeEngine(PeerModel model, int threads) : IEngine
{
    readonly OrtGraph _graph = new(Path.Combine(model.Graphs, GraphFiles.Whole), threads);
    readonly ClipTokenizer _tokenizer = model.Tokenizer();
    readonly PicturePreprocessor _preprocessor = model.Preprocessor;
    readonly Dictionary<(int Phrases, int Length), (float[] Pixels, long[] Ids, OrtGraph.Binding Run)> _bindings = [];

    public Action? Encode(int batch) => null;

    public Action? Embed(int phrases) => null;

    /// <summary>It has no encoded picture: it runs the picture again.</summary>
    public Action? Ask(bool known) => Segment(1);

    public Action? Segment(int phrases) => () => Run(model.NewPhrases(phrases));

    public float[] Logits(IReadOnlyList<string> phrases) => [.. Run(phrases)];

    public void Dispose() => _graph.Dispose();

    float[] Run(IReadOnlyList<string> phrases)
    {
        long[] ids = OrtEngine.Ids(_tokenizer, phrases, out int length);
        if (!_bindings.TryGetValue((phrases.Count, length), out (float[] Pixels, long[] Ids, OrtGraph.Binding Run) binding))
            _bindings[(phrases.Count, length)] = binding = Bind(phrases.Count, length);
        int picture = model.PixelCount;
        _preprocessor.Run(model.Picture, binding.Pixels.AsSpan(0, picture));
        for (int i = 1; i < phrases.Count; i++) binding.Pixels.AsSpan(0, picture).CopyTo(binding.Pixels.AsSpan(i * picture));
        ids.CopyTo(binding.Ids, 0);
        binding.Run.Run();
        return binding.Run.Output;
    }

    (float[] Pixels, long[] Ids, OrtGraph.Binding Run) Bind(int phrases, int length)
    {
        var pixels = new float[phrases * model.PixelCount];
        var ids = new long[phrases * length];
        int side = model.Config.LogitsPerPatch, height = model.Grid.Height * side, width = model.Grid.Width * side, tokens = 1 + model.Grid.Cells;
        OrtGraph.Binding run = _graph.Bind(
            [("pixel_values", pixels, [phrases, Picture.Channels, model.Preprocessing.Height, model.Preprocessing.Width]), ("input_ids", ids, [phrases, length])],
            [
                ("logits", new float[phrases * height * width], [phrases, height, width]),
                (GraphFiles.Hidden, new float[phrases * tokens * model.Config.Vision.HiddenSize], [phrases, tokens, model.Config.Vision.HiddenSize]),
            ]);
        return (pixels, ids, run);
    }
}
