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
