using SkiaSharp;

namespace ClipSegNative.Data.Scenes;

/// <summary>Patterns over an object, in a darker tone of its own colour; their scale follows the object's.</summary>
static class ScenePatterns
{
    /// <summary>Draws into the clip that is set.</summary>
    public static void Draw(SKCanvas canvas, SceneObject thing, SKColor tone, SceneRandom random)
    {
        if (thing.Pattern == ScenePattern.Plain) return;
        using var paint = new SKPaint { Color = tone, IsAntialias = true };
        canvas.Save();
        canvas.Translate(thing.X, thing.Y);
        canvas.Scale(thing.Radius);
        canvas.RotateDegrees(thing.Turn + (thing.Pattern == ScenePattern.Striped ? random.Between(-60, 60) : 0));
        canvas.Translate(random.Between(-0.2f, 0.2f), random.Between(-0.2f, 0.2f));
        switch (thing.Pattern)
        {
            case ScenePattern.Striped: Stripes(canvas, paint); break;
            case ScenePattern.Dotted: Dots(canvas, paint); break;
            default: Checks(canvas, paint); break;
        }
        canvas.Restore();
    }

    const float Reach = 2;   // every outline lies within twice the radius

    static void Stripes(SKCanvas canvas, SKPaint paint)
    {
        const float Period = 0.56f;
        for (float y = -Reach; y < Reach; y += Period) canvas.DrawRect(-Reach, y, 2 * Reach, Period / 2, paint);
    }

    static void Dots(SKCanvas canvas, SKPaint paint)
    {
        const float Step = 0.62f, Dot = 0.19f;
        int row = 0;
        for (float y = -Reach; y < Reach; y += Step * 0.87f, row++)
            for (float x = -Reach + row % 2 * Step / 2; x < Reach; x += Step) canvas.DrawCircle(x, y, Dot, paint);
    }

    static void Checks(SKCanvas canvas, SKPaint paint)
    {
        const float Cell = 0.46f;
        const int Cells = (int)(Reach / Cell) + 1;
        for (int row = -Cells; row < Cells; row++)
            for (int column = -Cells; column < Cells; column++)
                if ((row + column) % 2 == 0) canvas.DrawRect(column * Cell, row * Cell, Cell, Cell, paint);
    }
}
