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

    /// <summary>Phrases that run at once: their rows then take about as long as the weights take to come from memory, and more would win little.</summary>
    const int Batch = 16;

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

    /// <summary>Computes and remembers what of these is not known yet, phrases of equal length at once: each pass reads all weights of the text tower.</summary>
    public void Prepare(ReadOnlySpan<Prompt> prompts, ClipTokenizer tokenizer, CancellationToken cancellation)
    {
        if (prompts.Length < 2) return;
        Dictionary<string, int[]>? unknown = null;
        foreach (Prompt prompt in prompts)
        {
            if (prompt.Text is { } text && !_vectors.TryGet(text, out _) && (unknown ??= []).Count < _capacity) unknown.TryAdd(text, Ids(text, tokenizer));
        }
        if (unknown is null) return;
        foreach (IGrouping<int, KeyValuePair<string, int[]>> alike in unknown.GroupBy(phrase => phrase.Value.Length))
        {
            foreach (KeyValuePair<string, int[]>[] batch in alike.Chunk(Batch))
            {
                float[][] vectors = Compute([.. batch.Select(phrase => phrase.Value)], cancellation);
                for (int i = 0; i < batch.Length; i++) _vectors.Add(batch[i].Key, vectors[i]);
            }
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

    /// <param name="phrases">Of equal length.</param>
    /// <param name="cancellation">Between two operations.</param>
    float[][] Compute(int[][] phrases, CancellationToken cancellation)
    {
        Plan plan = PlanFor(phrases.Length, phrases[0].Length);
        _backend.Upload((int[])[.. phrases.SelectMany(ids => ids)], plan.Inputs[0]);
        plan.Run(cancellation);
        int projection = _model.Config.ProjectionSize;
        var vectors = new float[phrases.Length * projection];
        _backend.Download(plan.Outputs[0], vectors);
        return [.. vectors.Chunk(projection)];
    }

    Plan PlanFor(int phrases, int length) => _plans.TryGet((phrases, length), out Plan? plan) ? plan : _plans.Add((phrases, length), _model.TextPlan(phrases, length));
}
