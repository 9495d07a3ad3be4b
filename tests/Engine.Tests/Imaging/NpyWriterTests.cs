using System.Text;
using ClipSegNative.Imaging;

namespace ClipSegNative.Tests.Imaging;

public class NpyWriterTests
{
    [Theory]
    [InlineData(new int[0], "()")]
    [InlineData(new[] { 3 }, "(3,)")]
    [InlineData(new[] { 1, 3 }, "(1, 3)")]
    [InlineData(new[] { 1, 3, 1, 1 }, "(1, 3, 1, 1)")]
    public void Write_AnyShape_IsNumpysLayout(int[] shape, string tuple)
    {
        float[] values = shape.Length == 0 ? [1f] : [1f, -2.5f, float.NaN];
        using var stream = new MemoryStream();
        NpyWriter.Write(stream, values, shape);
        byte[] file = stream.ToArray();

        Assert.Equal([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 118, 0], file[..10]);
        Assert.Equal($"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple}, }}".PadRight(117) + "\n", Encoding.ASCII.GetString(file, 10, 118));
        Assert.Equal([0, 0, 0x80, 0x3F], file[128..132]);
        Assert.Equal(128 + 4 * values.Length, file.Length);
        if (values.Length > 1) Assert.Equal([0, 0, 0x20, 0xC0], file[132..136]);
    }

    [Fact]
    public void WriteValues_LongSpan_AllArrive()
    {
        float[] values = [.. Enumerable.Range(0, (1 << 20) + 5).Select(i => (float)i)];
        using var stream = new MemoryStream();
        NpyWriter.Write(stream, values, values.Length);
        Assert.Equal((float)((1 << 20) + 4), BitConverter.ToSingle(stream.ToArray(), (int)stream.Length - 4));
        Assert.Equal(128 + 4L * values.Length, stream.Length);
    }

    [Fact]
    public void Write_ShapeDoesNotFit_Throws() => Assert.Throws<ArgumentException>(() => NpyWriter.Write(Stream.Null, new float[5], 2, 3));
}
