namespace ClipSegNative.Imaging;

/// <summary>Which of several phrases each pixel of a picture shows: the one with the highest probability. Immutable, so safe to share between threads.</summary>
public sealed class LabelMap
{
    /// <summary>The phrases that fit beside the background into 8 bits.</summary>
    public const int MaxPhrases = 255;

    readonly byte[] _labels;

    internal LabelMap(byte[] labels, int width, int height)
    {
        _labels = labels;
        Width = width;
        Height = height;
    }

    /// <summary>Pixels in a row, at least 1.</summary>
    public int Width { get; }

    /// <summary>Rows, at least 1.</summary>
    public int Height { get; }

    /// <summary>[Height, Width], rows from the top; 0 is background, n the n-th phrase.</summary>
    public ReadOnlySpan<byte> Pixels => _labels;

    /// <summary>Writes an 8-bit PNG whose palette gives each phrase the colour that its overlay has, on black. The file appears whole or not at all.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <exception cref="PictureException">The file cannot be written.</exception>
    public void Save(string path) => PngWriter.Save(path, Save);

    /// <summary>As <see cref="Save(string)"/>. The same map gives the same bytes.</summary>
    /// <param name="stream">Where to; stays open.</param>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var palette = new byte[3 * (1 + MaxPhrases)];
        for (int label = 1; label <= MaxPhrases; label++) (palette[3 * label], palette[3 * label + 1], palette[3 * label + 2]) = Renderings.Colour(label - 1);
        PngWriter.Write(stream, PngKind.Indexed8, Width, Height, _labels, palette);
    }
}

/// <summary>Makes a label map from one phrase's probabilities after the other.</summary>
sealed class LabelMapBuilder
{
    readonly byte[] _labels;
    readonly float[] _best;
    readonly int _width, _height;
    int _phrases;

    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="threshold">Below or at this probability a pixel stays background.</param>
    public LabelMapBuilder(int width, int height, float threshold)
    {
        _labels = new byte[width * height];
        _best = new float[width * height];
        Array.Fill(_best, threshold);
        (_width, _height) = (width, height);
    }

    /// <summary>The next phrase; where it is exactly as probable as an earlier one, that one stays.</summary>
    /// <param name="probabilities">[height, width]; empty for a phrase that is not there.</param>
    public void Add(ReadOnlySpan<float> probabilities)
    {
        byte label = checked((byte)++_phrases);
        for (int i = 0; i < probabilities.Length; i++)
        {
            if (!(probabilities[i] > _best[i])) continue;
            _best[i] = probabilities[i];
            _labels[i] = label;
        }
    }

    public LabelMap Build() => new(_labels, _width, _height);
}
