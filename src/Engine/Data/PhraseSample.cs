namespace ClipSegNative.Data;

/// <summary>Which pixels of a polygon belong to a mask.</summary>
enum RasterRule
{
    /// <summary>PhraseCut's official one: <see cref="PolygonRaster.FillOfficial"/>.</summary>
    Official,

    /// <summary>CLIPSeg's authors': <see cref="PolygonRaster.FillInside"/>.</summary>
    Inside,
}

/// <summary>One phrase about one picture, kept in memory: coordinates as float32, 8 bytes a point.</summary>
sealed class PhraseSample
{
    readonly float[] _points;   // x, y of all polygons
    readonly int[] _ends;       // where each polygon ends in it

    public PhraseSample(PhraseTask task, DataPicture picture, int phrase)
    {
        double[][] polygons = [.. task.Instances!.SelectMany(instance => instance)];
        (TaskId, Picture, Phrase) = (task.TaskId, picture, phrase);
        _points = new float[polygons.Sum(polygon => polygon.Length)];
        _ends = new int[polygons.Length];
        int end = 0;
        for (int i = 0; i < polygons.Length; _ends[i++] = end)
            foreach (double coordinate in polygons[i]) _points[end++] = (float)coordinate;
    }

    public string TaskId { get; }

    public DataPicture Picture { get; }

    /// <summary>Index in <see cref="PhraseData.Phrases"/>.</summary>
    public int Phrase { get; }

    /// <summary>Whether there are polygons: the phrase names something in the picture.</summary>
    public bool HasTarget => _ends.Length > 0;

    /// <summary>How many points lie outside the picture.</summary>
    public int PointsOutside()
    {
        int outside = 0;
        for (int i = 0; i < _points.Length; i += 2)
            if (!(_points[i] >= 0 && _points[i] <= Picture.Width && _points[i + 1] >= 0 && _points[i + 1] <= Picture.Height)) outside++;
        return outside;
    }

    /// <summary>The union of all polygons -> [height, width] of 0 and 1.</summary>
    public void Draw(RasterRule rule, int width, int height, Span<byte> mask)
    {
        mask.Clear();
        double[] polygon = [];
        for (int i = 0, start = 0; i < _ends.Length; start = _ends[i++])
        {
            ReadOnlySpan<float> points = _points.AsSpan(start.._ends[i]);
            if (polygon.Length < points.Length) polygon = new double[points.Length];
            for (int k = 0; k < points.Length; k++) polygon[k] = points[k];
            ReadOnlySpan<double> precise = polygon.AsSpan(0, points.Length);
            if (rule == RasterRule.Official) PolygonRaster.FillOfficial(precise, width, height, mask);
            else PolygonRaster.FillInside(precise, width, height, mask);
        }
    }
}
