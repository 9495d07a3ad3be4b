using System.Numerics.Tensors;
using ClipSegNative.Data;
using ClipSegNative.Models.Clip;
using ClipSegNative.Text;

namespace ClipSegNative.Training.Contrast;

/// <summary>
/// Asks the towers for each attribute of regions: which of the phrases that stand for its values is nearest to the region. Colour alone fakes success, so
/// each attribute is told apart. Regions are shown as the step's micro-batch shows them: cut out, or within their pictures.
/// </summary>
sealed class AttributeProbe
{
    sealed record Question(string Attribute, string[] Values, int[][] Phrases);

    /// <summary>What one pass shows.</summary>
    sealed record Sight(List<float[]> Pixels, List<SightRow> Rows);

    readonly record struct SightRow(int Place, float[] Cells, IReadOnlyDictionary<string, string> Attributes);

    readonly Question[] _questions = [];
    readonly List<Sight> _crops = [], _pictures = [];

    /// <param name="probes">The phrase of each value of each attribute.</param>
    /// <param name="pictures">What is looked at.</param>
    /// <param name="cutter">Makes the pixels.</param>
    /// <param name="tokenizer">Of the model.</param>
    /// <param name="crops">Sizes of the micro-batch that shows crops.</param>
    /// <param name="wholes">Sizes of that which shows pictures.</param>
    /// <exception cref="PictureException">A picture cannot be read.</exception>
    public AttributeProbe(
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> probes, IEnumerable<CaptionedPicture> pictures, PictureCutter cutter, ClipTokenizer tokenizer,
        ContrastShape crops, ContrastShape wholes)
    {
        float[] all = [.. Enumerable.Repeat(1f / crops.Grid.Cells, crops.Grid.Cells)];
        foreach (CaptionedPicture picture in pictures)
        {
            CaptionedRegion[] regions = [.. picture.Regions.Where(region => region.Attributes.Count > 0).Take(wholes.Regions)];
            if (regions.Length == 0) continue;
            Sight sight = With(_pictures, wholes, regions.Length);
            sight.Pixels.Add(cutter.Whole(picture.Path));
            foreach (CaptionedRegion region in regions)
            {
                sight.Rows.Add(new SightRow(sight.Pixels.Count - 1, cutter.Cells(picture.Path, region.Box), region.Attributes));
                Sight crop = With(_crops, crops, 1);
                crop.Pixels.Add(cutter.Crop(picture.Path, region.Box));
                crop.Rows.Add(new SightRow(crop.Pixels.Count - 1, all, region.Attributes));
            }
        }
        if (_pictures.Count > 0)
            _questions = [.. probes.Select(probe => new Question(probe.Key, [.. probe.Value.Keys], [.. probe.Value.Values.Select(phrase => tokenizer.Encode(phrase, wholes.RegionTokens).Ids)]))];

        // The last one that still has place for a picture and its rows, or a new one.
        static Sight With(List<Sight> sights, ContrastShape shape, int rows)
        {
            if (sights.Count == 0 || sights[^1].Pixels.Count == shape.Pictures || sights[^1].Rows.Count + rows > shape.Regions) sights.Add(new Sight([], []));
            return sights[^1];
        }
    }

    public IReadOnlyList<string> Attributes => [.. _questions.Select(question => question.Attribute)];

    /// <summary>The share of right answers, an attribute each; chance is one over its values.</summary>
    /// <param name="batch">Of either of the two sizes.</param>
    /// <param name="cropped">Which.</param>
    public double[] Run(ContrastBatch batch, bool cropped)
    {
        int size = batch.ProjectionSize;
        float[][] phrases = [.. _questions.Select(question => Embed(batch, question.Phrases))];
        var (right, asked) = (new int[_questions.Length], new int[_questions.Length]);
        var vectors = new float[batch.Shape.Rows * size];
        foreach (Sight sight in cropped ? _crops : _pictures)
        {
            for (int place = 0; place < sight.Pixels.Count; place++) batch.PlacePicture(place, sight.Pixels[place]);
            for (int row = 0; row < sight.Rows.Count; row++) batch.PlaceRegion(row, sight.Rows[row].Place, sight.Rows[row].Cells);
            batch.Embed(vectors, []);
            for (int row = 0; row < sight.Rows.Count; row++)
                for (int i = 0; i < _questions.Length; i++)
                {
                    if (!sight.Rows[row].Attributes.TryGetValue(_questions[i].Attribute, out string? truth)) continue;
                    asked[i]++;
                    if (_questions[i].Values[Nearest(vectors.AsSpan(row * size, size), phrases[i])] == truth) right[i]++;
                }
        }
        return [.. right.Select((count, i) => asked[i] > 0 ? (double)count / asked[i] : double.NaN)];
    }

    static int Nearest(ReadOnlySpan<float> vector, ReadOnlySpan<float> phrases)
    {
        (int best, float most) = (0, float.NegativeInfinity);
        for (int i = 0; i < phrases.Length / vector.Length; i++)
        {
            float similarity = TensorPrimitives.Dot(vector, phrases.Slice(i * vector.Length, vector.Length));
            if (similarity > most) (best, most) = (i, similarity);
        }
        return best;
    }

    static float[] Embed(ContrastBatch batch, int[][] phrases)
    {
        int size = batch.ProjectionSize;
        var vectors = new float[phrases.Length * size];
        var all = new float[batch.Shape.Rows * size];
        for (int start = 0; start < phrases.Length; start += batch.Shape.Regions)
        {
            int count = Math.Min(batch.Shape.Regions, phrases.Length - start);
            for (int row = 0; row < count; row++) batch.PlaceCaption(row, phrases[start + row]);
            batch.Embed([], all);
            all.AsSpan(0, count * size).CopyTo(vectors.AsSpan(start * size));
        }
        return vectors;
    }
}
