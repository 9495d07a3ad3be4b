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

    readonly IBackend _backend;
    readonly ClipSegModel _model;
    readonly BoundedCache<string, float[]> _vectors;
    readonly BoundedCache<int, Plan> _plans = new(Plans);

    public TextEmbedder(IBackend backend, ClipSegModel model, int capacity)
    {
        _backend = backend;
        _model = model;
        _vectors = new BoundedCache<string, float[]>(capacity);
        PlanFor(Math.Min(UsualLength, model.Config.Text.Positions));
    }

    /// <summary>Writes the vector of one phrase.</summary>
    /// <param name="text">Not empty.</param>
    /// <param name="tokenizer">The model's own.</param>
    /// <param name="destination">As long as the projection.</param>
    /// <param name="cancellation">A cancelled phrase is not remembered.</param>
    public void Embed(string text, ClipTokenizer tokenizer, Span<float> destination, CancellationToken cancellation)
    {
        if (!_vectors.TryGet(text, out float[]? vector)) vector = _vectors.Add(text, Compute(text, tokenizer, cancellation));
        vector.CopyTo(destination);
    }

    public void Dispose()
    {
        _plans.Dispose();
        _vectors.Dispose();
    }

    float[] Compute(string text, ClipTokenizer tokenizer, CancellationToken cancellation)
    {
        int[] ids = tokenizer.Encode(text, _model.Config.Text.Positions).Ids;
        // The pooled row is that of the first end token; a phrase may itself contain one. What follows cannot reach it: attention is causal.
        ids = ids[..(Array.IndexOf(ids, tokenizer.EndId) + 1)];
        Plan plan = PlanFor(ids.Length);
        _backend.Upload(ids, plan.Inputs[0]);
        plan.Run(cancellation);
        var vector = new float[_model.Config.ProjectionSize];
        _backend.Download(plan.Outputs[0], vector);
        return vector;
    }

    Plan PlanFor(int length) => _plans.TryGet(length, out Plan? plan) ? plan : _plans.Add(length, _model.TextPlan(batch: 1, length));
}
