using ClipSegNative.Imaging;

namespace ClipSegNative.Tests.Imaging;

public class PicturePreprocessorTests
{
    static readonly float[] Mean = [0.485f, 0.456f, 0.406f];
    static readonly float[] Std = [0.229f, 0.224f, 0.225f];

    [Fact]
    public void Run_AnyPicture_EqualsResizeThenFormula()
    {
        byte[] pixels = PictureFixtures.Noise(53 * 31 * 3);
        var preprocessor = new PicturePreprocessor(Mean, Std, 1.0 / 255, ResizeFilter.Bilinear, width: 22, height: 20);
        float[] actual = new float[3 * 20 * 22];
        preprocessor.Run(Picture.FromRgb(pixels, 53, 31, 53 * 3), actual);

        byte[] resized = new byte[22 * 20 * 3];
        new PilResizer().Resize(pixels, 53, 31, 3, resized, 22, 20, ResizeFilter.Bilinear);
        for (int c = 0; c < 3; c++)
            for (int i = 0; i < 20 * 22; i++) Assert.Equal(((float)(resized[3 * i + c] * (1.0 / 255)) - Mean[c]) / Std[c], actual[c * 20 * 22 + i]);
    }

    [Fact]
    public void Run_KnownLevels_GivesReferenceBits()
    {
        // numpy: ((np.uint8([[0, 51, 255]]).astype(np.float64) * (1 / 255)).astype(np.float32) - mean) / std, printed as bits
        var preprocessor = new PicturePreprocessor(Mean, Std, 1.0 / 255, ResizeFilter.Bicubic, width: 1, height: 1);
        float[] actual = new float[3];
        preprocessor.Run(Picture.FromRgb([0, 51, 255], 1, 1, 3), actual);
        Assert.Equal((uint[])[0xC0078BBD, 0xBF924924, 0x4028F5C3], actual.Select(BitConverter.SingleToUInt32Bits));
    }

    [Fact]
    public void Run_SecondCall_AllocatesNothing()
    {
        var preprocessor = new PicturePreprocessor(Mean, Std, 1.0 / 255, ResizeFilter.Bilinear, width: 32, height: 32);
        Picture picture = Picture.FromRgb(PictureFixtures.Noise(90 * 70 * 3), 90, 70, 90 * 3);
        float[] destination = new float[3 * 32 * 32];
        preprocessor.Run(picture, destination);
        long before = GC.GetAllocatedBytesForCurrentThread();
        preprocessor.Run(picture, destination);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Run_WrongDestination_Throws()
    {
        var preprocessor = new PicturePreprocessor(Mean, Std, 1.0 / 255, ResizeFilter.Bilinear, width: 4, height: 4);
        Assert.Throws<ArgumentException>(() => preprocessor.Run(Picture.FromRgb(new byte[3], 1, 1, 3), new float[47]));
    }
}
