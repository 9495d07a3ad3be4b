using ClipSegNative.Weights;
using ClipSegNative.Weights.PyTorch;

namespace ClipSegNative.Tests.Weights.PyTorch;

public sealed class ZipHostileTests : IDisposable
{
    static readonly byte[] Pickle = new TorchPickle().Dictionary(items => items.Text("x").Tensor("ByteStorage", "0", 4, 0, [4], [1])).Done();

    static readonly ZipEntry Sound = new("n/data/0", [1, 2, 3, 4]), Description = new("n/data.pkl", Pickle);

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    static readonly Dictionary<string, (string Problem, byte[] File)> Cases = new()
    {
        ["compressed elements"] = ("has 'n/data/0' compressed or encrypted", ZipFile.Write(Description, Sound with { Method = 8, Unpacked = 4_000_000_000 })),
        ["a compressed pickle"] = ("has 'n/data.pkl' compressed or encrypted", ZipFile.Write(Description with { Method = 8, Unpacked = 4_000_000_000 }, Sound)),
        ["encrypted elements"] = ("compressed or encrypted", ZipFile.Write(Description, Sound with { Flags = 1 })),
        ["a stored entry of two sizes"] = ("'n/data/0' is not compressed, but takes 4 bytes for 5", ZipFile.Write(Description, Sound with { Unpacked = 5 })),
        ["an entry past the list"] = ("takes 1000 bytes from", ZipFile.Write(Description, Sound with { Packed = 1000, Unpacked = 1000 })),
        ["an entry of 2^63 bytes"] = ("takes -9223372036854775808 bytes", ZipFile.Write(Description, Wide(Sound, long.MinValue, 0))),
        ["an entry of 2^62 bytes"] = ("takes 4611686018427387904 bytes", ZipFile.Write(Description, Wide(Sound, 1L << 62, 0))),
        ["an entry at 2^62"] = ("lies at 4611686018427387904, outside", ZipFile.Write(Description, Wide(Sound, 4, 1L << 62))),
        ["an entry before the file"] = ("lies at -1, outside", ZipFile.Write(Description, Wide(Sound, 4, -1))),
        ["an entry on another"] = ("keeps 'n/data/1' inside 'n/data.pkl'",
            ZipFile.Write(Description with { Packed = (uint)Pickle.Length + 50, Unpacked = (uint)Pickle.Length + 50 }, new("n/data/1", new byte[100]), Sound)),
        ["two entries of one header"] = ("has another entry than 'n/data/1' at 0", ZipFile.Write(Sound, Description, new ZipEntry("n/data/1", [1]) { Offset = 0 })),
        ["two entries of one name"] = ("lists 'n/data/0' twice", ZipFile.Write(Description, Sound, Sound)),
        ["another name at the entry"] = ("has another entry than 'n/data/0' at", ZipFile.Write(Description, Sound with { LocalName = "n/data/9" })),
        ["an entry where none is"] = ("has no 'n/data/0' at 1,", ZipFile.Write(Description, Sound with { Offset = 1 })),
        ["a name that is no UTF-8"] = ("a name that is not valid UTF-8", Patched(ZipFile.Write(Description, Sound), "data/0"u8, [0xC3])),
        ["two pickles"] = ("with 2 entries NAME/data.pkl", ZipFile.Write(Description, Description with { Name = "m/data.pkl" }, Sound)),
        ["no pickle"] = ("with 0 entries NAME/data.pkl", ZipFile.Write(Sound)),
        ["a pickle deep inside only"] = ("with 0 entries NAME/data.pkl", ZipFile.Write(Description with { Name = "n/m/data.pkl" }, Sound)),
        ["a pickle of 5 MiB"] = ("has a n/data.pkl of 5242880 bytes", ZipFile.Write(new("n/data.pkl", new byte[5 << 20]), Sound)),
        ["an empty pickle"] = ("ends in the middle", ZipFile.Write(new("n/data.pkl", []), Sound)),
        ["the high byte first"] = ("stores the high byte first", ZipFile.Write(Description, Sound, new("n/byteorder", "big"u8.ToArray()))),
        ["elements that are not there"] = ("lacks 'n/data/0'", ZipFile.Write(Description)),
        ["an empty archive"] = ("is neither a safetensors nor a PyTorch file", ZipFile.Write()),
        ["a list that is longer than the file"] = ("outside the file", End(ZipFile.Write(Description, Sound), count: 2, bytes: 1_000_000, first: 0)),
        ["a list outside the file"] = ("outside the file", End(ZipFile.Write(Description, Sound), count: 2, bytes: 100, first: uint.MaxValue - 1)),
        ["more entries than the list holds"] = ("lists 60000 entries", End(ZipFile.Write(Description, Sound), count: 60_000, bytes: 200, first: 0)),
        ["one entry more than there is"] = ("damaged list", WithCount(ZipFile.Write(Description, Sound with { Name = $"n/data/{new string('0', 99)}" }), 3)),
        ["a wide end that is not there"] = ("has no list of contents", End(ZipFile.Write(Description, Sound), count: ushort.MaxValue, bytes: 1, first: 1)),
        ["a wide end far away"] = ("has no end of its list at 9223372036854775807", WideEnd(long.MaxValue)),
        ["a wide end before the file"] = ("has no end of its list at -1", WideEnd(-1)),
        ["a wide end somewhere else"] = ("has no end of its list at 3", WideEnd(3)),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Open_HostileArchive_IsRefusedByName(string name)
    {
        (string problem, byte[] bytes) = Cases[name];
        string path = _folder["x.pt"];
        File.WriteAllBytes(path, bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Assert.Throws<ModelFileException>(() => new PyTorchFile(path)).Message;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 1_000_000);
        Assert.StartsWith(path + ": ", message);
        Assert.Contains(problem, message);
        Assert.Matches(@"\A[^\n]+[.?]\z", message);
    }

    [Fact]
    public void Open_ArchiveCutAnywhere_IsRefused()
    {
        byte[] whole = ZipFile.Write(Description, Sound);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(_folder["x.pt"], whole.AsSpan(0, length));
            Assert.Throws<ModelFileException>(() => new PyTorchFile(_folder["x.pt"]));
        }
    }

    [Fact]
    public void Open_NamesThatAreForeignPaths_AreKeysAndNothingElse()
    {
        File.WriteAllBytes(_folder["x.pt"], ZipFile.Write(Description, Sound, new("../../evil", [1]), new("/etc/passwd", [2]), new("C:\\x", [3]), new("n/code/a.py", [4]) { Method = 8 }));
        using var file = new PyTorchFile(_folder["x.pt"]);
        Assert.True(file.TryFind("x", out WeightEntry entry));
        Assert.Equal([1, 2, 3, 4], entry.Bytes.ToArray());
        Assert.Equal(["x.pt"], Directory.GetFileSystemEntries(_folder.Location).Select(Path.GetFileName));
    }

    [Fact]
    public void Open_CommentBehindTheList_IsSteppedOver()
    {
        byte[] archive = ZipFile.Write(Description, Sound);
        archive[^2] = 22;   // the length of the comment, which looks like the end of an archive itself
        File.WriteAllBytes(_folder["x.pt"], [.. archive, .. "PK\u0005\u0006"u8, .. new byte[18]]);
        string message = Assert.Throws<ModelFileException>(() => new PyTorchFile(_folder["x.pt"])).Message;
        Assert.Contains("with 0 entries", message);
        File.WriteAllBytes(_folder["x.pt"], [.. archive, .. new byte[22]]);
        new PyTorchFile(_folder["x.pt"]).Dispose();
    }

    public static TheoryData<string, byte[]> BrokenLegacyFiles => new()
    {
        { "of a version that is not read", [.. LegacyFile.Start(1000, littleEndian: true), .. Pickle] },
        { "stores the high byte first", [.. LegacyFile.Start(1001, littleEndian: false), .. Pickle] },
        { "ends in the middle", LegacyFile.Start(1001, littleEndian: true) },
        { "has no list of the storages", [.. LegacyFile.Start(1001, littleEndian: true), .. Pickle, .. Pickle] },
        { "lacks the storage '0'", LegacyFile.Write(Pickle) },
        { "lists a storage twice or one that no tensor uses", LegacyFile.Write(Pickle, ("7", 4, new byte[4])) },
        { "lists a storage twice", LegacyFile.Write(Pickle, ("0", 4, new byte[4]), ("0", 4, new byte[4])) },
        { "ends before its tensors do", LegacyFile.Write(Pickle, ("0", 4, new byte[4]))[..^9] },
        { "has 4 elements of 1 bytes, but 3 bytes are left", LegacyFile.Write(Pickle, ("0", 4, new byte[3])) },
        { "has 9223372036854775807 elements of 1 bytes", LegacyFile.Write(Pickle, ("0", long.MaxValue, new byte[4])) },
        { "has -4 elements", LegacyFile.Write(Pickle, ("0", -4, new byte[4])) },
        { "has 4 elements of 1 bytes, but it takes 3 bytes", LegacyFile.Write(Pickle, ("0", 3, new byte[4])) },
    };

    [Theory, MemberData(nameof(BrokenLegacyFiles))]
    public void Open_BrokenLegacyFile_IsRefusedByName(string problem, byte[] bytes)
    {
        File.WriteAllBytes(_folder["x.bin"], bytes);
        string message = Assert.Throws<ModelFileException>(() => new PyTorchFile(_folder["x.bin"])).Message;
        Assert.StartsWith(_folder["x.bin"] + ": ", message);
        Assert.Contains(problem, message);
    }

    static ZipEntry Wide(ZipEntry entry, long bytes, long offset) => entry with
    {
        Packed = uint.MaxValue,
        Unpacked = uint.MaxValue,
        Offset = uint.MaxValue,
        Extra = [1, 0, 24, 0, .. ZipFile.Wide(bytes), .. ZipFile.Wide(bytes), .. ZipFile.Wide(offset)],
    };

    /// <summary>The last record replaced by one that says what it is told.</summary>
    static byte[] End(byte[] archive, ushort count, uint bytes, uint first) =>
    [
        .. archive[..^14], (byte)count, (byte)(count >> 8), (byte)count, (byte)(count >> 8),
        .. BitConverter.GetBytes(bytes), .. BitConverter.GetBytes(first), 0, 0,
    ];

    static byte[] WithCount(byte[] archive, byte count)
    {
        archive[^12] = archive[^14] = count;
        return archive;
    }

    static byte[] WideEnd(long place)
    {
        byte[] archive = ZipFile.Write([Description, Sound], wide: true);
        ZipFile.Wide(place).CopyTo(archive, archive.Length - 22 - 12);
        return archive;
    }

    /// <summary>Every place of a text overwritten at its first byte.</summary>
    static byte[] Patched(byte[] bytes, ReadOnlySpan<byte> place, byte[] patch)
    {
        for (int at = bytes.AsSpan().IndexOf(place); at >= 0; at = bytes.AsSpan().IndexOf(place)) patch.CopyTo(bytes, at);
        return bytes;
    }
}
