namespace ClipSegNative.Data.Scenes;

/// <summary>A mask as polygons through the centres of its outermost pixels, none around a hole: PhraseCut's polygons cannot have holes.</summary>
/// <remarks>
/// The mask is cut into parts whose rows are one run each, so each part's outline goes down on one side and up on the other. Both ways of filling that
/// PhraseCut's targets know take the pixels on the outline along, so they give the mask back almost to the pixel.
/// </remarks>
static class MaskPolygons
{
    /// <summary>A run of masked pixels, ends included.</summary>
    readonly record struct Run(int First, int Last)
    {
        public bool Touches(Run other) => First <= other.Last && other.First <= Last;
    }

    sealed record Part(int Top)
    {
        public List<Run> Runs { get; } = [];
    }

    /// <param name="isMasked">Whether the pixel at x, y belongs to the mask.</param>
    /// <param name="width">Of the picture.</param>
    /// <param name="height">Of the picture.</param>
    /// <returns>x, y, x, y, ... of each; at least two points.</returns>
    public static IReadOnlyList<int[]> Of(Func<int, int, bool> isMasked, int width, int height)
    {
        var finished = new List<int[]>();
        List<Part> open = [];
        for (int y = 0; y <= height; y++)
        {
            List<Run> runs = y < height ? Runs(isMasked, width, y) : [];
            List<Part> next = [.. runs.Select(run => Continue(open, runs, run) ?? new Part(y))];
            finished.AddRange(open.Except(next, ReferenceEqualityComparer.Instance).Cast<Part>().Select(Outline));
            for (int i = 0; i < runs.Count; i++) next[i].Runs.Add(runs[i]);
            open = next;
        }
        return finished;
    }

    /// <summary>The part that goes on with this run and no other, and this run with no other part.</summary>
    static Part? Continue(List<Part> open, List<Run> runs, Run run)
    {
        Part[] above = [.. open.Where(part => part.Runs[^1].Touches(run))];
        return above.Length == 1 && runs.Count(other => above[0].Runs[^1].Touches(other)) == 1 ? above[0] : null;
    }

    static List<Run> Runs(Func<int, int, bool> isMasked, int width, int y)
    {
        var runs = new List<Run>();
        int first = -1;
        for (int x = 0; x <= width; x++)
        {
            bool masked = x < width && isMasked(x, y);
            if (masked && first < 0) first = x;
            if (masked || first < 0) continue;
            runs.Add(new Run(first, x - 1));
            first = -1;
        }
        return runs;
    }

    static int[] Outline(Part part)
    {
        var points = new List<int>();
        for (int i = 0; i < part.Runs.Count; i++) Add(part.Runs[i].Last, part.Top + i);
        for (int i = part.Runs.Count - 1; i >= 0; i--) Add(part.Runs[i].First, part.Top + i);
        if (points.Count == 2) points.AddRange(points);   // a single pixel
        return [.. points];

        // A third point of a vertical line replaces the second.
        void Add(int x, int y)
        {
            int count = points.Count;
            if (count >= 2 && points[^2] == x && points[^1] == y) return;
            if (count >= 4 && points[^2] == x && points[^4] == x) points[^1] = y;
            else points.AddRange([x, y]);
        }
    }
}
