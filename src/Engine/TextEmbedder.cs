using ClipSegNative.Backends;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;

namespace ClipSegNative;

/// <summary>Phrases to conditional vectors, remembered by their text. Not thread-safe.</summary>
sealed class TextEmbedder : IDisposable
{
    /// <summary>Plans are small for the text tower (a few rows); phrases come in few lengths.</summary>
    const int Plans = 32;

    /// <summary>Begin, two words, end: a frequent length, planned at once so that the text tower's weights are loaded with the others.</summary>
    const int UsualLength = 4;

    /// <summary>The most tokens that several phrases have at once, padding included: they take about as long as the weights take to come from memory, and more would win little.</summary>
    const int Rows = 128;

    readonly IBackend _backend;
    readonly int _capacity;
    readonly ClipSegModel _model;
    readonly BoundedCache<string, float[]> _vectors;
    readonly BoundedCache<(int Phrases, int Length), Plan> _plans = new(Plans);

    public TextEmbedder(IBackend backend, ClipSegModel model, int capacity)
    {
        _backend = backend;
        _model = model;
        _capacity = capacity;
        _vectors = new BoundedCache<string, float[]>(capacity);
        PlanFor(phrases: 1, Math.Min(UsualLength, model.Config.Text.Positions));
    }

    /// <summary>Writes the vector of one phrase.</summary>
    /// <param name="text">Not empty.</param>
    /// <param name="tokenizer">The model's own.</param>
    /// <param name="destination">As long as the projection.</param>
    /// <param name="cancellation">A cancelled phrase is not remembered.</param>
    public void Embed(string text, ClipTokenizer tokenizer, Span<float> destination, CancellationToken cancellation)
    {
        if (!_vectors.TryGet(text, out float[]? vector)) vector = _vectors.Add(text, Compute([Ids(text, tokenizer)], cancellation)[0]);
        vector.CopyTo(destination);
    }

    /// <summary>Computes and remembers what of these is not known yet, several phrases at once: each pass reads all weights of the text tower.</summary>
    public void Prepare(ReadOnlySpan<Prompt> prompts, ClipTokenizer tokenizer, CancellationToken cancellation)
    {
        Dictionary<string, int[]>? unknown = null;
        foreach (Prompt prompt in prompts)
        {
            if (prompt.Text is { } text && !_vectors.TryGet(text, out _) && (unknown ??= []).Count < _capacity) unknown.TryAdd(text, Ids(text, tokenizer));
        }
        if (unknown is null) return;
        KeyValuePair<string, int[]>[] byLength = [.. unknown.OrderBy(phrase => phrase.Value.Length)];
        for (int first = 0, count; first < byLength.Length; first += count)
        {
            count = 1;
            while (first + count < byLength.Length && (count + 1) * byLength[first + count].Value.Length <= Rows) count++;
            float[][] vectors = Compute([.. byLength.AsSpan(first, count).ToArray().Select(phrase => phrase.Value)], cancellation);
            for (int i = 0; i < count; i++) _vectors.Add(byLength[first + i].Key, vectors[i]);
        }
    }

    public void Dispose()
    {
        _plans.Dispose();
        _vectors.Dispose();
    }

    int[] Ids(string text, ClipTokenizer tokenizer)
    {
        int[] ids = tokenizer.Encode(text, _model.Config.Text.Positions).Ids;
        // The pooled row is that of the first end token; a phrase may itself contain one. What follows cannot reach it: attention is causal.
        return ids[..(Array.IndexOf(ids, tokenizer.EndId) + 1)];
    }

    /// <param name="phrases">The longest last.</param>
    /// <param name="cancellation">Between two operations.</param>
    float[][] Compute(int[][] phrases, CancellationToken cancellation)
    {
        int length = phrases[^1].Length;
        var tokens = new int[phrases.Length * length];   // padding is token 0: any would do
        for (int i = 0; i < phrases.Length; i++) phrases[i].CopyTo(tokens, i * length);
        Plan plan = PlanFor(phrases.Length, length);
        _backend.Upload(tokens, plan.Inputs[0]);
        _backend.Upload((int[])[.. phrases.Select((ids, i) => i * length + ids.Length - 1)], plan.Inputs[1]);
        plan.Run(cancellation);
        int projection = _model.Config.ProjectionSize;
        var vectors = new float[phrases.Length * projection];
        _backend.Download(plan.Outputs[0], vectors);
        return [.. vectors.Chunk(projection)];
    }

    Plan PlanFor(int phrases, int length) => _plans.TryGet((phrases, length), out Plan? plan) ? plan : _plans.Add((phrases, length), _model.TextPlan(phrases, length));
}
