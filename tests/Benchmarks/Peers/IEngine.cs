namespace ClipSegNative.Benchmarks.Peers;

/// <summary>
/// Something that runs CLIPSeg, made ready for one number of threads. Each method prepares a case and returns the part that is timed, or null where this
/// engine is not used that way. Phrases are new in every call, so nothing remembers their vectors, unless the case says otherwise.
/// </summary>
interface IEngine : IDisposable
{
    /// <summary>Pixels that lie ready [batch, 3, height, width] to features in host memory.</summary>
    Action? Encode(int batch);

    /// <summary>New phrases to vectors in host memory.</summary>
    Action? Embed(int phrases);

    /// <summary>One phrase on a picture that is encoded already: logits in host memory.</summary>
    /// <param name="known">The same phrase every time, its vector kept; else a new one every time.</param>
    Action? Ask(bool known);

    /// <summary>A decoded picture of 1024 x 768 and phrases, new in every call, to logits in host memory.</summary>
    Action? Segment(int phrases);

    /// <summary>What the engine says its weights take; null where it does not say.</summary>
    long? WeightBytes => null;

    /// <summary>Logits of these phrases on the picture, phrase after phrase: do the engines agree?</summary>
    float[] Logits(IReadOnlyList<string> phrases);
}

