using System.Text;
using ClipSegNative.Imaging;
using CsCheck;

namespace ClipSegNative.Tests.Imaging;

public sealed class NpyReaderTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("clipseg-npy").FullName;

    string File1 => Path.Combine(_folder, "a.npy");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_WhatTheWriterWrote_ComesBack() => Gen.Select(Gen.Int[1, 9], Gen.Int[1, 9], Gen.Bool).Sample((height, width, rank3) =>
    {
        float[] values = [.. Enumerable.Range(0, height * width).Select(i => i / 100f)];
        using (FileStream stream = File.Create(File1))
            NpyWriter.Write(stream, values, rank3 ? [1, height, width] : [height, width]);
        NpyMap map = NpyReader.Read(File1);
        Assert.Equal((height, width, false), (map.Height, map.Width, map.IsMask));
        Assert.Equal(values, map.Values);
    }, iter: 40, threads: 1);

    [Theory]
    [InlineData("<f4", 4, "3F000000", 0.5f, false)]
    [InlineData("<f8", 8, "3FE0000000000000", 0.5f, false)]
    [InlineData("|b1", 1, "01", 1f, true)]
    [InlineData("|u1", 1, "C8", 1f, true)]
    public void Read_EachType_IsFloat32(string type, int size, string bigEndian, float expected, bool isMask)
    {
        byte[] value = [.. Convert.FromHexString(bigEndian).Reverse()];
        NpyMap map = Read(Header(type, "(2, 3)"), [.. new byte[size * 5], .. value]);
        Assert.Equal([0, 0, 0, 0, 0, expected], map.Values);
        Assert.Equal((3, 2, isMask), (map.Width, map.Height, map.IsMask));
    }

    [Fact]
    public void Read_LongMap_AllValuesArrive()
    {
        float[] values = [.. Enumerable.Range(0, 70 * 50).Select(i => (float)i)];
        using (FileStream stream = File.Create(File1)) NpyWriter.Write(stream, values, 50, 70);
        Assert.Equal(values, NpyReader.Read(File1).Values);
    }

    [Theory]
    [InlineData("<i8", "(2, 3)", 48, "type '<i8'")]
    [InlineData(">f4", "(2, 3)", 24, "type '>f4'")]
    [InlineData("|O", "(2, 3)", 24, "type '|O'")]
    [InlineData("<f4", "(6,)", 24, "shape (6,)")]
    [InlineData("<f4", "()", 4, "shape ()")]
    [InlineData("<f4", "(2, 2, 3)", 48, "shape (2, 2, 3)")]
    [InlineData("<f4", "(0, 3)", 0, "shape (0, 3)")]
    [InlineData("<f4", "(2, 99999999999)", 24, "shape (2, 99999999999)")]
    [InlineData("<f4", "(2147483647, 2147483647)", 24, "at most 100000000")]
    [InlineData("<f4", "(2, 3)", 23, "23 bytes of values, but its header says 24")]
    [InlineData("<f4", "(2, 3)", 25, "25 bytes of values")]
    [InlineData("<f4", "(-2, 3)", 24, "header that cannot be read")]
    public void Read_NoSuchMap_IsOneSentence(string type, string shape, int bytes, string expected) => AssertRefused(Header(type, shape), new byte[bytes], expected);

    [Fact]
    public void Read_HostileHeaders_AreOneSentence()
    {
        byte[] good = Header("<f4", "(1, 1)");
        AssertRefused(Encoding.ASCII.GetBytes("Hello, this is no array."), [], "is not a .npy file");
        AssertRefused([.. good[..6], 9, .. good[7..]], new byte[4], "is not a .npy file");
        AssertRefused(good[..7], [], "is cut short");
        AssertRefused(good[..40], [], "is cut short");
        AssertRefused([.. good[..6], 2, 0, 0xFF, 0xFF, 0xFF, 0xFF, .. good[10..]], [], "header of 4294967295 bytes");
        AssertRefused(Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(good).Replace("False", "True ")), new byte[4], "Fortran order");
        Assert.Contains("cannot be read", Assert.Throws<PictureException>(() => NpyReader.Read(Path.Combine(_folder, "none.npy"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AnyDamage_IsAMapOrARefusal()
    {
        byte[] good = [.. Header("<f4", "(2, 3)"), .. new byte[24]];
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length]).Sample((at, value, length) =>
        {
            byte[] damaged = [.. good];
            damaged[at] = value;
            File.WriteAllBytes(File1, damaged[..length]);
            try { Assert.Equal(6, NpyReader.Read(File1).Values.Length); }
            catch (PictureException error) { Assert.StartsWith(File1, error.Message, StringComparison.Ordinal); }
        }, iter: 500, threads: 1);
    }

    void AssertRefused(byte[] header, byte[] values, string expected)
    {
        string message = Assert.Throws<PictureException>(() => Read(header, values)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.StartsWith(File1, message, StringComparison.Ordinal);
    }

    NpyMap Read(byte[] header, byte[] values)
    {
        File.WriteAllBytes(File1, [.. header, .. values]);
        return NpyReader.Read(File1);
    }

    static byte[] Header(string type, string shape)
    {
        byte[] text = Encoding.ASCII.GetBytes($"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}\n");
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)text.Length, 0, .. text];
    }
}
