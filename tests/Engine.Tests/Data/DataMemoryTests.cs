using System.Diagnostics;
using ClipSegNative.Data;
using ClipSegNative.Tests.Imaging;

namespace ClipSegNative.Tests.Data;

/// <summary>What is held of large data. Alone, since the whole process's memory is looked at.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class DataMemory;

[Collection<DataMemory>]
public sealed class DataMemoryTests
{
    /// <summary>PhraseCut's train file has this many bytes with <c>CLIPSEG_TEST_LARGE=1</c>; without, the file has a tenth.</summary>
    const long PhraseCutBytes = 344_100_000;

    readonly DataProblems _problems = new();

    [Fact]
    public void ReferFile_Large_HoldsOneRecordAndTheIds()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("large.json");
        int written = WriteLarge(path, Environment.GetEnvironmentVariable("CLIPSEG_TEST_LARGE") == "1" ? PhraseCutBytes : PhraseCutBytes / 10);

        (int read, long most, long before) = (0, 0, Held());
        var clock = Stopwatch.StartNew();
        foreach (PhraseTask task in ReferFile.Read(path, _problems))
            if (++read % (written / 4) == 0) most = Math.Max(most, Held() - before);
        TestContext.Current.SendDiagnosticMessage($"{read} tasks of {new FileInfo(path).Length / 1e6:0} MB in {clock.Elapsed.TotalSeconds:0.0} s, at most {most / 1e6:0.0} MB held.");
        Assert.Equal(written, read);
        Assert.Equal(0, _problems.Total);
        Assert.InRange(most, 1, 2_000_000 + 120L * written);
    }

    /// <summary>PhraseCut's 345,486 phrases would take 240 MB with 65 points each.</summary>
    [Fact]
    public void PhraseData_HoldsEightBytesAPointAndLittleMore()
    {
        const int Count = 20_000, Points = 65;
        var picture = new DataPicture(1, "1.jpg", 640, 480);
        IEnumerable<(PhraseTask, DataPicture)> tasks = from i in Enumerable.Range(0, Count)
                                                       select (new PhraseTask($"{i}__{3 * i}", 1, $"thing {i % 5000}", [[new double[2 * Points]]], [], null), picture);
        long before = Held();
        var data = new PhraseData(tasks, _problems);
        double perSample = (double)(Held() - before) / Count;
        TestContext.Current.SendDiagnosticMessage($"{perSample:0} bytes a phrase.");
        Assert.InRange(perSample, 8 * Points, 8 * Points + 250);
        GC.KeepAlive(data);
    }

    static long Held() => GC.GetTotalMemory(forceFullCollection: true);

    static int WriteLarge(string path, long bytes)
    {
        using var writer = new StreamWriter(path);
        writer.Write('[');
        (int count, long length) = (0, 0);
        for (; length < bytes; count++)
        {
            string task = DataFixtures.LongRecord(count, points: 20 + count % 90);
            if (count > 0) writer.Write(", ");
            writer.Write(task);
            length += task.Length + 2;
        }
        writer.Write(']');
        return count;
    }
}
