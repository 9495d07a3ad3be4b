namespace ClipSegNative.Data;

/// <summary>
/// Fills polygons by the two rules that PhraseCut's targets are made with. Polygons are x, y, x, y ... in pixels, closed by themselves; masks are
/// rows from the top of 0 and 1, and a fill only ever sets pixels, so several polygons unite. What lies outside the picture is cut off.
/// </summary>
static class PolygonRaster
{
    /// <summary>A vertex this near to a pixel's centre is that pixel's.</summary>
    const double VertexTolerance = 1e-12;

    /// <summary>PhraseCut's official rule: coordinates cut to whole numbers, then PIL's polygon with its border. Fewer than two points set nothing.</summary>
    /// <exception cref="ArgumentException">A coordinate without its partner, or a mask that the sizes do not fill.</exception>
    public static void FillOfficial(ReadOnlySpan<double> polygon, int width, int height, Span<byte> mask)
    {
        Check(polygon, width, height, mask);
        if (polygon.Length >= 4) PilPolygon.Fill(polygon, width, height, mask);
    }

    /// <summary>
    /// The rule of CLIPSeg's own loader (scikit-image's polygon2mask): a pixel whose whole-numbered coordinates lie inside by the even-odd rule,
    /// on an edge or on a vertex. Source: O'Rourke 1998, Computational Geometry in C, chapter 7, with scikit-image's arithmetic.
    /// </summary>
    /// <exception cref="ArgumentException">A coordinate without its partner, or a mask that the sizes do not fill.</exception>
    public static void FillInside(ReadOnlySpan<double> polygon, int width, int height, Span<byte> mask)
    {
        Check(polygon, width, height, mask);
        if (polygon.IsEmpty) return;
        (int left, int right) = Range(polygon, axis: 0, width);
        (int top, int bottom) = Range(polygon, axis: 1, height);
        var near = new List<Edge>();
        for (int y = top; y <= bottom; y++)
        {
            Touching(polygon, y, near);
            for (int x = left; x <= right; x++)
                if (IsInside(near, x, y)) mask[y * width + x] = 1;
        }
    }

    /// <summary>Nearest-neighbour resize of a mask as PyTorch's interpolate does: the source index is the whole part of a float32 product.</summary>
    /// <exception cref="ArgumentException">A mask that its sizes do not fill.</exception>
    public static void ResizeNearest(ReadOnlySpan<byte> mask, int width, int height, Span<byte> destination, int outWidth, int outHeight)
    {
        CheckSize(mask.Length, width, height);
        CheckSize(destination.Length, outWidth, outHeight);
        float perColumn = (float)width / outWidth, perRow = (float)height / outHeight;
        for (int y = 0; y < outHeight; y++)
        {
            ReadOnlySpan<byte> from = mask.Slice(Math.Min((int)(y * perRow), height - 1) * width, width);
            Span<byte> to = destination.Slice(y * outWidth, outWidth);
            for (int x = 0; x < outWidth; x++) to[x] = from[Math.Min((int)(x * perColumn), width - 1)];
        }
    }

    static (int First, int Last) Range(ReadOnlySpan<double> polygon, int axis, int size)
    {
        (double least, double most) = (double.PositiveInfinity, double.NegativeInfinity);
        for (int i = axis; i < polygon.Length; i += 2) (least, most) = (Math.Min(least, polygon[i]), Math.Max(most, polygon[i]));
        return ((int)Math.Min(Math.Max(0, least), size), (int)Math.Max(Math.Min(size - 1, Math.Ceiling(most)), -1));
    }

    /// <summary>The edges that a row's pixels can lie on or left or right of, in the polygon's order.</summary>
    static void Touching(ReadOnlySpan<double> polygon, int y, List<Edge> near)
    {
        near.Clear();
        (double x1, double y1) = (polygon[^2], polygon[^1]);
        for (int i = 0; i < polygon.Length; i += 2)
        {
            (double x0, double y0) = (polygon[i], polygon[i + 1]);
            bool up = y0 - y > 0 != y1 - y > 0, down = y0 - y < 0 != y1 - y < 0;
            if (up || down || Math.Abs(y0 - y) < VertexTolerance) near.Add(new Edge(x0, y0 - y, x1, y1 - y, up, down));
            (x1, y1) = (x0, y0);
        }
    }

    static bool IsInside(List<Edge> near, int x, int y)
    {
        bool right = false, left = false;
        foreach (Edge edge in near)
        {
            double x0 = edge.X0 - x, x1 = edge.X1 - x;
            if (Math.Abs(x0) < VertexTolerance && Math.Abs(edge.Y0) < VertexTolerance) return true;
            double crossing = (x0 * edge.Y1 - x1 * edge.Y0) / (edge.Y1 - edge.Y0);
            right ^= edge.Up && crossing > 0;
            left ^= edge.Down && crossing < 0;
        }
        return right || left;   // they differ for a point on an edge
    }

    static void Check(ReadOnlySpan<double> polygon, int width, int height, Span<byte> mask)
    {
        if (polygon.Length % 2 != 0) throw new ArgumentException($"A polygon of {polygon.Length} numbers lacks a coordinate.", nameof(polygon));
        CheckSize(mask.Length, width, height);
    }

    static void CheckSize(int length, int width, int height)
    {
        if (width < 1 || height < 1 || (long)width * height != length)
            throw new ArgumentException($"A mask of {width} x {height} pixels does not fill {length} bytes.");
    }

    /// <summary>An edge from a vertex to the one before it; Y0 and Y1 count from the row.</summary>
    /// <param name="X0">Of the vertex.</param>
    /// <param name="Y0">Of the vertex.</param>
    /// <param name="X1">Of the one before.</param>
    /// <param name="Y1">Of the one before.</param>
    /// <param name="Up">Just one end lies below the row.</param>
    /// <param name="Down">Just one end lies above the row.</param>
    readonly record struct Edge(double X0, double Y0, double X1, double Y1, bool Up, bool Down);
}
