using SkiaSharp;

namespace ClipSegNative.Data.Scenes;

/// <summary>The shapes as paths around the origin, all of the area of the unit circle so that none is told by its size.</summary>
static class SceneOutlines
{
    static readonly SKPath[] Paths = [.. Enum.GetValues<SceneShape>().Select(shape => ToUnitArea(Draw(shape)))];

    /// <summary>Shared; not to be changed.</summary>
    public static SKPath Of(SceneShape shape) => Paths[(int)shape];

    static SKPath Draw(SceneShape shape) => shape switch
    {
        SceneShape.Circle => Path(path => path.AddCircle(0, 0, 1)),
        SceneShape.Square => Polygon(-1, -1, 1, -1, 1, 1, -1, 1),
        SceneShape.Triangle => Polygon(0, -1, 0.95f, 0.75f, -0.95f, 0.75f),
        SceneShape.Star => Star(points: 5, inner: 0.45f),
        SceneShape.Cross => Polygon(-0.36f, -1, 0.36f, -1, 0.36f, -0.36f, 1, -0.36f, 1, 0.36f, 0.36f, 0.36f, 0.36f, 1, -0.36f, 1, -0.36f, 0.36f, -1, 0.36f, -1, -0.36f, -0.36f, -0.36f),
        SceneShape.Ring => Path(path =>
        {
            path.AddCircle(0, 0, 1);
            path.AddCircle(0, 0, 0.52f, SKPathDirection.CounterClockwise);
        }),
        SceneShape.Heart => Path(path =>
        {
            path.MoveTo(0, 0.95f);
            path.CubicTo(-1.5f, 0.1f, -1.05f, -1.1f, 0, -0.45f);
            path.CubicTo(1.05f, -1.1f, 1.5f, 0.1f, 0, 0.95f);
            path.Close();
        }),
        SceneShape.Moon => Path(path =>
        {
            path.MoveTo(0.35f, -0.95f);
            path.ArcTo(1, 1, 0, SKPathArcSize.Large, SKPathDirection.CounterClockwise, 0.35f, 0.95f);
            path.ArcTo(1.02f, 1.02f, 0, SKPathArcSize.Small, SKPathDirection.Clockwise, 0.35f, -0.95f);
            path.Close();
        }),
        SceneShape.Arrow => Polygon(-1, -0.34f, 0.05f, -0.34f, 0.05f, -0.85f, 1, 0, 0.05f, 0.85f, 0.05f, 0.34f, -1, 0.34f),
        SceneShape.Diamond => Polygon(0, -1.1f, 0.72f, 0, 0, 1.1f, -0.72f, 0),
        SceneShape.Drop => Path(path =>
        {
            path.MoveTo(0, -1.25f);
            path.CubicTo(0.25f, -0.55f, 0.8f, -0.2f, 0.8f, 0.3f);
            path.ArcTo(0.8f, 0.8f, 0, SKPathArcSize.Small, SKPathDirection.Clockwise, -0.8f, 0.3f);
            path.CubicTo(-0.8f, -0.2f, -0.25f, -0.55f, 0, -1.25f);
            path.Close();
        }),
        _ => Polygon(-0.85f, -1, 0.85f, -1, 0.2f, 0, 0.85f, 1, -0.85f, 1, -0.2f, 0),
    };

    static SKPath Path(Action<SKPathBuilder> draw)
    {
        using var builder = new SKPathBuilder();
        draw(builder);
        return builder.Detach();
    }

    static SKPath Polygon(params float[] points) =>
        Path(path => path.AddPoly([.. Enumerable.Range(0, points.Length / 2).Select(i => new SKPoint(points[2 * i], points[2 * i + 1]))], close: true));

    static SKPath Star(int points, float inner)
    {
        var coordinates = new float[4 * points];
        for (int i = 0; i < 2 * points; i++)
        {
            double angle = Math.PI * i / points - Math.PI / 2, radius = i % 2 == 0 ? 1 : inner;
            (coordinates[2 * i], coordinates[2 * i + 1]) = ((float)(radius * Math.Cos(angle)), (float)(radius * Math.Sin(angle)));
        }
        return Polygon(coordinates);
    }

    /// <summary>The area is counted in pixels, which no shape is too odd for.</summary>
    static SKPath ToUnitArea(SKPath path)
    {
        const int Side = 400;
        const float Scale = Side / 3f;
        using var bitmap = new SKBitmap(new SKImageInfo(Side, Side, SKColorType.Alpha8));
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Translate(Side / 2f, Side / 2f);
            canvas.Scale(Scale);
            using var paint = new SKPaint { Color = SKColors.White };
            canvas.DrawPath(path, paint);
        }
        int count = 0;
        foreach (byte pixel in bitmap.GetPixelSpan()) if (pixel > 127) count++;
        path.Transform(SKMatrix.CreateScale((float)Math.Sqrt(Math.PI * Scale * Scale / count), (float)Math.Sqrt(Math.PI * Scale * Scale / count)));
        return path;
    }
}
