using ClipSegNative.Imaging;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>ONNX Runtime on our split graphs: pictures are encoded once and phrases are batched, the best a careful user gets from it.</summary>
/// <param name="model">What to run.</param>
/// <param name="threads">Of each session; they run one after the other.</param>
/// <param name="variant">Which of the graphs: "" or <see cref="GraphFiles.Int8"/>.</param>
sealed class OrtEngine(PeerModel model, int threads, string variant) : IEngine
{
    readonly OrtGraph _vision = new(Path.Combine(model.Graphs, $"vision{variant}.onnx"), threads);
    readonly OrtGraph _text = new(Path.Combine(model.Graphs, $"text{variant}.onnx"), threads);
    readonly OrtGraph _decoder = new(Path.Combine(model.Graphs, $"decoder{variant}.onnx"), threads);
    readonly ClipTokenizer _tokenizer = model.Tokenizer();
    readonly PicturePreprocessor _preprocessor = model.Preprocessor;
    readonly Dictionary<int, Answers> _answers = [];

    ClipSegConfig Config => model.Config;

    public Action? Encode(int batch)
    {
        Encoding encoding = new(this, model, batch);
        model.Pixels(batch).CopyTo(encoding.Pixels, 0);
        return encoding.Run.Run;
    }

    public Action? Embed(int phrases)
    {
        Answers answers = AnswersFor(phrases);
        return () => answers.Embed(model.NewPhrases(phrases));
    }

    public Action? Ask(bool known)
    {
        Answers answers = AnswersFor(1);
        _preprocessor.Run(model.Picture, answers.Encoding.Pixels);
        answers.Encoding.Run.Run();
        answers.Embed(model.NewPhrases(1));
        return () =>
        {
            if (!known) answers.Embed(model.NewPhrases(1));
            answers.Decode.Run();
        };
    }

    public Action? Segment(int phrases) => () => Run(model.NewPhrases(phrases));

    public float[] Logits(IReadOnlyList<string> phrases) => [.. Run(phrases)];

    public void Dispose()
    {
        _vision.Dispose();
        _text.Dispose();
        _decoder.Dispose();
    }

    /// <returns>Valid until the next call for as many phrases.</returns>
    float[] Run(IReadOnlyList<string> phrases)
    {
        Answers answers = AnswersFor(phrases.Count);
        _preprocessor.Run(model.Picture, answers.Encoding.Pixels);
        answers.Encoding.Run.Run();
        answers.Embed(phrases);
        answers.Decode.Run();
        return answers.Decode.Output;
    }

    Answers AnswersFor(int phrases) => _answers.TryGetValue(phrases, out Answers? answers) ? answers : _answers[phrases] = new Answers(this, model, phrases);

    /// <summary>The ids of phrases, padded to the longest with end tokens, as Hugging Face's processor pads them.</summary>
    public static long[] Ids(ClipTokenizer tokenizer, IReadOnlyList<string> phrases, out int length)
    {
        int[][] ids = [.. phrases.Select(phrase => tokenizer.Encode(phrase).Ids)];
        int longest = length = ids.Max(row => row.Length);
        return [.. ids.SelectMany(row => row.Concat(Enumerable.Repeat(tokenizer.EndId, longest - row.Length))).Select(id => (long)id)];
    }

    sealed class Encoding
    {
        public Encoding(OrtEngine engine, PeerModel model, int batch)
        {
            (int height, int width) = (model.Preprocessing.Height, model.Preprocessing.Width);
            int tokens = 1 + model.Grid.Cells;
            Pixels = new float[batch * model.PixelCount];
            Features = [.. engine.Config.FeatureWidths.Select((channels, i) => ($"features_{i}", new float[batch * tokens * channels], (long[])[batch, tokens, channels]))];
            Run = engine._vision.Bind([("pixel_values", Pixels, [batch, Picture.Channels, height, width])], Features);
        }

        public float[] Pixels { get; }

        public (string Name, float[] Data, long[] Shape)[] Features { get; }

        public OrtGraph.Binding Run { get; }
    }

    /// <summary>One picture, some phrases: the buffers of all three graphs.</summary>
    sealed class Answers
    {
        readonly OrtEngine _engine;
        readonly float[] _conditions;
        readonly Dictionary<int, (long[] Ids, OrtGraph.Binding Run)> _text = [];

        public Answers(OrtEngine engine, PeerModel model, int phrases)
        {
            _engine = engine;
            _conditions = new float[phrases * engine.Config.ProjectionSize];
            Encoding = new Encoding(engine, model, batch: 1);
            int side = engine.Config.LogitsPerPatch, height = model.Grid.Height * side, width = model.Grid.Width * side;
            Decode = engine._decoder.Bind(
                [.. Encoding.Features.Select(feature => (feature.Name, (Array)feature.Data, feature.Shape)), ("conditional_embeddings", _conditions, [phrases, engine.Config.ProjectionSize])],
                [("logits", new float[phrases * height * width], [phrases, height, width])]);
        }

        public Encoding Encoding { get; }

        public OrtGraph.Binding Decode { get; }

        public void Embed(IReadOnlyList<string> phrases)
        {
            long[] ids = Ids(_engine._tokenizer, phrases, out int length);
            if (!_text.TryGetValue(length, out (long[] Ids, OrtGraph.Binding Run) text))
            {
                text.Ids = new long[ids.Length];
                text.Run = _engine._text.Bind(
                    [("input_ids", text.Ids, [phrases.Count, length])], [("conditional_embeddings", _conditions, [phrases.Count, _engine.Config.ProjectionSize])]);
                _text[length] = text;
            }
            ids.CopyTo(text.Ids, 0);
            text.Run.Run();
        }
    }
}
