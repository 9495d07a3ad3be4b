using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>The oracle against numbers known from elsewhere.</summary>
public sealed class ReferenceTests
{
    static readonly ReferenceBackend Backend = new();

    [Theory]
    [InlineData(0.5, 0.5204998778130465)]
    [InlineData(1, 0.8427007929497149)]
    [InlineData(-2, -0.9953222650189527)]
    [InlineData(3.5, 0.9999992569016276)]
    public void Erf_TabulatedArgument_Agrees(double x, double expected) => Assert.Equal(expected, Precise.Erf(x), 2e-15);

    [Theory]
    [InlineData(3, 2.209049699858544e-5)]
    [InlineData(5, 1.5374597944280349e-12)]
    public void Complement_UpperTail_HasFullRelativePrecision(double x, double expected) =>
        Assert.Equal(1, Precise.Complement(x) / expected, 1e-12);

    /// <summary>Two inputs a and b under the kernel 1 2 / 3 4 with stride 1 overlap in the middle column.</summary>
    [Fact]
    public void Fold_OverlappingKernels_AddsWhereTheyMeet()
    {
        Tensor columns = Filled([10, 20, 30, 40, 1, 2, 3, 4], 1, 1, 2, 4), y = Filled(new float[6], 1, 2, 3, 1);
        Backend.Fold(columns, kernel: 2, stride: 1, padding: 0, default, y);
        Assert.Equal([10, 21, 2, 30, 43, 4], Values(y));
    }

    /// <summary>PyTorch: interpolate(tensor([0, 1, 2, 3]), size 8, "linear", align_corners False).</summary>
    [Fact]
    public void Resize_BilinearTwofold_AgreesWithPyTorch()
    {
        Tensor x = Filled([0, 1, 2, 3], 1, 1, 4, 1), y = Filled(new float[8], 1, 1, 8, 1);
        Backend.Resize(x, ResizeMode.Bilinear, y);
        Assert.Equal([0, 0.25f, 0.75f, 1.25f, 1.75f, 2.25f, 2.75f, 3], Values(y));
    }

    /// <summary>The weights at a quarter: PyTorch's a = -0.75 gives -0.10546875, 0.87890625, 0.26171875, -0.03515625.</summary>
    [Fact]
    public void Resize_BicubicTwofold_WeighsAsPyTorch()
    {
        Tensor x = Filled([0, 0, 0, 1, 0, 0, 0], 1, 1, 7, 1), y = Filled(new float[14], 1, 1, 14, 1);
        Backend.Resize(x, ResizeMode.Bicubic, y);
        Assert.Equal([-0.03515625f, -0.10546875f, 0.26171875f, 0.87890625f, 0.87890625f, 0.26171875f, -0.10546875f, -0.03515625f], Values(y)[3..11]);
    }

    [Fact]
    public void Attention_Causal_LastQuerySeesEveryKey()
    {
        Tensor q = Filled([0, 0], 1, 2, 1), k = Filled([0, 0, 0], 1, 3, 1), v = Filled([3, 6, 9], 1, 3, 1), y = Filled(new float[2], 1, 2, 1);
        Backend.Attention(q, k, v, heads: 1, causal: true, y, PrecisionFloor.None);
        Assert.Equal([4.5f, 6f], Values(y));
    }

    [Fact]
    public void Allocate_NothingWritten_IsNaN()
    {
        using DeviceMemory memory = Backend.Allocate(40);
        var storage = new Storage(DType.F32, 10);
        storage.Bind(memory, 0);
        Assert.All(Values(new Tensor(storage, 0, new Shape(10), 10)), value => Assert.True(float.IsNaN(value)));
    }

    static Tensor Filled(float[] values, params ReadOnlySpan<int> extents)
    {
        var storage = new Storage(DType.F32, values.Length);
        storage.Bind(Backend.Allocate(storage.Bytes), 0);
        var shape = new Shape(extents);
        var tensor = new Tensor(storage, 0, shape, shape.Columns);
        Backend.Upload(values, tensor);
        return tensor;
    }

    static float[] Values(Tensor tensor)
    {
        var values = new float[tensor.Shape.Elements];
        Backend.Download(tensor, values);
        return values;
    }
}
