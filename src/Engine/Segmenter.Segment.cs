using ClipSegNative.Imaging;
using ClipSegNative.Models;

namespace ClipSegNative;

/// <summary>Prompts to what they name in an encoded picture.</summary>
public sealed partial class Segmenter
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<Segmentation>> SegmentAsync(Stream image, IReadOnlyList<string> text, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        Prompt[] prompts = [.. text.Select(phrase => (Prompt)phrase)];
        Segmentation[] results = NewResults(prompts.Length);
        CheckPrompts(prompts, results);
        Picture picture = await ImageReader.ReadAsync(image, "the picture", cancellation).ConfigureAwait(false);
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try { await Task.Run(() => EncodeAndDecode(picture, prompts, results, cancellation), CancellationToken.None).ConfigureAwait(false); }
        finally { _turn.Release(); }
        return results;
    }

    /// <summary>Computes the text embeddings of phrases and remembers them, so that asking for these later costs less: all at once is faster than one by one.</summary>
    /// <param name="text">Phrases, none of them empty; beyond <see cref="SegmenterOptions.TextCacheSize"/> the first ones are forgotten again.</param>
    /// <param name="cancellation">Stops between operations; what was computed before is remembered.</param>
    /// <exception cref="ArgumentException">A phrase is empty.</exception>
    public void Remember(IReadOnlyList<string> text, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        Prompt[] prompts = [.. text.Select(phrase => (Prompt)phrase)];
        CheckPrompts(prompts);
        _turn.Wait(cancellation);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _text.Prepare(prompts, Tokenizer, cancellation);
        }
        finally { _turn.Release(); }
    }

    /// <summary>The conditional vector of a prompt.</summary>
    internal float[] Embed(Prompt prompt)
    {
        var vector = new float[_model.Config.ProjectionSize];
        _turn.Wait();
        try { Embed(prompt, vector); }
        finally { _turn.Release(); }
        return vector;
    }

    internal Segmentation NewResult() => new(LogitWidth, LogitHeight, Calibration);

    internal Segmentation[] NewResults(int count)
    {
        var results = new Segmentation[count];
        for (int i = 0; i < count; i++) results[i] = NewResult();
        return results;
    }

    internal void Segment(EncodedImage image, ReadOnlySpan<Prompt> prompts, ReadOnlySpan<Segmentation> results, CancellationToken cancellation)
    {
        CheckPrompts(prompts, results);
        _turn.Wait(cancellation);
        try
        {
            CheckOwned(image);
            Decode(image, prompts, results, cancellation);
        }
        finally { _turn.Release(); }
    }

    void CheckPrompts(ReadOnlySpan<Prompt> prompts, ReadOnlySpan<Segmentation> results)
    {
        if (prompts.Length == 0) throw new ArgumentException("Give at least one phrase.", nameof(prompts));
        if (prompts.Length != results.Length) throw new ArgumentException($"{prompts.Length} phrases do not fill {results.Length} results.", nameof(results));
        CheckPrompts(prompts);
        foreach (Segmentation result in results)
            if (result.LogitWidth != LogitWidth || result.LogitHeight != LogitHeight) throw new ArgumentException("A result was made for another working size.", nameof(results));
    }

    void CheckPrompts(ReadOnlySpan<Prompt> prompts)
    {
        foreach (Prompt prompt in prompts)
        {
            if (prompt.IsEmpty) throw new ArgumentException("A phrase is empty.", nameof(prompts));
            if (prompt.Owner is { } owner && owner != this) throw new ArgumentException($"'{prompt}' was made by another segmenter.", nameof(prompts));
        }
    }

    void EncodeAndDecode(Picture picture, Prompt[] prompts, Segmentation[] results, CancellationToken cancellation)
    {
        using EncodedImage image = EncodeNew(picture, cancellation);
        Decode(image, prompts, results, cancellation);
    }

    void Decode(EncodedImage image, ReadOnlySpan<Prompt> prompts, ReadOnlySpan<Segmentation> results, CancellationToken cancellation)
    {
        if (prompts.Length > 1) _text.Prepare(prompts, Tokenizer, cancellation);
        for (int first = 0; first < prompts.Length; first += PromptsAtOnce)
        {
            int count = Math.Min(PromptsAtOnce, prompts.Length - first);
            DecodeGroup(image, prompts.Slice(first, count), results.Slice(first, count), cancellation);
        }
    }

    void DecodeGroup(EncodedImage image, ReadOnlySpan<Prompt> prompts, ReadOnlySpan<Segmentation> results, CancellationToken cancellation)
    {
        int projection = _model.Config.ProjectionSize, pixels = LogitWidth * LogitHeight;
        for (int i = 0; i < prompts.Length; i++) Embed(prompts[i], _conditions.AsSpan(i * projection, projection), cancellation);
        Plan plan = DecodePlan(prompts.Length);
        for (int i = 0; i < image.Features.Length; i++) _backend.Copy(image.Features[i], plan.Inputs[i]);
        _backend.Upload(_conditions.AsSpan(0, prompts.Length * projection), plan.Inputs[^1]);
        plan.Run(cancellation);
        Span<float> logits = _logits.AsSpan(0, prompts.Length * pixels);
        _backend.Download(plan.Outputs[0], logits);
        for (int i = 0; i < prompts.Length; i++)
        {
            logits.Slice(i * pixels, pixels).CopyTo(results[i].Begin(prompts[i].ToString(), image.Width, image.Height));
            results[i].End();
        }
    }

    void Embed(Prompt prompt, Span<float> vector, CancellationToken cancellation = default)
    {
        if (prompt.Text is null) vector.Clear();
        else _text.Embed(prompt.Text, Tokenizer, vector, cancellation);
        prompt.Mix(vector);
    }
}
