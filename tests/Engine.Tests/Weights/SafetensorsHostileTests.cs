using System.Text;
using ClipSegNative.Weights;
using CsCheck;

namespace ClipSegNative.Tests.Weights;

public sealed class SafetensorsHostileTests : IDisposable
{
    const string Valid = """{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[2,2],"data_offsets":[8,16]}}""";

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> BrokenHeaders => new()
    {
        { "", "not valid JSON" },
        { "{", "not valid JSON" },
        { "{} x", "not valid JSON" },
        { "[]", "not a JSON object" },
        { """{"a":1,}""", "entry of 'a' is not an object" },
        { """{"a\nb\u2028":1}""", "entry of 'a?b?' is not an object" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},}""", "not valid JSON" },
        { """{"\ud800":{}}""", "not valid JSON" },
        { """{"a":{"x":[[[[[[[[[[]]]]]]]]]]}}""", "not valid JSON" },
        { """{"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]},"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]}}""", "names 'a' twice" },
        { """{"a":{"dtype":"U8","dtype":"U8","shape":[16],"data_offsets":[0,16]}}""", "dtype twice" },
        { """{"a":{"dtype":"U8","shape":[16]}}""", "needs a dtype, a shape and two data_offsets" },
        { """{"a":{"dtype":"U8","shape":[16],"data_offsets":[0]}}""", "two data_offsets" },
        { """{"a":{"dtype":8,"shape":[16],"data_offsets":[0,16]}}""", "dtype of 'a' is not a string" },
        { """{"a":{"dtype":"U8","shape":16,"data_offsets":[0,16]}}""", "shape of 'a' is not a list" },
        { """{"a":{"dtype":"U8","shape":[-16],"data_offsets":[0,16]}}""", "holds -16" },
        { """{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,16]}}""", "holds 1.5" },
        { """{"a":{"dtype":"U8","shape":["16"],"data_offsets":[0,16]}}""", "holds 16" },
        { """{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,16]}}""", "holds 99999999999999999999" },
        { """{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,16]}}""", "overflows" },
        { """{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,16]}}""", "overflows" },
        { $$$"""{"a":{"dtype":"U8","shape":[{{{string.Join(',', Enumerable.Repeat(1, 33))}}}],"data_offsets":[0,16]}}""", "more than 32" },
        { """{"a":{"dtype":"U8","shape":[16],"data_offsets":[0,17]}}""", "past the 16 bytes" },
        { """{"a":{"dtype":"U8","shape":[16],"data_offsets":[16,0]}}""", "end before they begin" },
        { """{"a":{"dtype":"F32","shape":[16],"data_offsets":[0,16]}}""", "64 bytes, but data_offsets of 16 bytes" },
        { """{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]},"b":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}}""", "'b' at [8,16] overlaps 'a'" },
        { """{"a":{"dtype":"U8","shape":[7],"data_offsets":[0,7]},"b":{"dtype":"U8","shape":[8],"data_offsets":[8,16]}}""", "belong to no tensor" },
        { """{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "last 8 of 16 bytes" },
        { """{"__metadata__":[]}""", "not an object of strings" },
        { """{"__metadata__":{"n":1}}""", "not a string" },
        { """{"__metadata__":{"n":"1","n":"2"}}""", "'n' twice" },
        { """{"__metadata__":{},"__metadata__":{}}""", "twice" },
    };

    [Theory, MemberData(nameof(BrokenHeaders))]
    public void Open_BrokenHeader_IsRefusedByName(string header, string problem)
    {
        string path = _folder.WriteSafetensors("broken.safetensors", header, new byte[16]);
        string message = Assert.Throws<ModelFileException>(() => new SafetensorsFile(path)).Message;
        Assert.StartsWith(path + ": ", message);
        Assert.Contains(problem, message);
        Assert.EndsWith(".", message);
    }

    [Theory]
    [InlineData(new byte[0], "0 bytes are too few")]
    [InlineData(new byte[] { 2, 0, 0, 0, 0, 0, 0 }, "7 bytes are too few")]
    [InlineData(new byte[] { 3, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}' }, "cut short")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 128, (byte)'{', (byte)'}' }, "header of 9223372036854775808 bytes, at most 100000000")]
    [InlineData(new byte[] { 4, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'"', 0xFF, (byte)'"' }, "not valid UTF-8")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 }, "not valid JSON")]
    public void Open_BrokenFrame_IsRefused(byte[] bytes, string problem)
    {
        File.WriteAllBytes(_folder["frame.safetensors"], bytes);
        Assert.Contains(problem, Assert.Throws<ModelFileException>(() => new SafetensorsFile(_folder["frame.safetensors"])).Message);
    }

    [Fact]
    public void Open_HeaderAboveTheLimit_IsRefused()
    {
        string path = _folder.WriteSafetensors("long.safetensors", Valid, new byte[16]);
        new SafetensorsFile(path, Valid.Length).Dispose();
        Assert.Contains($"at most {Valid.Length - 1}", Assert.Throws<ModelFileException>(() => new SafetensorsFile(path, Valid.Length - 1)).Message);
    }

    [Fact]
    public void Open_LongNameInMessage_IsCut()
    {
        string path = _folder.WriteSafetensors("name.safetensors", $$"""{"{{new string('n', 100_000)}}":1}""");
        Assert.InRange(Assert.Throws<ModelFileException>(() => new SafetensorsFile(path)).Message.Length, 100, 600);
    }

    [Fact]
    public void Open_HostileNumbers_GivesTensorsOrRefusal()
    {
        string[] hostile = ["-1", "0", "1", "8", "4294967296", "9223372036854775807", "18446744073709551616", "1e9", "null", "[]", "\"F32\"", "{}"];
        string[] pieces = Valid.Split('2', '0', '8');
        Pick(hostile).Array[pieces.Length - 1].Sample(values =>
        {
            var text = new StringBuilder(pieces[0]);
            for (int i = 0; i < values.Length; i++) text.Append(values[i]).Append(pieces[i + 1]);
            return IsReadOrRefused(TemporaryFolder.Safetensors(text.ToString(), new byte[16]));
        }, iter: 3000, threads: 1);
    }

    [Fact]
    public void Open_CutAnywhere_IsRefused()
    {
        byte[] valid = TemporaryFolder.Safetensors(Valid, new byte[16]);
        for (int length = 0; length < valid.Length; length++)
        {
            File.WriteAllBytes(_folder["cut.safetensors"], valid.AsSpan(0, length));
            Assert.Throws<ModelFileException>(() => new SafetensorsFile(_folder["cut.safetensors"]));
        }
    }

    static Gen<T> Pick<T>(T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>Whatever the bytes: reading every tensor works or is refused, and allocates little.</summary>
    bool IsReadOrRefused(byte[] bytes)
    {
        string path = _folder["mutated.safetensors"];
        File.WriteAllBytes(path, bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            using var file = new SafetensorsFile(path);
            foreach (string name in file.Names)
                if (file.TryFind(name, out WeightEntry entry)) entry.Singles();
        }
        catch (ModelFileException)
        {
        }
        return GC.GetAllocatedBytesForCurrentThread() - before < 200_000;
    }
}
