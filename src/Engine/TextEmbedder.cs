using ClipSegNative.Backends;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;

namespace ClipSegNative;

/// <summary>Phrases to conditional vectors, remembered by their text. Not thread-safe.</summary>
sealed class TextEmbedder(IBackend backend, ClipSegModel model, Func<ClipTokenizer> tokenizer, int capacity) : IDisposable
{
    /// <summary>Plans are small for the text tower (a few rows); phrases come in few lengths.</summary>
    const int Plans = 32;

    readonly BoundedCache<string, float[]> _vectors = new(capacity);
    readonly BoundedCache<int, Plan> _plans = new(Plans);

    /// <summary>Writes the vector of one phrase.</summary>
    /// <param name="text">Not empty.</param>
    /// <param name="destination">As long as the projection.</param>
    public void Embed(string text, Span<float> destination)
    {
        if (!_vectors.TryGet(text, out float[]? vector)) vector = _vectors.Add(text, Compute(text));
        vector.CopyTo(destination);
    }

    public void Dispose()
    {
        _plans.Dispose();
        _vectors.Dispose();
    }

    float[] Compute(string text)
    {
        ClipTokenizer vocabulary = tokenizer();
        int[] ids = vocabulary.Encode(text, model.Config.Text.Positions).Ids;
        // The pooled row is that of the first end token; a phrase may itself contain one. What follows cannot reach it: attention is causal.
        ids = ids[..(Array.IndexOf(ids, vocabulary.EndId) + 1)];
        if (!_plans.TryGet(ids.Length, out Plan? plan)) plan = _plans.Add(ids.Length, model.TextPlan(batch: 1, ids.Length));
        backend.Upload(ids, plan.Inputs[0]);
        plan.Run();
        var vector = new float[model.Config.ProjectionSize];
        backend.Download(plan.Outputs[0], vector);
        return vector;
    }
}
