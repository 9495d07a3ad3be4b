namespace ClipSegNative.Data;

/// <summary>
/// Pillow's filled polygon (ImageDraw.polygon with equal fill and outline), to the pixel. PhraseCut's targets are defined by it, so its arithmetic is
/// kept: crossings in float32, halves rounded towards the inside, spans whose ends swap by that drawn all the same, horizontal edges drawn whole.
/// </summary>
/// <remarks>
/// The rules are those of Pillow 9.4 (docs/numerics.md says how they were compared). Older versions draw the outline apart, newer ones join corners in
/// another way. Numbers that no 32-bit integer holds become the least one, as on x86.
/// </remarks>
static class PilPolygon
{
    /// <param name="polygon">At least two points.</param>
    /// <param name="width">Of the mask.</param>
    /// <param name="height">Of the mask.</param>
    /// <param name="mask">[height, width]; pixels of the polygon become 1.</param>
    public static void Fill(ReadOnlySpan<double> polygon, int width, int height, Span<byte> mask)
    {
        var slanted = new List<Edge>(polygon.Length / 2);
        (int top, int bottom) = (height - 1, 0);
        foreach (Edge edge in Edges(polygon))
        {
            (top, bottom) = (Math.Min(top, edge.Top), Math.Max(bottom, edge.Bottom));
            if (edge.Top != edge.Bottom) slanted.Add(edge);
            else Span(edge.Left, edge.Right, edge.Top, width, height, mask);
        }

        // One row below the picture counts as the polygon's last, so that the picture's own last row is like any other.
        (top, bottom) = (Math.Max(top, 0), Math.Min(bottom, height));
        var crossings = new float[2 * slanted.Count];
        for (int y = top; y <= bottom; y++)
        {
            int count = Crossings(slanted, y, bottom, crossings);
            Array.Sort(crossings, 0, count);
            for (int i = 1; i < count; i += 2) Span(RoundUp(crossings[i - 1]), RoundDown(crossings[i]), y, width, height, mask);
        }
    }

    /// <summary>The polygon's sides; horizontal ones that go on in the same direction are one. A last point equal to the first adds none.</summary>
    static List<Edge> Edges(ReadOnlySpan<double> polygon)
    {
        int points = polygon.Length / 2;
        var edges = new List<Edge>(points);
        (int x, int y) first = Point(polygon, 0), before = default, from = first;
        for (int i = 1; i < points; i++)
        {
            (int x, int y) to = Point(polygon, i);
            bool goesOn = i > 1 && to.y == from.y && from.y == before.y
                && (to.x > from.x && from.x > before.x || to.x < from.x && from.x < before.x);
            if (goesOn) edges[^1] = edges[^1].Until(to.x, rightwards: to.x > from.x);
            else edges.Add(new Edge(from.x, from.y, to.x, to.y));
            (before, from) = (from, to);
        }
        if (from != first) edges.Add(new Edge(from.x, from.y, first.x, first.y));
        return edges;
    }

    /// <summary>Where the edges meet a row: one number an edge, and two where an edge ends above the polygon's last row.</summary>
    static int Crossings(List<Edge> edges, int y, int bottom, float[] crossings)
    {
        int count = 0;
        for (int i = 0; i < edges.Count; i++)
        {
            Edge edge = edges[i];
            if (y < edge.Top || y > edge.Bottom) continue;
            float x = edge.At(y);
            crossings[count++] = x;
            if (y == edge.Bottom && y < bottom) crossings[count++] = x;
            else if (edge.Slope != 0 && MathF.Round(x) == x) JoinCorner(edges, i, x, y, bottom, crossings);
        }
        return count;
    }

    /// <summary>
    /// Where two edges that lean to the same side begin or end in one pixel, the span reaches to where the next row (or, in the last, the one before)
    /// begins. Pillow writes that at the other edge's place in its list, wherever its crossing is: so it is here.
    /// </summary>
    static void JoinCorner(List<Edge> edges, int index, float x, int y, int bottom, float[] crossings)
    {
        Edge edge = edges[index];
        for (int k = 0; k < index; k++)
        {
            Edge other = edges[k];
            bool corner = y == edge.Top && y == other.Top || y == edge.Bottom && y == other.Bottom;
            if (!corner || Math.Sign(edge.Slope) != Math.Sign(other.Slope) || other.At(y) != x) continue;
            int beside = y == bottom ? y - 1 : y + 1;
            double low = Math.Min(edge.At(beside), other.At(beside)), high = Math.Max(edge.At(beside), other.At(beside));
            crossings[k] = (float)(y == edge.Bottom
                ? edge.Slope > 0 ? high + 1 : low - 1
                : edge.Slope > 0 ? low : high + 1);
            return;
        }
    }

    static void Span(int from, int to, int y, int width, int height, Span<byte> mask)
    {
        if (y < 0 || y >= height) return;
        (int left, int right) = (Math.Max(Math.Min(from, to), 0), Math.Min(Math.Max(from, to), width - 1));
        if (left <= right) mask.Slice(y * width + left, right - left + 1).Fill(1);
    }

    static (int, int) Point(ReadOnlySpan<double> polygon, int index) => (Cut(polygon[2 * index]), Cut(polygon[2 * index + 1]));

    // The half is added in float32 on the positive side and in double on the negative one.
    static int RoundUp(float x) => Cut(x >= 0 ? MathF.Floor(x + 0.5f) : -Math.Floor(-(double)x + 0.5));

    static int RoundDown(float x) => Cut(x >= 0 ? MathF.Ceiling(x - 0.5f) : -Math.Ceiling(-(double)x - 0.5));

    static int Cut(double value) => value is > int.MinValue - 1.0 and < int.MaxValue + 1.0 ? (int)value : int.MinValue;

    readonly struct Edge(int x0, int y0, int x1, int y1)
    {
        // Differences wrap around, as 32-bit integers do.
        public float Slope { get; } = y0 == y1 ? 0 : (float)unchecked(x1 - x0) / unchecked(y1 - y0);

        public int Left { get; private init; } = Math.Min(x0, x1);

        public int Right { get; private init; } = Math.Max(x0, x1);

        public int Top { get; } = Math.Min(y0, y1);

        public int Bottom { get; } = Math.Max(y0, y1);

        public float At(int y) => unchecked(y - y0) * Slope + x0;

        public Edge Until(int x, bool rightwards) => rightwards ? this with { Right = x } : this with { Left = x };
    }
}
