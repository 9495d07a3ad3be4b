using System.Numerics.Tensors;

namespace ClipSegNative;

/// <summary>
/// What to look for: a phrase (any string is one), a picture of it (<see cref="Segmenter.Like"/>), or a mix of both (<see cref="With"/>).
/// The default value is empty and refused by every call.
/// </summary>
public readonly struct Prompt
{
    readonly Example? _example;
    readonly string? _name;

    internal Prompt(string? text, Example? example, float textShare)
    {
        (Text, _example, TextShare) = (text, example, textShare);
        _name = NameOf(text, example?.PictureName);
    }

    /// <summary>The phrase; null for a picture alone.</summary>
    public string? Text { get; }

    /// <summary>How much of the phrase is in it, in [0, 1]: 1 for a phrase alone, 0 for a picture alone.</summary>
    public float TextShare { get; }

    /// <summary>Null for a phrase alone.</summary>
    internal Segmenter? Owner => _example?.Owner;

    internal bool IsEmpty => _example is null && string.IsNullOrWhiteSpace(Text);

    /// <summary>A phrase alone.</summary>
    /// <param name="text">Any text that is not blank; what is longer than 77 tokens is cut, as the reference does.</param>
    public static implicit operator Prompt(string text) => new(text, null, 1);

    /// <summary>This picture mixed with a phrase: textShare · phrase + (1 - textShare) · picture, in the space both are embedded in.</summary>
    /// <param name="text">The phrase.</param>
    /// <param name="textShare">In [0, 1]. The authors' code trains on shares up to 0.5, the paper speaks of up to 1.</param>
    /// <exception cref="ArgumentException">The phrase is blank.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The share is not between 0 and 1.</exception>
    /// <exception cref="InvalidOperationException">This is a phrase itself.</exception>
    /// <remarks>Lüddecke and Ecker 2022, section 3 (image-text interpolation). The vectors are not normalised.</remarks>
    public Prompt With(string text, float textShare = 0.5f)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        if (!(textShare >= 0 && textShare <= 1)) throw new ArgumentOutOfRangeException(nameof(textShare), $"A share lies between 0 and 1; {textShare} does not.");
        if (_example is null) throw new InvalidOperationException("Only a picture can be mixed with a phrase; get one from Segmenter.Like.");
        return new Prompt(text, _example, textShare);
    }

    /// <summary>The phrase; for a picture "like NAME", NAME being its file's name without extension; for both "PHRASE like NAME".</summary>
    public override string ToString() => _name ?? "";

    /// <summary>The name of a prompt that is yet to be made.</summary>
    internal static string NameOf(string? text, string? pictureName) =>
        pictureName is null ? text ?? "" : $"{text} like {Path.GetFileNameWithoutExtension(pictureName)}".TrimStart();

    /// <summary>From the phrase's vector to this prompt's.</summary>
    internal void Mix(Span<float> vector)
    {
        if (_example is null) return;
        TensorPrimitives.Multiply(vector, TextShare, vector);
        TensorPrimitives.MultiplyAdd(_example.Vector, 1 - TextShare, vector, vector);
    }
}

/// <summary>A picture of what to look for, as the model sees it.</summary>
/// <param name="Owner">Whose model made the vector.</param>
/// <param name="PictureName">A file or a description.</param>
/// <param name="Vector">[projection].</param>
sealed record Example(Segmenter Owner, string PictureName, float[] Vector);
