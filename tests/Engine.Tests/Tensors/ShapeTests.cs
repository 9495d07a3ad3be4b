using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Tensors;

public sealed class ShapeTests
{
    [Fact]
    public void Shape_OfFour_IsAlsoAMatrix()
    {
        var shape = new Shape(2, 3, 4, 5);
        Assert.Equal((4, 120L, 24, 5), (shape.Rank, shape.Elements, shape.Rows, shape.Columns));
        Assert.Equal((2, 5), (shape[0], shape[3]));
        Assert.Equal("[2,3,4,5]", shape.ToString());
    }

    [Fact]
    public void Shape_OfNothing_IsAScalar()
    {
        Shape scalar = default;
        Assert.Equal((0, 1L, 1, 1), (scalar.Rank, scalar.Elements, scalar.Rows, scalar.Columns));
        Assert.Equal("[]", scalar.ToString());
    }

    [Fact]
    public void Shape_WithAZero_HasNoElements() => Assert.Equal(0, new Shape(3, 0, 5).Elements);

    [Fact]
    public void Equality_IsByRankAndExtents()
    {
        Assert.True(new Shape(2, 3) == new Shape(2, 3));
        Assert.True(new Shape(2, 3) != new Shape(2, 3, 0));
        Assert.False(new Shape(2, 3).Equals((object)new Shape(3, 2)));
        Assert.Equal(new Shape(2, 3).GetHashCode(), new Shape(2, 3).GetHashCode());
    }

    [Fact]
    public void Shape_TooManyOrNegativeExtents_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new Shape(1, 2, 3, 4, 5));
        Assert.Throws<ArgumentException>(() => new Shape(2, -1));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public void Axis_OutsideTheRank_IsRefused(int axis) => Assert.Throws<ArgumentOutOfRangeException>(() => new Shape(2, 3)[axis]);

    [Fact]
    public void Elements_BeyondLong_AreNotWrapped() =>
        Assert.Throws<OverflowException>(() => new Shape(int.MaxValue, int.MaxValue, int.MaxValue).Elements);

    [Theory]
    [InlineData("F32", 4)]
    [InlineData("F16", 2)]
    [InlineData("BF16", 2)]
    [InlineData("I32", 4)]
    [InlineData("I64", 8)]
    [InlineData("U8", 1)]
    public void Size_EveryType_IsInBytes(string type, int bytes) => Assert.Equal(bytes, Enum.Parse<DType>(type).Size());
}
