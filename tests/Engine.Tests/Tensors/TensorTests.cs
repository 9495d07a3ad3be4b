using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Tensors;

public sealed class TensorTests
{
    [Fact]
    public void RowRange_OfPitchedRows_StartsAtItsFirst()
    {
        Tensor rows = Pitched(6, 4, pitch: 7).RowRange(2, 3);
        Assert.Equal(new Shape(3, 4), rows.Shape);
        Assert.Equal((14, 7, 18), (rows.Offset, rows.Pitch, rows.Extent));
        Assert.False(rows.IsContiguous);
        Assert.True(rows.RowRange(1, 1).IsContiguous);
    }

    [Fact]
    public void RowRange_OfThreeAxes_IsAMatrix() => Assert.Equal(new Shape(4, 5), New(2, 3, 5).RowRange(1, 4).Shape);

    [Fact]
    public void ColumnRange_OfThreeAxes_KeepsTheOuter()
    {
        Tensor range = New(2, 3, 12).ColumnRange(4, 5);
        Assert.Equal(new Shape(2, 3, 5), range.Shape);
        Assert.Equal((4, 12), (range.Offset, range.Pitch));
        Assert.Equal(6, range.ColumnRange(2, 1).Offset);
    }

    [Theory]
    [InlineData(-1, 2)]
    [InlineData(0, 7)]
    [InlineData(6, 1)]
    [InlineData(3, -1)]
    [InlineData(int.MaxValue, 1)]
    public void Ranges_OutsideTheTensor_AreRefused(int first, int count)
    {
        Assert.ThrowsAny<ArgumentException>(() => New(6, 6).RowRange(first, count));
        Assert.ThrowsAny<ArgumentException>(() => New(6, 6).ColumnRange(first, count));
    }

    [Fact]
    public void Ranges_OfNothing_AreEmpty()
    {
        Assert.Equal(0, New(6, 4).RowRange(6, 0).Extent);
        Assert.Equal(0, New(6, 4).ColumnRange(4, 0).Extent);
    }

    [Fact]
    public void Reshape_AdjacentRows_MayChangeEverything()
    {
        Tensor reshaped = New(6, 4).Reshape(2, 3, 2, 2);
        Assert.Equal((new Shape(2, 3, 2, 2), 2), (reshaped.Shape, reshaped.Pitch));
        Assert.Equal(new Shape(24), New(6, 4).Reshape(24).Shape);
    }

    [Fact]
    public void Reshape_PitchedRows_KeepTheirLength()
    {
        Tensor reshaped = Pitched(6, 4, pitch: 7).Reshape(2, 3, 4);
        Assert.Equal((new Shape(2, 3, 4), 7), (reshaped.Shape, reshaped.Pitch));
        Assert.Throws<ArgumentException>(() => Pitched(6, 4, pitch: 7).Reshape(12, 2));
        Assert.Throws<ArgumentException>(() => Pitched(6, 4, pitch: 7).Reshape(24));
    }

    [Fact]
    public void Reshape_OneRowOfAPitchedMatrix_IsFreeAgain()
    {
        Tensor reshaped = Pitched(6, 4, pitch: 7).RowRange(2, 1).Reshape(2, 2);
        Assert.Equal((14, 2), (reshaped.Offset, reshaped.Pitch));
    }

    [Fact]
    public void Reshape_OtherCount_IsRefused() => Assert.Throws<ArgumentException>(() => New(6, 4).Reshape(5, 4));

    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, 4)]
    [InlineData(-1, 4)]
    public void Tensor_OutsideItsStorage_IsRefused(int offset, int pitch) =>
        Assert.ThrowsAny<ArgumentException>(() => new Tensor(new Storage(DType.F32, 24), offset, new Shape(6, 4), pitch));

    [Fact]
    public void Tensor_PitchBelowItsColumns_IsRefused() =>
        Assert.Throws<ArgumentException>(() => new Tensor(new Storage(DType.F32, 24), 0, new Shape(6, 4), 3));

    [Fact]
    public void Tensor_LastRow_NeedsNoGapBehindIt() => Assert.Equal(39, new Tensor(new Storage(DType.F32, 39), 0, new Shape(6, 4), 7).Extent);

    [Fact]
    public void Default_IsAbsentAndHasNoStorage()
    {
        Tensor absent = default;
        Assert.True(absent.IsAbsent);
        Assert.Equal("absent", absent.ToString());
        Assert.Throws<InvalidOperationException>(() => absent.Storage);
    }

    [Theory]
    [InlineData(-4)]
    [InlineData(20)]
    public void Storage_BoundOutsideItsBlock_IsRefused(int offset)
    {
        var storage = new Storage(DType.F32, 6);
        using var memory = new Reference.ManagedMemory(40);
        Assert.Throws<ArgumentException>(() => storage.Bind(memory, offset));
        storage.Bind(memory, 16);
        Assert.Equal((memory, 16), (storage.Memory, storage.ByteOffset));
    }

    static Tensor New(params ReadOnlySpan<int> extents)
    {
        var shape = new Shape(extents);
        return new Tensor(new Storage(DType.F32, shape.Elements), 0, shape, shape.Columns);
    }

    static Tensor Pitched(int rows, int columns, int pitch) => new(new Storage(DType.F32, (long)rows * pitch), 0, new Shape(rows, columns), pitch);
}
