using ClipSegNative.Imaging;
using ClipSegNative.Layers;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>What all contenders are given: a model folder, its graphs, a picture, and phrases.</summary>
/// <param name="folder">As <c>clipseg-native weights init</c> writes it.</param>
/// <param name="graphs">Folder of the graph files.</param>
sealed record PeerModel(string folder, string graphs)
{
    /// <summary>Letters of a phrase: with the byte-level vocabulary seven tokens, as many as "a photo of a cat" has in CLIP's own.</summary>
    const int Letters = 5;

    int _phrases;

    public string Folder => folder;

    public string Graphs => graphs;

    public ClipSegConfig Config { get; } = ClipSegConfig.Read(folder);

    public PreprocessorConfig Preprocessing { get; } = PreprocessorConfig.Read(folder);

    public Picture Picture { get; init; } = Drawn(1024, 768);

    public Grid Grid => Segmenter.ChooseGrid(folder, Config, Preprocessing, new SegmenterOptions());

    public PicturePreprocessor Preprocessor => Segmenter.Preprocessor(Preprocessing, Preprocessing.Width, Preprocessing.Height);

    public int PixelCount => Picture.Channels * Preprocessing.Width * Preprocessing.Height;

    public ClipTokenizer Tokenizer() => Segmenter.LoadTokenizer(folder, Config);

    public float[] Pixels(int batch)
    {
        var pixels = new float[batch * PixelCount];
        Preprocessor.Run(Picture, pixels.AsSpan(0, PixelCount));
        for (int i = 1; i < batch; i++) pixels.AsSpan(0, PixelCount).CopyTo(pixels.AsSpan(i * PixelCount));
        return pixels;
    }

    /// <summary>Phrases that nobody has asked for before, all of one length.</summary>
    public string[] NewPhrases(int count) => [.. Enumerable.Range(0, count).Select(_ => Phrase(_phrases++))];

    static string Phrase(int number) => string.Create(Letters, number, static (letters, rest) =>
    {
        for (int i = letters.Length - 1; i >= 0; i--, rest /= 26) letters[i] = (char)('a' + rest % 26);
    });

    /// <summary>Discs of many sizes on a slope of colours: edges and plain areas, as photographs have them.</summary>
    static Picture Drawn(int width, int height)
    {
        var pixels = new byte[width * height * Picture.Channels];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int disc = (x / 128 + 3 * (y / 128)) % 7, dx = x % 128 - 64, dy = y % 128 - 64;
                bool inside = dx * dx + dy * dy < disc * disc * 80;
                Span<byte> pixel = pixels.AsSpan((y * width + x) * Picture.Channels, Picture.Channels);
                pixel[0] = (byte)(inside ? 30 * disc : x * 255 / width);
                pixel[1] = (byte)(inside ? 255 - 30 * disc : y * 255 / height);
                pixel[2] = (byte)(inside ? 90 : (x + y) * 255 / (width + height));
            }
        }
        return Picture.FromRgb(pixels, width, height, width * Picture.Channels);
    }
}
