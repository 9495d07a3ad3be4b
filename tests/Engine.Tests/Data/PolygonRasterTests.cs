using System.Text.Json;
using ClipSegNative.Data;
using ClipSegNative.Imaging;
using CsCheck;

namespace ClipSegNative.Tests.Data;

public class PolygonRasterTests
{
    delegate void Fill(ReadOnlySpan<double> polygon, int width, int height, Span<byte> mask);

    [Fact]
    public void FillOfficial_PhraseCutCases_EqualPillowPixelForPixel()
    {
        int compared = 0;
        foreach (JsonElement item in ReadCases("polygon_cases.json"))
        {
            (int width, int height) = Size(item);
            var mask = new byte[width * height];
            foreach (JsonElement polygon in item.GetProperty("polygons").EnumerateArray())
                PolygonRaster.FillOfficial([.. polygon.EnumerateArray().SelectMany(Numbers)], width, height, mask);
            AssertMask(item.GetProperty("rle_counts"), mask, width, height, $"case {compared}");
            compared++;
        }
        Assert.Equal(40, compared);
    }

    /// <summary>Self-crossing, doubled back, on whole numbers, far outside and beyond 32 bits; made with Pillow 9.4 and scikit-image 0.19.</summary>
    [Fact]
    public void Fill_HardCases_EqualPillowAndScikitImagePixelForPixel()
    {
        int compared = 0;
        foreach (JsonElement item in ReadCases("polygon_hard_cases.json"))
        {
            (int width, int height) = Size(item);
            double[] polygon = [.. Numbers(item.GetProperty("polygon"))];
            byte[] official = new byte[width * height], inside = new byte[width * height];
            PolygonRaster.FillOfficial(polygon, width, height, official);
            PolygonRaster.FillInside(polygon, width, height, inside);
            AssertMask(item.GetProperty("official"), official, width, height, $"official, case {compared}");
            AssertMask(item.GetProperty("inside"), inside, width, height, $"inside, case {compared}");
            compared++;
        }
        Assert.Equal(150, compared);
    }

    [Fact]
    public void Fill_TriangleOnWholeNumbers_KnowsItsBorder()
    {
        Assert.Equal("#### ###. ##.. #...", Draw(PolygonRaster.FillOfficial, [0, 0, 3, 0, 0, 3]));
        Assert.Equal("#### ###. ##.. #...", Draw(PolygonRaster.FillInside, [0, 0, 3, 0, 0, 3]));
        Assert.Equal("#### ###. ##.. #...", Draw(PolygonRaster.FillOfficial, [0.9, -0.9, 3.9, 0.9, 0.9, 3.9]));
        Assert.Equal(".... .##. .#.. ....", Draw(PolygonRaster.FillInside, [0.9, 0.5, 2.9, 0.5, 0.9, 2.9]));
    }

    [Fact]
    public void Fill_FewPoints_SetsWhatPillowDoes()
    {
        Assert.Equal(".... .... .... ....", Draw(PolygonRaster.FillOfficial, []));
        Assert.Equal(".... .... .... ....", Draw(PolygonRaster.FillOfficial, [1, 1]));
        Assert.Equal(".... .... .... ....", Draw(PolygonRaster.FillInside, []));
        Assert.Equal("##.. .#.. ..#. ...#", Draw(PolygonRaster.FillOfficial, [0, 0, 3, 3]));   // its joined corner
    }

    [Fact]
    public void Fill_SeveralPolygons_Unite() => Gen.Select(GenPolygon, GenPolygon).Sample((a, b) =>
    {
        foreach (Fill fill in (Fill[])[PolygonRaster.FillOfficial, PolygonRaster.FillInside])
        {
            byte[] first = new byte[Side * Side], second = new byte[Side * Side], both = new byte[Side * Side];
            fill(a, Side, Side, first);
            fill(b, Side, Side, second);
            fill(b, Side, Side, both);
            fill(a, Side, Side, both);
            Assert.Equal(first.Zip(second, (x, y) => (byte)(x | y)), both);
        }
    }, iter: 200);

    [Fact]
    public void FillOfficial_PictureCutSmaller_KeepsTheSamePixels() => GenPolygon.Sample(polygon =>
    {
        byte[] whole = new byte[Side * Side];
        PolygonRaster.FillOfficial(polygon, Side, Side, whole);
        byte[] narrow = new byte[Side * (Side / 2)];
        PolygonRaster.FillOfficial(polygon, Side / 2, Side, narrow);
        for (int y = 0; y < Side; y++) Assert.Equal(whole.AsSpan(y * Side, Side / 2), narrow.AsSpan(y * (Side / 2), Side / 2));
    }, iter: 200);

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e300)]
    [InlineData(-2147483649.5)]
    public void Fill_AbsurdCoordinate_StaysInsideThePicture(double absurd)
    {
        foreach (Fill fill in (Fill[])[PolygonRaster.FillOfficial, PolygonRaster.FillInside])
            foreach (double[] polygon in (double[][])[[0, 0, absurd, 3, 2, 3], [0, 0, 3, absurd, 2, 3], [absurd, absurd, absurd, absurd]])
                Assert.Equal(4 * 4, Draw(fill, polygon).Count(pixel => pixel != ' '));
    }

    [Fact]
    public void Fill_WrongLengths_Throw()
    {
        Assert.Throws<ArgumentException>(() => PolygonRaster.FillOfficial([1, 2, 3], 2, 2, new byte[4]));
        Assert.Throws<ArgumentException>(() => PolygonRaster.FillInside([1, 2, 3, 4], 2, 2, new byte[3]));
        Assert.Throws<ArgumentException>(() => PolygonRaster.ResizeNearest(new byte[3], 2, 2, new byte[4], 2, 2));
    }

    /// <summary>Columns that PyTorch 1.13 takes; the float32 product falls one short of 13 = 11 · 416 / 352.</summary>
    [Fact]
    public void ResizeNearest_AnySizes_TakesPyTorchsSources()
    {
        Assert.Equal([0, 1, 3], Sources(5, 3));
        Assert.Equal([0, 0, 1, 1, 2], Sources(3, 5));
        Assert.Equal([0, 1, 2], Sources(3, 3));
        Assert.Equal(12, Sources(416, 352)[11]);

        static int[] Sources(int width, int outWidth)
        {
            var found = new int[outWidth];
            byte[] column = new byte[width], row = new byte[width], resized = new byte[outWidth], turned = new byte[outWidth];
            for (int i = 0; i < width; i++)
            {
                column.AsSpan().Clear();
                column[i] = 1;
                column.CopyTo(row, 0);
                PolygonRaster.ResizeNearest(row, width, 1, resized, outWidth, 1);
                PolygonRaster.ResizeNearest(column, 1, width, turned, 1, outWidth);
                Assert.Equal(resized, turned);
                for (int o = 0; o < outWidth; o++) if (resized[o] == 1) found[o] = i;
            }
            return found;
        }
    }

    const int Side = 24;

    static readonly Gen<double[]> GenPolygon =
        Gen.Select(Gen.Double[-10, 34], Gen.Double[-10, 34]).Array[2, 9].Select(points => points.SelectMany(point => (double[])[point.Item1, point.Item2]).ToArray());

    static string Draw(Fill fill, double[] polygon)
    {
        byte[] mask = new byte[16];
        fill(polygon, 4, 4, mask);
        return string.Join(' ', mask.Chunk(4).Select(row => string.Concat(row.Select(pixel => pixel == 1 ? '#' : '.'))));
    }

    static void AssertMask(JsonElement counts, byte[] mask, int width, int height, string what)
    {
        int[] expected = [.. counts.EnumerateArray().Select(count => count.GetInt32())];
        Assert.True(expected.AsSpan().SequenceEqual(Mask.FromPixels(mask, width, height).ToRle().Counts), what);
    }

    static IEnumerable<double> Numbers(JsonElement array) => array.EnumerateArray().Select(number => number.GetDouble());

    static (int Width, int Height) Size(JsonElement item) => (item.GetProperty("width").GetInt32(), item.GetProperty("height").GetInt32());

    static JsonElement[] ReadCases(string name) => [.. JsonDocument.Parse(File.ReadAllText(TestData.Fixture(name))).RootElement.EnumerateArray()];
}
