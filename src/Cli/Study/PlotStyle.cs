using ScottPlot;
using SkiaSharp;

namespace ClipSegNative.Cli.Study;

/// <summary>Charts with a font of our own, so that they look the same on machines without any.</summary>
static class PlotStyle
{
    static readonly Lock FontGate = new();

    public static Plot New(string title, string x, string y)
    {
        UseOwnFont();
        var plot = new Plot();
        plot.Title(title);
        plot.XLabel(x);
        plot.YLabel(y);
        foreach (LabelStyle label in new[] { plot.Axes.Title.Label, plot.Axes.Bottom.Label, plot.Axes.Left.Label }) label.Bold = false;   // the font has no other weight
        return plot;
    }

    /// <summary>Names below the columns of a chart, slanted so that long ones fit.</summary>
    /// <param name="plot">The chart.</param>
    /// <param name="ticks">The names.</param>
    /// <param name="length">Of the longest name, in pixels.</param>
    public static void SlantedNames(Plot plot, Tick[] ticks, int length)
    {
        const double Degrees = 60;
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual(ticks);
        plot.Axes.Bottom.TickLabelStyle.Rotation = (float)Degrees;
        plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleLeft;
        plot.Axes.Bottom.MinimumSize = (float)(length * Math.Sin(double.DegreesToRadians(Degrees)));
        plot.Axes.Right.MinimumSize = (float)(length * Math.Cos(double.DegreesToRadians(Degrees)));
    }

    static void UseOwnFont()
    {
        lock (FontGate)
        {
            if (Fonts.FontResolvers.OfType<OwnFont>().Any()) return;
            Fonts.FontResolvers.Insert(0, new OwnFont());
            Fonts.Default = OwnFont.Name;
        }
    }

    sealed class OwnFont : IFontResolver
    {
        public const string Name = "DejaVu Sans";

        readonly SKTypeface _typeface;

        public OwnFont()
        {
            using Stream stream = typeof(OwnFont).Assembly.GetManifestResourceStream("DejaVuSans.ttf")!;
            _typeface = SKTypeface.FromStream(stream);
        }

        public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => fontName == Name ? _typeface : null;

        public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) => CreateTypeface(fontName, false, false);
    }
}
