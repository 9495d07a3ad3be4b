namespace ClipSegNative.Data;

/// <summary>What one sample of training shall be, before any picture is read.</summary>
/// <param name="Position">Its place in the endless sequence of epochs; what else is drawn for it follows from this.</param>
/// <param name="Sample">Picture and polygons.</param>
/// <param name="Text">The phrase in its sentence; another sample's phrase when <paramref name="IsNegative"/>.</param>
/// <param name="IsNegative">Whether the target is empty whatever the polygons are.</param>
/// <param name="IsFlipped">Whether picture and target are mirrored, left to right.</param>
/// <param name="Partner">Another sample with the same phrase, to prompt with its picture; null for a text prompt.</param>
/// <param name="TextWeight">The text's share of the prompt, in [0, 1]; 1 without a partner.</param>
sealed record SampleSpec(long Position, PhraseSample Sample, string Text, bool IsNegative, bool IsFlipped, PhraseSample? Partner, float TextWeight);
