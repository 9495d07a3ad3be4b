using ClipSegNative.Imaging;

namespace ClipSegNative.Data;

/// <summary>
/// Draws the samples of training as CLIPSeg's authors do. Every answer follows from the seed and the position alone, so samples may be asked for in any
/// order and from any thread. Positions count through the epochs; each epoch holds every sample once, in an order of its own.
/// </summary>
/// <remarks>Lüddecke and Ecker 2022, section 4, and the authors' published loader. They keep one order for all epochs; here each has its own.</remarks>
sealed class PhraseSampler
{
    const int CropTries = 50;
    const double EnoughOfPicture = 0.05;

    static readonly string[] Templates =
    [
        "a photo of a {}.", "a photograph of a {}.", "an image of a {}.", "{}.",
        "a cropped photo of a {}.", "a good photo of a {}.", "a photo of one {}.", "a bad photo of a {}.", "a photo of the {}.",
    ];

    readonly PhraseData _data;
    readonly SamplerOptions _options;
    readonly int[][]? _prompts;   // [phrase] -> samples with a target, ascending
    EpochOrder _order = new(-1, []);

    /// <exception cref="DataFileException">There is nothing to draw from.</exception>
    public PhraseSampler(PhraseData data, SamplerOptions options)
    {
        if (data.Samples.Count == 0) throw new DataFileException("The training data holds no phrase with a picture; see the problems above.");
        (_data, _options) = (data, options);
        if (!options.VisualPrompts) return;
        ILookup<int, int> prompts = Enumerable.Range(0, data.Samples.Count).Where(i => data.Samples[i].HasTarget).ToLookup(i => data.Samples[i].Phrase);
        _prompts = [.. Enumerable.Range(0, data.Phrases.Count).Select(phrase => prompts[phrase].ToArray())];
    }

    /// <summary>What is drawn, each with numbers of its own: switching one option leaves what the others draw as it was.</summary>
    enum Draw
    {
        Order,
        Negative,
        Template,
        Flip,
        Partner,
        Crop,
    }

    /// <summary>Positions in an epoch.</summary>
    public int EpochLength => _data.Samples.Count;

    /// <param name="position">0 or more.</param>
    public SampleSpec At(long position)
    {
        (long epoch, long place) = Math.DivRem(position, EpochLength);
        int index = Order(epoch)[place];
        PhraseSample sample = _data.Samples[index];
        (int phrase, bool isNegative) = Phrase(position, sample.Phrase);
        string text = _data.Phrases[phrase];
        (PhraseSample? partner, float weight) = Partner(position, phrase, index);
        bool isFlipped = _options.Flip && !NamesSide(text) && Random(Draw.Flip, position).Below(2) == 1;
        return new SampleSpec(position, sample, InSentence(position, text), isNegative, isFlipped, partner, weight);
    }

    /// <summary>The part of the picture that a sample shows.</summary>
    /// <param name="position">As for <see cref="At"/>.</param>
    /// <param name="mask">[height, width] of 0 and 1: what the sample's own polygons cover, for negatives too.</param>
    /// <param name="width">The picture's, in pixels.</param>
    /// <param name="height">The picture's, in pixels.</param>
    public PixelBox Crop(long position, ReadOnlySpan<byte> mask, int width, int height)
    {
        if (_options.Crop == TrainingCrop.None) return new PixelBox(0, 0, width, height);

        // The square fills the shorter side, so only its place on the longer one is drawn and its area is a difference of two running sums.
        bool wide = width > height;
        int side = Math.Min(width, height);
        var before = new int[Math.Max(width, height) + 1];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<byte> row = mask.Slice(y * width, width);
            if (wide) for (int x = 0; x < width; x++) before[x + 1] += row[x];
            else before[y + 1] = row.Count((byte)1);
        }
        for (int i = 1; i < before.Length; i++) before[i] += before[i - 1];

        SampleRandom random = Random(Draw.Crop, position);
        (int best, int most) = (0, -1);
        for (int attempt = 0; attempt < CropTries && most <= EnoughOfPicture * width * height; attempt++)
        {
            int start = random.Below(before.Length - side);
            int area = before[start + side] - before[start];
            if (area > most) (best, most) = (start, area);
        }
        return wide ? new PixelBox(best, 0, side, side) : new PixelBox(0, best, side, side);
    }

    (int Phrase, bool IsNegative) Phrase(long position, int own)
    {
        SampleRandom random = Random(Draw.Negative, position);
        bool isNegative = random.Share() < _options.Negatives && _data.Phrases.Count > 1;
        return (isNegative ? random.Below(_data.Phrases.Count, except: own) : own, isNegative);
    }

    (PhraseSample? Partner, float TextWeight) Partner(long position, int phrase, int self)
    {
        int[] candidates = _prompts?[phrase] ?? [];
        if (candidates.Length == 0 || candidates is [int only] && only == self) return (null, 1);
        SampleRandom random = Random(Draw.Partner, position);
        int partner = candidates[random.Below(candidates.Length, except: Array.BinarySearch(candidates, self))];
        return (_data.Samples[partner], (float)(random.Share() * _options.MaxTextWeight));
    }

    string InSentence(long position, string phrase)
    {
        int choices = _options.Templates switch
        {
            PhraseTemplates.Fixed => 1,
            PhraseTemplates.Shuffle => 4,
            PhraseTemplates.ShufflePlus => Templates.Length,
            _ => 0,
        };
        return choices == 0 ? phrase : Templates[Random(Draw.Template, position).Below(choices)].Replace("{}", phrase, StringComparison.Ordinal);
    }

    int[] Order(long epoch)
    {
        EpochOrder order = _order;
        if (order.Epoch == epoch) return order.Samples;
        int[] samples = [.. Enumerable.Range(0, EpochLength)];
        SampleRandom random = Random(Draw.Order, epoch);
        for (int i = samples.Length - 1; i > 0; i--)
        {
            int k = random.Below(i + 1);
            (samples[i], samples[k]) = (samples[k], samples[i]);
        }
        _order = new EpochOrder(epoch, samples);   // another thread may do the same work; the result is the same
        return samples;
    }

    SampleRandom Random(Draw draw, long number) => new(_options.Seed, (ulong)draw, (ulong)number);

    static bool NamesSide(string phrase) => phrase.Split(' ', '-').Any(word =>
        word.StartsWith("left", StringComparison.OrdinalIgnoreCase) || word.StartsWith("right", StringComparison.OrdinalIgnoreCase));

    sealed record EpochOrder(long Epoch, int[] Samples);
}
