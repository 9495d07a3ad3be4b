namespace ClipSegNative.Tests.Imaging;

public class AtomicFileTests
{
    [Fact]
    public void Write_NewOrOldFile_ReplacedAndNothingLeftBeside()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.bin");
        AtomicFile.Write(path, stream => stream.Write([1, 2, 3]));
        AtomicFile.Write(path, stream => stream.Write([4]));
        Assert.Equal([4], File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Write_WriterThrows_OldFileStaysAndTemporaryGoes()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.bin");
        File.WriteAllBytes(path, [7]);
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new InvalidOperationException();
        }));
        Assert.Equal([7], File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Write_WhileWriting_OldFileIsStillWhole()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.bin");
        File.WriteAllBytes(path, [7]);
        AtomicFile.Write(path, stream =>
        {
            stream.Write([8]);
            stream.Flush();
            Assert.Equal([7], File.ReadAllBytes(path));
        });
        Assert.Equal([8], File.ReadAllBytes(path));
    }

    [Fact]
    public void Write_PathIsFolder_Throws()
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<IOException>(() => AtomicFile.Write(folder.Path, _ => { }));
        Assert.Throws<DirectoryNotFoundException>(() => AtomicFile.Write(folder.File(Path.Combine("no", "a.bin")), _ => { }));
    }
}
