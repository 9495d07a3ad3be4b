using System.Runtime.InteropServices;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;
using ClipSegNative.Weights.PyTorch;

namespace ClipSegNative.Tests.Weights.PyTorch;

public sealed class PyTorchFileTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TryFind_AnyView_GivesItsElementsInOrder(bool legacy)
    {
        long[][] views =   // offset; extents; strides
        [
            [0], [24], [1],
            [5], [3, 4], [4, 1],
            [0], [4, 3], [1, 4],          // transposed
            [0], [2, 3, 4], [12, 1, 3],   // permuted
            [0], [2, 2], [12, 6],         // every sixth
            [23], [], [],                 // a scalar
            [7], [1, 5, 1], [99, 1, 77],  // strides of extents of 1 say nothing
            [24], [0, 3], [3, 1],         // empty
            [0], [3, 2, 2, 2], [1, 12, 3, 6],
        ];
        float[] elements = [.. Enumerable.Range(0, 24).Select(i => i * 0.5f)];
        using PyTorchFile file = Open(legacy, "FloatStorage", MemoryMarshal.AsBytes<float>(elements).ToArray(), 24, pickle =>
        {
            for (int i = 0; i < views.Length; i += 3) pickle.Text($"view{i / 3}").Tensor("FloatStorage", "0", 24, views[i][0], views[i + 1], views[i + 2], legacy);
        });
        for (int i = 0; i < views.Length; i += 3)
        {
            Assert.True(file.TryFind($"view{i / 3}", out WeightEntry entry));
            Assert.Equal(views[i + 1], Enumerable.Range(0, entry.Shape.Rank).Select(axis => (long)entry.Shape[axis]));
            Assert.Equal(Expected(elements, views[i][0], views[i + 1], views[i + 2]), entry.Singles().ToArray());
        }
    }

    [Fact]
    public void Rows_OfATransposedMatrix_AreGathered()
    {
        float[] elements = [.. Enumerable.Range(0, 12)];
        using PyTorchFile file = Open(legacy: false, "FloatStorage", MemoryMarshal.AsBytes<float>(elements).ToArray(), 12,
            pickle => pickle.Text("m").Tensor("FloatStorage", "0", 12, 0, [4, 3], [1, 4]));
        file.TryFind("m", out WeightEntry entry);
        Assert.Equal([1, 5, 9, 2, 6, 10], entry.Rows(1, 2).Singles().ToArray());
        Assert.Equal([4, 5, 6, 7], entry.Transposed().Rows(1, 1).Singles().ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => entry.Rows(3, 2));
    }

    [Theory]
    [InlineData("FloatStorage", "F32", 4)]
    [InlineData("HalfStorage", "F16", 2)]
    [InlineData("BFloat16Storage", "BF16", 2)]
    [InlineData("LongStorage", "I64", 8)]
    [InlineData("IntStorage", "I32", 4)]
    [InlineData("ByteStorage", "U8", 1)]
    public void TryFind_TypeThatIsRead_GivesEqualBytes(string storage, string type, int size)
    {
        byte[] bytes = [.. Enumerable.Range(1, 6 * size).Select(i => (byte)(i * 37))];
        using PyTorchFile file = Open(legacy: true, storage, bytes, 6, pickle => pickle.Text("x").Tensor(storage, "0", 6, 0, [2, 3], [3, 1], legacy: true));
        Assert.True(file.TryFind("x", out WeightEntry entry));
        Assert.Equal((type, new Shape(2, 3)), ($"{entry.Type}", entry.Shape));
        Assert.Equal(bytes, entry.Bytes.ToArray());
    }

    [Theory]
    [InlineData("DoubleStorage", 8, "holds F64, which is not read")]
    [InlineData("BoolStorage", 1, "holds BOOL")]
    [InlineData("QInt8Storage", 1, "holds QInt8Storage")]
    public void TryFind_TypeThatIsNotRead_IsRefusedOnlyWhenAskedFor(string storage, int size, string problem)
    {
        using PyTorchFile file = Open(legacy: false, storage, new byte[size], 1, pickle => pickle.Text("x").Tensor(storage, "0", 1, 0, [1], [1]));
        Assert.Contains(problem, Assert.Throws<ModelFileException>(() => file.TryFind("x", out _)).Message);
    }

    [Fact]
    public void Open_NestedDictionariesAndModules_JoinsNamesWithDots()
    {
        byte[] pickle = new TorchPickle().Global("__torch__.Net", "Net").Raw((byte)')', 0x81, (byte)'}').Mark()
            .Text("training").Raw(0x88)
            .Text("inner").Global("__torch__", "Block").Raw((byte)')', 0x81, (byte)'}').Mark().Text("w").Tensor("FloatStorage", "0", 2, 0, [2], [1]).Raw((byte)'u', (byte)'b')
            .Text("list").Raw((byte)']').Integer(3).Raw((byte)'a')
            .Text("state").Dictionary(items => items.Text("b").Tensor("FloatStorage", "0", 2, 1, [1], [1]).Integer(7).Text("not a tensor's name"))
            .Raw((byte)'u', (byte)'b').Done();
        File.WriteAllBytes(_folder["x.pt"], ZipFile.Write(new("n/data.pkl", pickle), new ZipEntry("n/data/0", new byte[8])));
        using var file = new PyTorchFile(_folder["x.pt"]);
        Assert.Equal(["inner.w", "state.b"], file.Names);
    }

    [Fact]
    public void Open_WideZipRecords_AreFollowed()
    {
        byte[] pickle = new TorchPickle().Dictionary(items => items.Text("x").Tensor("ByteStorage", "0", 3, 0, [3], [1])).Done();
        byte[] extra = [1, 0, 24, 0, .. ZipFile.Wide(3), .. ZipFile.Wide(3), .. ZipFile.Wide(0)];
        var data = new ZipEntry("n/data/0", [1, 2, 3]) { Packed = uint.MaxValue, Unpacked = uint.MaxValue, Offset = uint.MaxValue, Extra = [9, 9, 1, 0, 5, .. extra] };
        File.WriteAllBytes(_folder["x.pt"], ZipFile.Write([data, new("n/data.pkl", pickle), new("n/byteorder", "little"u8.ToArray())], wide: true));
        using var file = new PyTorchFile(_folder["x.pt"]);
        file.TryFind("x", out WeightEntry entry);
        Assert.Equal([1, 2, 3], entry.Bytes.ToArray());
    }

    [Fact]
    public void Dispose_ThenUse_Throws()
    {
        PyTorchFile file = Open(legacy: false, "ByteStorage", [1], 1, pickle => pickle.Text("x").Tensor("ByteStorage", "0", 1, 0, [1], [1]));
        file.TryFind("x", out WeightEntry entry);
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.TryFind("x", out _));
        Assert.Throws<ObjectDisposedException>(() => entry.Bytes.Length);
    }

    PyTorchFile Open(bool legacy, string type, byte[] storage, long elements, Action<TorchPickle> items)
    {
        byte[] pickle = new TorchPickle().Dictionary(items).Done();
        File.WriteAllBytes(_folder["x.bin"], legacy
            ? LegacyFile.Write(pickle, ("0", elements, storage))
            : ZipFile.Write(new("n/data.pkl", pickle), new ZipEntry("n/data/0", storage)));
        return new PyTorchFile(_folder["x.bin"]);
    }

    static float[] Expected(float[] elements, long offset, long[] extents, long[] strides)
    {
        IEnumerable<long> places = [offset];
        for (int axis = 0; axis < extents.Length; axis++)
        {
            (long extent, long stride) = (extents[axis], strides[axis]);
            places = [.. places.SelectMany(place => Enumerable.Range(0, (int)extent).Select(i => place + i * stride))];
        }
        return [.. places.Select(place => elements[place])];
    }
}
