using ClipSegNative.Data;
using ClipSegNative.Imaging;
using ClipSegNative.Layers;
using ClipSegNative.Models.Clip;

namespace ClipSegNative.Training.Contrast;

/// <summary>What one step looks at.</summary>
/// <param name="Pixels">Of each picture or crop.</param>
/// <param name="Rows">The pairs: what is shown and what is said of it.</param>
sealed record ContrastDraw(float[][] Pixels, ContrastRow[] Rows);

/// <param name="Pixels">Place of the picture.</param>
/// <param name="Cells">Weights of its cells; null for the picture as a whole.</param>
/// <param name="Truths">Numbers of all captions that are true of what is shown.</param>
/// <param name="Caption">Number of the one that is said.</param>
/// <param name="Ids">The same as tokens.</param>
readonly record struct ContrastRow(int Pixels, float[]? Cells, IReadOnlySet<int> Truths, int Caption, int[] Ids);

/// <summary>Draws what the steps look at: each draw follows from the seed and its step alone. Not thread-safe.</summary>
sealed class ContrastSampler
{
    /// <param name="Path">Of the picture.</param>
    /// <param name="Box">Null for all of it.</param>
    /// <param name="Captions">Numbers, each once.</param>
    sealed record Part(string Path, PixelBox? Box, int[] Captions)
    {
        public HashSet<int> Truths { get; } = [.. Captions];
    }

    enum Use
    {
        Order,
        Draw,
    }

    readonly PretrainingSettings _settings;
    readonly CaptionPool _pool;
    readonly PictureCutter _cutter;
    readonly Part[] _wholes;
    readonly Part[][] _parts;
    readonly int _partCount;
    (long Epoch, int[] Pictures) _order = (-1, []);

    /// <param name="settings">How much is drawn.</param>
    /// <param name="pictures">What from; one without regions is taken as one region.</param>
    /// <param name="pool">Gets the captions.</param>
    /// <param name="cutter">Makes the pixels.</param>
    public ContrastSampler(PretrainingSettings settings, IReadOnlyList<CaptionedPicture> pictures, CaptionPool pool, PictureCutter cutter)
    {
        (_settings, _pool, _cutter) = (settings, pool, cutter);
        _wholes = [.. pictures.Select(picture => new Part(picture.Path, null, Numbers(picture.Captions)))];
        _parts = [.. pictures.Select((picture, i) => picture.Regions.Count == 0
            ? [_wholes[i]]
            : picture.Regions.Select(region => new Part(picture.Path, region.Box, Numbers(region.Captions))).ToArray())];
        _partCount = _parts.Sum(parts => parts.Length);
        Grid crop = new(settings.CropSize / settings.Patch, settings.CropSize / settings.Patch), grid = new(settings.WorkingSize / settings.Patch, settings.WorkingSize / settings.Patch);
        int longest = pool.Longest(_parts.SelectMany(parts => parts).SelectMany(part => part.Captions));
        bool haveCaptions = _wholes.All(whole => whole.Captions.Length > 0);
        CropShape = new ContrastShape(settings.Crops, crop, settings.Pairs, longest, PictureTokens: 0);
        PictureShape = new ContrastShape(settings.Batch, grid, settings.Pairs, longest, haveCaptions ? pool.Longest(_wholes.SelectMany(whole => whole.Captions)) : 0);

        int[] Numbers(IEnumerable<string> captions) => [.. captions.Select(pool.NumberOf).Distinct()];
    }

    public ContrastShape CropShape { get; }

    public ContrastShape PictureShape { get; }

    /// <exception cref="PictureException">A picture cannot be read.</exception>
    public ContrastDraw At(long step) => step < _settings.CropSteps ? Crops(step) : Pictures(step);

    /// <summary>All regions of a few pictures: what stands beside each other makes the hardest negatives.</summary>
    ContrastDraw Crops(long step)
    {
        var random = Random(step);
        Part[] parts = [.. Enumerable.Range(0, _settings.Crops).Select(i => PartAt(step * _settings.Crops + i))];
        float[] all = [.. Enumerable.Repeat(1f / CropShape.Grid.Cells, CropShape.Grid.Cells)];
        float[][] pixels = [.. parts.Select(part => _cutter.Crop(part.Path, part.Box))];
        return new ContrastDraw(pixels, [.. Enumerable.Range(0, _settings.Pairs).Select(row => Row(row % parts.Length, all, parts[row % parts.Length], ref random))]);
    }

    ContrastDraw Pictures(long step)
    {
        var random = Random(step);
        int[] pictures = [.. Enumerable.Range(0, _settings.Batch).Select(i => PictureAt((step - _settings.CropSteps) * _settings.Batch + i))];
        var pixels = new float[pictures.Length][];
        var parts = new List<(int Place, float[] Cells, Part Part)>();
        for (int place = 0; place < pictures.Length; place++)
        {
            pixels[place] = _cutter.Whole(_wholes[pictures[place]].Path);
            foreach (Part part in _parts[pictures[place]]) parts.Add((place, _cutter.Cells(part.Path, part.Box), part));
        }
        var rows = new List<ContrastRow>();
        int first = random.Below(parts.Count);   // where there are more regions than pairs, others are left out each time
        for (int row = 0; row < _settings.Pairs; row++)
        {
            (int place, float[] cells, Part part) = parts[(first + row) % parts.Count];
            rows.Add(Row(place, cells, part, ref random));
        }
        for (int place = 0; place < PictureShape.Wholes; place++) rows.Add(Row(place, null, _wholes[pictures[place]], ref random));
        return new ContrastDraw(pixels, [.. rows]);
    }

    ContrastRow Row(int pixels, float[]? cells, Part part, ref SampleRandom random)
    {
        int caption = part.Captions[random.Below(part.Captions.Length)];
        return new ContrastRow(pixels, cells, part.Truths, caption, _pool.Draw(caption, ref random));
    }

    /// <summary>Regions in order of their pictures, which every epoch has another of.</summary>
    Part PartAt(long position)
    {
        (long epoch, long place) = Math.DivRem(position, _partCount);
        foreach (int picture in Order(epoch))
        {
            if (place < _parts[picture].Length) return _parts[picture][place];
            place -= _parts[picture].Length;
        }
        throw new InvalidOperationException();
    }

    int PictureAt(long position) => Order(position / _wholes.Length)[position % _wholes.Length];

    int[] Order(long epoch)
    {
        if (_order.Epoch == epoch) return _order.Pictures;
        var random = new SampleRandom(_settings.Seed, (ulong)Use.Order, (ulong)epoch);
        int[] pictures = [.. Enumerable.Range(0, _wholes.Length)];
        for (int left = pictures.Length; left > 1; left--)
        {
            int chosen = random.Below(left);
            (pictures[chosen], pictures[left - 1]) = (pictures[left - 1], pictures[chosen]);
        }
        _order = (epoch, pictures);
        return pictures;
    }

    SampleRandom Random(long step) => new(_settings.Seed, (ulong)Use.Draw, (ulong)step);
}
