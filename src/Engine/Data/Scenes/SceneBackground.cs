using SkiaSharp;

namespace ClipSegNative.Data.Scenes;

/// <summary>Backgrounds of little colour: a gradient, a texture of bands or blots, and clutter of faint lines that are no shapes.</summary>
static class SceneBackground
{
    /// <summary>Fills the unit square.</summary>
    public static void Draw(SKCanvas canvas, SceneRandom random)
    {
        SKColor ground = Grey(random, 70, 225);
        using (var shader = SKShader.CreateLinearGradient(
            new SKPoint(random.Between(0, 1), 0), new SKPoint(random.Between(0, 1), 1), [ground, Near(ground, random, 35)], SKShaderTileMode.Clamp))
        using (var paint = new SKPaint { Shader = shader }) canvas.DrawPaint(paint);
        switch (random.Next(3))
        {
            case 0: Bands(canvas, ground, random); break;
            case 1: Blots(canvas, ground, random); break;
        }
        Clutter(canvas, ground, random);
    }

    static void Bands(SKCanvas canvas, SKColor ground, SceneRandom random)
    {
        float period = random.Between(0.08f, 0.2f);
        canvas.Save();
        canvas.RotateDegrees(random.Between(0, 180), 0.5f, 0.5f);
        using var paint = new SKPaint { Color = Near(ground, random, 22).WithAlpha(150), IsAntialias = true };
        for (float y = -0.5f; y < 1.5f; y += period) canvas.DrawRect(-0.5f, y, 2, period * random.Between(0.3f, 0.6f), paint);
        canvas.Restore();
    }

    static void Blots(SKCanvas canvas, SKColor ground, SceneRandom random)
    {
        for (int i = random.Next(12) + 6; i > 0; i--)
        {
            using var paint = new SKPaint
            {
                Color = Near(ground, random, 30).WithAlpha(120),
                IsAntialias = true,
                MaskFilter = SKMaskFilter.CreateBlur(SKBlurStyle.Normal, random.Between(0.02f, 0.06f)),
            };
            canvas.DrawOval(random.Between(0, 1), random.Between(0, 1), random.Between(0.04f, 0.2f), random.Between(0.04f, 0.2f), paint);
        }
    }

    static void Clutter(SKCanvas canvas, SKColor ground, SceneRandom random)
    {
        for (int i = random.Next(9); i > 0; i--)
        {
            using var paint = new SKPaint { Color = Near(ground, random, 70).WithAlpha(170), IsAntialias = true, IsStroke = true, StrokeWidth = random.Between(0.004f, 0.014f) };
            using var builder = new SKPathBuilder();
            builder.MoveTo(random.Between(-0.1f, 1.1f), random.Between(-0.1f, 1.1f));
            builder.QuadTo(random.Between(0, 1), random.Between(0, 1), random.Between(-0.1f, 1.1f), random.Between(-0.1f, 1.1f));
            using SKPath path = builder.Detach();
            canvas.DrawPath(path, paint);
        }
    }

    static SKColor Grey(SceneRandom random, float least, float most)
    {
        float level = random.Between(least, most);
        return new SKColor(Tint(), Tint(), Tint());

        byte Tint() => (byte)Math.Clamp(level + random.Between(-9, 9), 0, 255);
    }

    static SKColor Near(SKColor ground, SceneRandom random, float most)
    {
        float change = random.Between(-most, most);
        return new SKColor(Moved(ground.Red), Moved(ground.Green), Moved(ground.Blue));

        byte Moved(byte value) => (byte)Math.Clamp(value + change, 0, 255);
    }
}
