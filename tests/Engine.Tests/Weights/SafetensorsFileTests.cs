using System.Runtime.InteropServices;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Weights;

public sealed class SafetensorsFileTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_Fixture_GivesNamesShapesAndValues()
    {
        using var file = new SafetensorsFile(TestData.Fixture("clipseg-tiny-simple", "model.safetensors"));
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.True(file.TryFind("clip.vision_model.embeddings.patch_embedding.weight", out WeightEntry patch));
        Assert.Equal((DType.F32, new Shape(48, 3, 16, 16)), (patch.Type, patch.Shape));
        Assert.True(patch.TryView(out ReadOnlySpan<float> values));
        Assert.Equal(48 * 3 * 256, values.Length);
        Assert.True(values.ContainsAnyExcept(0f));
        Assert.True(file.TryFind("clip.logit_scale", out WeightEntry scale));
        Assert.Equal(new Shape(1), scale.Shape);
        Assert.Equal(2.6592f, scale.Singles()[0], 1e-4f);
        Assert.False(file.TryFind("clip.logit_scales", out _));
    }

    [Fact]
    public void ToSingle_EveryHalfAndBrainPattern_IsExact()
    {
        ushort[] patterns = [.. Enumerable.Range(0, 65_536).Select(i => (ushort)i)];
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(patterns.AsSpan());
        const string Header = """{"h":{"dtype":"F16","shape":[256,256],"data_offsets":[0,131072]},"b":{"dtype":"BF16","shape":[65536],"data_offsets":[131072,262144]}}""";
        using var file = new SafetensorsFile(_folder.WriteSafetensors("all.safetensors", Header, [.. bytes, .. bytes]));
        file.TryFind("h", out WeightEntry half);
        file.TryFind("b", out WeightEntry brain);
        ReadOnlySpan<float> halves = half.Singles(), brains = brain.Singles();
        for (int i = 0; i < patterns.Length; i++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf(patterns[i]);
            if (float.IsNaN(expected)) Assert.True(float.IsNaN(halves[i]));
            else Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(halves[i]));
            Assert.Equal((uint)i << 16, BitConverter.SingleToUInt32Bits(brains[i]));
        }
    }

    [Fact]
    public void Singles_UnalignedData_AreCopied()
    {
        // 8 bytes of length and 75 of header put the data on an odd address.
        const string Header = """{"f":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{}}""";
        string path = _folder.WriteSafetensors("odd.safetensors", Header.PadRight(75), MemoryMarshal.AsBytes<float>([1.5f, -2]));
        using var file = new SafetensorsFile(path);
        file.TryFind("f", out WeightEntry entry);
        Assert.False(entry.TryView(out _));
        Assert.Equal([1.5f, -2], entry.Singles().ToArray());
    }

    [Fact]
    public void ToSingle_WrongDestinationOrIntegers_IsRefused()
    {
        const string Header = """{"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}""";
        using var file = new SafetensorsFile(_folder.WriteSafetensors("i.safetensors", Header, new byte[8]));
        file.TryFind("i", out WeightEntry entry);
        Assert.Throws<ArgumentException>(() => entry.ToSingle(new float[2]));
        Assert.Contains("holds I64", Assert.Throws<ModelFileException>(() => entry.ToSingle(new float[1])).Message);
    }

    [Theory]
    [InlineData("""{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}""", "holds F64")]
    [InlineData("""{"x":{"dtype":"BOOL","shape":[8],"data_offsets":[0,8]}}""", "holds BOOL")]
    [InlineData("""{"x":{"dtype":"NEW7","shape":[3],"data_offsets":[0,8]}}""", "holds NEW7")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1,1,1,1,2],"data_offsets":[0,8]}}""", "at most 4 dimensions")]
    [InlineData("""{"x":{"dtype":"U8","shape":[0,9999999999],"data_offsets":[0,0]},"y":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "above 2 GiB")]
    public void TryFind_TensorThatIsNotRead_IsRefusedOnlyWhenAskedFor(string header, string problem)
    {
        using var file = new SafetensorsFile(_folder.WriteSafetensors("x.safetensors", header, new byte[8]));
        Assert.Contains("x", file.Names);
        string message = Assert.Throws<ModelFileException>(() => file.TryFind("x", out _)).Message;
        Assert.Contains(problem, message);
        Assert.StartsWith(file.Description, message);
    }

    [Fact]
    public void Dispose_ThenUse_Throws()
    {
        var file = new SafetensorsFile(TestData.Fixture("clipseg-tiny-simple", "model.safetensors"));
        file.TryFind("clip.logit_scale", out WeightEntry entry);
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.TryFind("clip.logit_scale", out _));
        Assert.Throws<ObjectDisposedException>(() => entry.Bytes.Length);
    }
}
