using SkiaSharp;

namespace ClipSegNative.Data.Scenes;

/// <summary>Draws scenes of any size; everything is a share of the side, so a seed shows the same scene at each. Not thread-safe.</summary>
/// <param name="side">In pixels.</param>
sealed class SceneRenderer(int side) : IDisposable
{
    /// <summary>Stands for the background in <see cref="Visible"/>.</summary>
    public const byte Nothing = 255;

    static readonly SKColor[] Tones =
    [
        new(222, 38, 38), new(38, 160, 58), new(42, 78, 222), new(238, 208, 36), new(136, 48, 180), new(244, 128, 24), new(36, 196, 208), new(248, 132, 180),
    ];

    readonly SKBitmap _bitmap = new(new SKImageInfo(side, side, SKColorType.Rgba8888, SKAlphaType.Opaque));
    readonly SKBitmap _ids = new(new SKImageInfo(side, side, SKColorType.Alpha8));

    public int Side => side;

    /// <summary>The picture, valid until the next.</summary>
    public SKBitmap Draw(Scene scene)
    {
        using var canvas = new SKCanvas(_bitmap);
        canvas.Scale(side);
        SceneBackground.Draw(canvas, new SceneRandom((ulong)scene.Seed, 0));
        foreach (SceneObject thing in scene.Objects) Draw(canvas, thing);
        canvas.Flush();
        AddNoise(new SceneRandom((ulong)scene.Seed, 1));
        return _bitmap;
    }

    /// <summary>Which object each pixel shows [side · side], as its index, or <see cref="Nothing"/>.</summary>
    public byte[] Visible(Scene scene)
    {
        using var canvas = new SKCanvas(_ids);
        canvas.Clear(new SKColor(0, 0, 0, Nothing));
        canvas.Scale(side);
        for (int i = 0; i < scene.Objects.Count; i++)
        {
            using var paint = new SKPaint { Color = new SKColor(0, 0, 0, (byte)i), BlendMode = SKBlendMode.Src };   // no antialiasing: a pixel is one object's
            using SKPath outline = Outline(scene.Objects[i]);
            canvas.DrawPath(outline, paint);
        }
        canvas.Flush();
        var map = new byte[side * side];
        for (int row = 0; row < side; row++) _ids.GetPixelSpan().Slice(row * _ids.RowBytes, side).CopyTo(map.AsSpan(row * side));
        return map;
    }

    public void Dispose()
    {
        _bitmap.Dispose();
        _ids.Dispose();
    }

    static SKPath Outline(SceneObject thing)
    {
        var path = new SKPath(SceneOutlines.Of(thing.Shape));
        path.Transform(SKMatrix.CreateScale(thing.Radius * MathF.Sqrt(thing.Aspect), thing.Radius / MathF.Sqrt(thing.Aspect)));
        path.Transform(SKMatrix.CreateRotationDegrees(thing.Turn));
        path.Transform(SKMatrix.CreateTranslation(thing.X, thing.Y));
        return path;
    }

    static void Draw(SKCanvas canvas, SceneObject thing)
    {
        var random = new SceneRandom((ulong)thing.Seed, 0);
        using SKPath outline = Outline(thing);
        using (var shadow = new SKPaint { Color = SKColors.Black.WithAlpha(90), IsAntialias = true, MaskFilter = SKMaskFilter.CreateBlur(SKBlurStyle.Normal, 0.012f) })
        {
            using var moved = new SKPath(outline);
            moved.Transform(SKMatrix.CreateTranslation(0.008f, 0.014f));
            canvas.DrawPath(moved, shadow);
        }
        float light = random.Between(0.86f, 1.08f);
        SKColor tone = Toned(Tones[(int)thing.Colour], light, random);
        using (var fill = new SKPaint { Color = tone, IsAntialias = true }) canvas.DrawPath(outline, fill);
        canvas.Save();
        canvas.ClipPath(outline, SKClipOperation.Intersect, antialias: true);
        ScenePatterns.Draw(canvas, thing, Toned(tone, 0.36f, null), random);
        Shade(canvas, thing, random);
        canvas.Restore();
    }

    /// <summary>Lighter at one side, darker at the other.</summary>
    static void Shade(SKCanvas canvas, SceneObject thing, SceneRandom random)
    {
        double angle = random.Between(0, 2 * MathF.PI);
        float x = (float)Math.Cos(angle) * thing.Radius * 1.2f, y = (float)Math.Sin(angle) * thing.Radius * 1.2f;
        using var shader = SKShader.CreateLinearGradient(
            new SKPoint(thing.X - x, thing.Y - y), new SKPoint(thing.X + x, thing.Y + y), [SKColors.White.WithAlpha(60), SKColors.Black.WithAlpha(60)], SKShaderTileMode.Clamp);
        using var paint = new SKPaint { Shader = shader };
        canvas.DrawPaint(paint);
    }

    static SKColor Toned(SKColor colour, float light, SceneRandom? random)
    {
        return new SKColor(Channel(colour.Red), Channel(colour.Green), Channel(colour.Blue));

        byte Channel(byte value) => (byte)Math.Clamp(value * light + (random?.Between(-10, 10) ?? 0), 0, 255);
    }

    void AddNoise(SceneRandom random)
    {
        const int Most = 7;
        Span<byte> pixels;
        unsafe { pixels = new Span<byte>((void*)_bitmap.GetPixels(), _bitmap.ByteCount); }
        for (int i = 0; i < pixels.Length; i++)
            if (i % 4 != 3) pixels[i] = (byte)Math.Clamp(pixels[i] + random.Next(2 * Most + 1) - Most, 0, 255);
    }
}
