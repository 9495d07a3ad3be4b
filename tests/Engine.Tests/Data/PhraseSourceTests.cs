using ClipSegNative.Data;
using ClipSegNative.Tests.Imaging;
using static ClipSegNative.Tests.Data.DataFixtures;

namespace ClipSegNative.Tests.Data;

public sealed class PhraseSourceTests : IDisposable
{
    readonly TemporaryFolder _folder = new();
    readonly DataProblems _problems = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("refer_train.json", "a b")]
    [InlineData("train", "a b")]
    [InlineData("", "a b")]
    [InlineData("miniv", "c")]
    [InlineData("miniv_train", "c a b")]
    [InlineData("unseen_shapes", "d")]
    public void Open_FileFolderOrSplits_ReadsThem(string data, string tasks)
    {
        _folder.Write("refer_train.json", Record("a", 1, "x"), Record("b", 2, "x"));
        _folder.Write("refer_miniv.json", Record("c", 1, "x"));
        _folder.Write("refer_unseen_shapes.json", Record("d", 1, "x"));
        WritePictures(1, 2);
        Assert.Equal(tasks, string.Join(' ', _folder.OpenSource(_problems, data).Read(DataSubset.All).Select(read => read.Task.TaskId)));
        Assert.Equal(0, _problems.Total);
    }

    [Theory]
    [InlineData("refer_train.json", "images: the picture folder cannot be read")]
    [InlineData("val", "refer_val.json: is missing; name an annotation file, or a PhraseCut folder and its split")]
    [InlineData("train_val", "refer_val.json: is missing")]
    [InlineData("nowhere.json", "refer_nowhere.json.json: is missing")]
    public void Open_SomethingMissing_IsNamed(string data, string message)
    {
        _folder.Write("refer_train.json", Record("a", 1, "x"));
        Assert.Contains(message, Assert.Throws<DataFileException>(() => _folder.OpenSource(_problems, data)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("image_data_split3000.json")]
    [InlineData("image_data_split.json")]
    public void Read_PhraseCutFolder_TakesItsSizesAndLeavesOutTheWrongOnes(string list)
    {
        _folder.Write("refer_train.json", Record("a", 1, "x"), Record("b", 150417, "x"), Record("c", 2, "x"));
        _folder.Write(list, """{"image_id":1,"width":800,"height":600}""", """{"image_id":150417,"width":9,"height":9}""", """{"image_id":7,"width":0,"height":9}""");
        WritePictures(1, 2, 150417);
        var read = _folder.OpenSource(_problems).Read(DataSubset.All).ToArray();
        Assert.Equal(["a", "c"], read.Select(pair => pair.Task.TaskId));
        Assert.Equal([(800, 600), (8, 6)], read.Select(pair => (pair.Picture.Width, pair.Picture.Height)));   // the second from its header
        Assert.EndsWith($"{list}: picture 7 has a side of 0 pixels.", Assert.Single(_problems.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FolderWithoutSizes_KeepsThePicturesThatPhraseCutHasWrong()
    {
        _folder.Write("refer_train.json", Record("b", 150417, "x"));
        WritePictures(150417);
        Assert.Single(_folder.OpenSource(_problems).Read(DataSubset.All));
    }

    [Fact]
    public void WrongSizes_Are_TheAuthors17() => Assert.Equal(17, PhraseCutFolder.WrongSizes.Count);

    [Fact]
    public void Read_MissingAndBrokenPictures_AreOneLineEach()
    {
        _folder.Write("refer_train.json", Record("a", 1, "x"), Record("b", 2, "x"), Record("c", 1, "y"), Record("d", 3, "x"), Record("e", 3, "y"));
        WritePictures(2);
        File.WriteAllText(_folder.File("images/3.jpg"), "not a picture");
        Assert.Equal(["b"], _folder.OpenSource(_problems).Read(DataSubset.All).Select(read => read.Task.TaskId));
        Assert.Equal(2, _problems.Count(DataProblem.BrokenPicture));
        Assert.Equal($"{_folder.File("images")}: picture 1 is missing.", _problems.Lines[0]);
        Assert.StartsWith($"{_folder.File("images/3.jpg")}: picture 3 has no picture's header", _problems.Lines[1], StringComparison.Ordinal);
        Assert.Throws<DataFileException>(() => _folder.OpenSource(new DataProblems(strict: true)).Read(DataSubset.All).Count());
    }

    [Fact]
    public void Read_Subset_GivesTheFirstOfTheNamedPictures()
    {
        _folder.Write("refer_train.json", Record("a", 1, "x"), Record("b", 2, "x"), Record("c", 3, "x"), Record("d", 1, "y"));
        WritePictures(1, 2, 3);
        File.WriteAllText(_folder.File("list.txt"), "# chosen\n 1 \n\n3\n");
        var subset = new DataSubset(Limit: 2, DataSubset.ReadImages(_folder.File("list.txt")));
        Assert.Equal(["a", "c"], _folder.OpenSource(_problems).Read(subset).Select(read => read.Task.TaskId));
    }

    [Fact]
    public void ReadImages_LineThatIsNoNumber_IsNamed()
    {
        File.WriteAllText(_folder.File("list.txt"), "1\n1.jpg\n");
        Assert.EndsWith("list.txt: line 2 is '1.jpg', not the number of a picture.", Assert.Throws<DataFileException>(() => DataSubset.ReadImages(_folder.File("list.txt"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PictureFolder_NamesOfAllConventions_AreFound()
    {
        string[] names = ["30.jpg", "000000000031.jpg", "COCO_val2014_000000000032.jpg", "33.PNG", "34.png", "34.jpg", "x35y.jpg", "36.txt"];
        Directory.CreateDirectory(_folder.File("images"));
        foreach (string name in names) File.WriteAllText(_folder.File($"images/{name}"), "");
        var pictures = new PictureFolder(_folder.File("images"));
        Assert.Equal(["30.jpg", "000000000031.jpg", "COCO_val2014_000000000032.jpg", "33.PNG", "34.jpg", null, null],
            Enumerable.Range(30, 7).Select(id => Path.GetFileName(pictures.Find(id))));
    }

    [Fact]
    public void Read_PhotosWithPhrases_FindsEveryPicture()
    {
        string folder = TestData.ThirdParty("coco-phrases");
        var read = PhraseSource.Open(Path.Combine(folder, "train_val_test"), null, "train", _problems).Read(DataSubset.All).ToArray();
        Assert.Equal(389 + 72 + 90, read.Length);
        Assert.Equal(0, _problems.Total);
        Assert.All(read, pair => Assert.InRange(pair.Picture.Width, 100, 640));
    }

    void WritePictures(params ReadOnlySpan<long> ids)
    {
        foreach (long id in ids) _folder.WritePicture($"{id}.png", width: 8, height: 6);
    }
}
