using ClipSegNative.Weights.PyTorch;

namespace ClipSegNative.Tests.Weights.PyTorch;

/// <summary>Pickles that no PyTorch wrote: each is refused before it costs more than a little memory.</summary>
public sealed class PickleHostileTests : IDisposable
{
    const byte Dictionary = (byte)'}', List = (byte)']', EmptyTuple = (byte)')', None = (byte)'N', Call = (byte)'R', SetItem = (byte)'s', Build = (byte)'b', NewObject = 0x81;

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    static readonly Dictionary<string, (string Problem, Action<TorchPickle> Write)> Cases = new()
    {
        ["a call of the system"] = ("wants posix.system called, but only tensors in containers are read and nothing is executed",
            p => p.Global("posix", "system").Mark().Text("touch /tmp/x").Raw((byte)'t', Call)),
        ["a call by the newer instruction"] = ("wants builtins.eval called", p => p.Text("builtins").Text("eval").Raw(0x93).Mark().Text("1").Raw((byte)'t', Call)),
        ["an object"] = ("holds a subprocess.Popen", p => p.Global("subprocess", "Popen").Raw(EmptyTuple, NewObject)),
        ["a class named over two lines"] = ("wants a?b.c called", p => p.Text("a\nb").Text("c").Raw(0x93, EmptyTuple, Call)),
        ["a module with arguments"] = ("holds a __torch__.Net", p => p.Global("__torch__", "Net").Tuple(1).Raw(NewObject)),
        ["a call of a text"] = ("calls what is no function", p => p.Text("x").Raw(EmptyTuple, Call)),
        ["an instruction of the persistent kind by name"] = ("instruction 0x50", p => p.Raw((byte)'P')),
        ["an instruction that sets up extensions"] = ("instruction 0x82", p => p.Raw(0x82, 1)),
        ["an old protocol's instruction"] = ("instruction 0x49", p => p.Raw((byte)'I', (byte)'1', (byte)'\n')),
        ["protocol 6"] = ("has protocol 6", p => p.Raw(0x80, 6)),
        ["nothing on the stack"] = ("takes a value where there is none", p => p.Raw((byte)'R')),
        ["a mark that is not there"] = ("closes a container that it did not open", p => p.Raw((byte)'t')),
        ["values beyond the mark"] = ("takes a value where there is none", p => p.Raw(Dictionary, None).Mark().Raw(SetItem)),
        ["two values left"] = ("does not end with a single value", p => p.Raw(None, None)),
        ["an open mark"] = ("does not end with a single value", p => p.Raw(None).Mark()),
        ["memory of what was not kept"] = ("recalls value 7", p => p.Raw(Dictionary).Get(7)),
        ["a text longer than the file"] = ("ends in the middle", p => p.Raw((byte)'X').UInt32(1_000_000)),
        ["a text of 4 GiB"] = ("claims a text of 4294967295 bytes", p => p.Raw((byte)'X').UInt32(uint.MaxValue)),
        ["a text that is no UTF-8"] = ("not valid UTF-8", p => p.Raw((byte)'X').UInt32(2).Raw(0xC3, 0x28)),
        ["a number of 255 bytes"] = ("whole number of 255 bytes", p => p.Raw(0x8A, 255).Raw(new byte[255])),
        ["a name without end"] = ("ends in the middle of a name", p => p.Raw((byte)'c').Raw("torch"u8)),
        ["an append to nothing"] = ("appends to what is no list", p => p.Raw(None, None, (byte)'a')),
        ["items of a list"] = ("sets items of what is no dictionary", p => p.Raw(List, None, None, SetItem)),
        ["a key without a value"] = ("sets items of what is no dictionary", p => p.Raw(Dictionary).Mark().Text("x").Raw((byte)'u')),
        ["a state of a list"] = ("gives a state to what has none", p => p.Raw(List, Dictionary, Build)),
        ["an object that is its own state"] = ("gives an object itself as its state",
            p => p.Global("__torch__", "Net").Raw(EmptyTuple, NewObject).Put(0).Get(0).Raw(Build)),
        ["a million values"] = ($"holds more than {PickleReader.MaxSteps} values", p => p.Raw([.. Enumerable.Repeat(None, 1_000_000)])),
        ["a million marks"] = ("holds more than", p => p.Raw([.. Enumerable.Repeat((byte)'(', 1_000_000)])),
        ["a million memories"] = ("holds more than", p => p.Raw(None).Raw([.. Enumerable.Repeat((byte)0x94, 1_000_000)])),
        ["a state that doubles itself"] = ("holds more than", Doubling),
        ["too few sizes for the strides"] = ("lies outside its storage", p => Tensor(p, 0, [2, 2], [1])),
        ["33 dimensions"] = ("not up to 32 whole numbers", p => Tensor(p, 0, [.. Enumerable.Repeat(1L, 33)], [1])),
        ["a negative size"] = ("not up to 32 whole numbers of 0 or more", p => Tensor(p, 0, [-1], [1])),
        ["a negative stride"] = ("not up to 32 whole numbers of 0 or more", p => Tensor(p, 0, [2], [-1])),
        ["a negative offset"] = ("holds a tensor at a negative offset", p => Tensor(p, -1, [2], [1])),
        ["an offset at the end"] = ("lies outside its storage of 4 elements", p => Tensor(p, 4, [1], [1])),
        ["a scalar at the end"] = ("lies outside its storage of 4 elements", p => Tensor(p, 4, [], [])),
        ["an empty one beyond the end"] = ("lies outside its storage of 4 elements", p => Tensor(p, 5, [0], [1])),
        ["sizes that overflow"] = ("lies outside its storage", p => Tensor(p, 0, [long.MaxValue, long.MaxValue], [long.MaxValue, long.MaxValue])),
        ["strides that overflow"] = ("lies outside its storage", p => Tensor(p, 1, [3, 2], [long.MaxValue, 1])),
        ["a view that shows one element often"] = ("shows elements more than once", p => Tensor(p, 0, [1_000_000_000], [0])),
        ["a storage of a size that is a lie"] = ("has 5 elements of 4 bytes, but it takes 16 bytes", p => Tensor(p, 0, [1], [1], elements: 5)),
        ["a storage of a size that overflows"] = ("has 4611686018427387908 elements of 4 bytes", p => Tensor(p, 0, [1], [1], elements: (1L << 62) + 4)),
        ["a storage of negative size"] = ("refers to bytes in a way that is not read", p => Tensor(p, 0, [1], [1], elements: -1)),
        ["a storage that is not there"] = ("lacks 'n/data/../0'", p => Tensor(p, 0, [1], [1], key: "../0")),
        ["a storage described in two ways"] = ("describes storage '0' in two ways",
            p => Items(p, items => items.Text("a").Tensor("FloatStorage", "0", 4, 0, [1], [1]).Text("b").Tensor("HalfStorage", "0", 8, 0, [1], [1]))),
        ["a storage of no class"] = ("refers to bytes in a way", p => p.Mark().Text("storage").Text("FloatStorage").Text("0").Text("cpu").Integer(4).Raw((byte)'t', (byte)'Q')),
        ["a dictionary in itself"] = ("nests dictionaries more than 32 deep", p => p.Raw(Dictionary).Put(0).Text("x").Get(0).Raw(SetItem)),
        ["dictionaries 40 deep"] = ("nests dictionaries more than 32 deep", p =>
        {
            for (int i = 0; i < 40; i++) p.Raw(Dictionary).Text("x");
            p.Raw(None).Raw([.. Enumerable.Repeat(SetItem, 40)]);
        }
        ),
        ["dictionaries that name everything twice, 30 deep"] = ("names more than 200000 things", p =>
        {
            for (int i = 0; i < 30; i++) p.Raw(Dictionary).Text("a");
            p.Raw(Dictionary).Put(0);
            for (uint i = 1; i <= 30; i++) p.Raw(SetItem).Text("b").Get(i - 1).Raw(SetItem).Put(i);
        }
        ),
        ["a name of 501 characters"] = ("a name of more than 500 characters", p => Items(p, items => items.Text(new string('n', 501)).Raw(Dictionary))),
        ["one name twice"] = ("names 'a' twice", p => Items(p, items => items.Text("a").Tensor("FloatStorage", "0", 4, 0, [1], [1]).Text("a").Tensor("FloatStorage", "0", 4, 0, [1], [1]))),
        ["no tensors"] = ("holds no tensors under names", p => p.Raw(List)),
        ["20,001 tensors"] = ("holds more than 20000 tensors", p => Items(p, items =>
        {
            items.Text("0").Tensor("FloatStorage", "0", 4, 0, [1], [1]).Put(9).Text("x").Get(9);
            for (int i = 1; i <= 20_000; i++) items.Text($"{i}").Get(9);
        })),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Open_HostilePickle_IsRefusedByName(string name)
    {
        (string problem, Action<TorchPickle> write) = Cases[name];
        var pickle = new TorchPickle();
        write(pickle);
        string path = _folder["x.pt"];
        File.WriteAllBytes(path, ZipFile.Write(new("n/data.pkl", pickle.Done()), new ZipEntry("n/data/0", new byte[16])));
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Assert.Throws<ModelFileException>(() => new PyTorchFile(path)).Message;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 64_000_000);
        Assert.StartsWith(path + ": ", message);
        Assert.Contains(problem, message);
        Assert.Matches(@"\A[^\n]+[.?]\z", message);
    }

    [Fact]
    public void Open_PickleCutAnywhere_IsRefused()
    {
        var pickle = new TorchPickle();
        Tensor(pickle, 0, [2, 2], [2, 1]);
        byte[] whole = pickle.Done();
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(_folder["x.pt"], ZipFile.Write(new("n/data.pkl", whole[..length]), new ZipEntry("n/data/0", new byte[16])));
            Assert.Throws<ModelFileException>(() => new PyTorchFile(_folder["x.pt"]));
        }
    }

    static void Items(TorchPickle pickle, Action<TorchPickle> items) => pickle.Dictionary(items);

    static void Tensor(TorchPickle pickle, long offset, long[] extents, long[] strides, long elements = 4, string key = "0") =>
        Items(pickle, items => items.Text("x").Tensor("FloatStorage", key, elements, offset, extents, strides));

    /// <summary>Two modules give each other all they have: sizes grow as Fibonacci's numbers do.</summary>
    static void Doubling(TorchPickle pickle)
    {
        for (uint module = 0; module < 2; module++)
            pickle.Global("__torch__", "Net").Raw(EmptyTuple, NewObject).Put(module).Raw(Dictionary).Text("x").Raw(None, SetItem, Build);
        for (uint i = 0; i < 100; i++) pickle.Get(i % 2).Get((i + 1) % 2).Raw(Build);
    }
}
