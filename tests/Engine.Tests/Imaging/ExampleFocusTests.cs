using ClipSegNative.Imaging;

namespace ClipSegNative.Tests.Imaging;

public class ExampleFocusTests
{
    const int Width = 48, Height = 32;

    /// <summary>Sums over the result of the authors' steps done with OpenCV 4.6 (GaussianBlur) and NumPy on the same pixels and masks.</summary>
    [Theory]
    [InlineData(60, 50, 20, 47, 10, 23, 1170.4594000955, -71.3834824064)]   // wider than high: padded above and below
    [InlineData(48, 32, 0, 5, 28, 32, 3449.4817885035, -235.1002308825)]    // in a corner: the context ends at the border
    [InlineData(96, 64, 30, 31, 0, 64, 188.5337425355, -21.0418679404)]     // one column at the working size
    public void Apply_Mask_SameAsTheAuthorsSteps(int maskWidth, int maskHeight, int left, int right, int top, int bottom, double absolute, double weighted)
    {
        float[] focused = ExampleFocus.Apply(Pixels(), Box(maskWidth, maskHeight, left, right, top, bottom), Width, Height);
        Assert.Equal(absolute, focused.Sum(value => Math.Abs((double)value)), tolerance: 2e-3);
        Assert.Equal(weighted, focused.Select((value, i) => (double)value * (i * 13 % 17)).Sum(), tolerance: 2e-3);
    }

    [Fact]
    public void Apply_WholePicture_LeavesASquareAsItIs()
    {
        var pixels = new float[3 * 20 * 20];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = i % 7 - 3;
        Assert.Equal(pixels, ExampleFocus.Apply(pixels, Mask.FromPixels([1], 1, 1), 20, 20));
    }

    [Fact]
    public void Apply_MaskThatVanishesAtTheWorkingSize_Refused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => ExampleFocus.Apply(Pixels(), Box(4800, 3200, 1, 2, 1, 2), Width, Height));
        Assert.Contains("48 x 32", error.Message, StringComparison.Ordinal);
    }

    static float[] Pixels() => [.. Enumerable.Range(0, 3 * Width * Height).Select(i => i * 37 % 101 / 25f - 2)];

    /// <summary>A box without its first pixel, unless that is the only one.</summary>
    static Mask Box(int width, int height, int left, int right, int top, int bottom)
    {
        var pixels = new byte[width * height];
        for (int y = top; y < bottom; y++) pixels.AsSpan(y * width + left, right - left).Fill(1);
        if (bottom - top > 1) pixels[top * width + left] = 0;
        return Mask.FromPixels(pixels, width, height);
    }
}
