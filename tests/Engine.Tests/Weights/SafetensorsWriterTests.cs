using System.Text;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Weights;

public sealed class SafetensorsWriterTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_MixedTensors_ReadBackTheSame()
    {
        string path = _folder["w.safetensors"];
        SafetensorsWriter.Write(path,
        [
            new WeightToWrite("odd", new Shape(3), new float[] { 1, -0.5f, 65504 }, DType.F16),
            new WeightToWrite("scalar", new Shape(), new float[] { 2.6592f }),
            new WeightToWrite("empty", new Shape(0, 7), ReadOnlyMemory<float>.Empty),
            new WeightToWrite("grid \"é\"", new Shape(2, 3), destination => { for (int i = 0; i < 6; i++) destination[i] = i; }),
        ], new Dictionary<string, string> { ["step"] = "12" });
        using var file = new SafetensorsFile(path);
        Assert.Equal(["empty", "grid \"é\"", "odd", "scalar"], file.Names.Order(StringComparer.Ordinal));
        Assert.Equal(("pt", "12"), (file.Metadata["format"], file.Metadata["step"]));
        Assert.Equal([1, -0.5f, 65504], Read(file, "odd", DType.F16, new Shape(3)));
        Assert.Equal([2.6592f], Read(file, "scalar", DType.F32, new Shape()));
        Assert.Empty(Read(file, "empty", DType.F32, new Shape(0, 7)));
        Assert.Equal([0, 1, 2, 3, 4, 5], Read(file, "grid \"é\"", DType.F32, new Shape(2, 3)));
    }

    [Fact]
    public void Write_AnyHeader_PutsDataOnEightBytes()
    {
        for (int length = 1; length <= 8; length++)
        {
            SafetensorsWriter.Write(_folder["w.safetensors"], [new WeightToWrite(new string('n', length), new Shape(1), new float[] { 1 })]);
            byte[] bytes = File.ReadAllBytes(_folder["w.safetensors"]);
            Assert.Equal(4, bytes.Length % 8);
            Assert.Equal(bytes.Length - 12, BitConverter.ToInt64(bytes));
            Assert.StartsWith("{\"__metadata__\":{\"format\":\"pt\"}", Encoding.UTF8.GetString(bytes, 8, bytes.Length - 12));
        }
    }

    [Fact]
    public void Write_NoTensors_ReadsBackEmpty()
    {
        SafetensorsWriter.Write(_folder["w.safetensors"], []);
        using var file = new SafetensorsFile(_folder["w.safetensors"]);
        Assert.Empty(file.Names);
    }

    [Fact]
    public void Write_FailingHalfway_LeavesTheOldFileAndNothingElse()
    {
        string path = _folder.WriteText("w.safetensors", "old");
        Assert.Throws<InvalidDataException>(() => SafetensorsWriter.Write(path,
        [
            new WeightToWrite("a", new Shape(1000), destination => destination.Fill(1)),
            new WeightToWrite("b", new Shape(1), _ => throw new InvalidDataException()),
        ]));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Location));
    }

    [Fact]
    public void Write_NamesOrTypesThatCannotBe_AreRefused()
    {
        WeightToWrite Tensor(string name, DType type = DType.F32) => new(name, new Shape(1), new float[] { 1 }, type);
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(_folder["w.safetensors"], [Tensor("a"), Tensor("a")]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(_folder["w.safetensors"], [Tensor("__metadata__")]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(_folder["w.safetensors"], [Tensor("a", DType.BF16)]));
        Assert.Throws<ArgumentException>(() => new WeightToWrite("a", new Shape(2), new float[] { 1 }));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Location));
    }

    static float[] Read(SafetensorsFile file, string name, DType type, Shape shape)
    {
        Assert.True(file.TryFind(name, out WeightEntry entry));
        Assert.Equal((type, shape), (entry.Type, entry.Shape));
        return entry.Singles().ToArray();
    }
}
