using ClipSegNative.Tests.Weights;
using ClipSegNative.Training;

namespace ClipSegNative.Tests.Training;

public sealed class MetricsLogTests : IDisposable
{
    const string Header = "step,epoch,split,loss,iou,learning_rate,images_per_second,gpu_memory_mb";

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_EachLine_IsInTheFileAtOnce()
    {
        using var log = new MetricsLog(_folder.Location, MetricsLine.Header, step: 0);
        Assert.Equal([Header], Lines());
        log.Write(new MetricsLine(1, 0.25, "train", 0.7182818, 0.125, 1e-3, 12.345).ToCsv());
        Assert.Equal([Header, "1,0.25,train,0.718282,0.125,0.001,12.35,"], Lines());
        log.Write(new MetricsLine(1, 0.25, "val", 1e-9, 1, 1e-4, 1000, GpuMemoryMb: 512.25).ToCsv());
        Assert.Equal("1,0.25,val,1E-09,1,0.0001,1000,512.3", Lines()[2]);
    }

    [Fact]
    public void Constructor_Resumed_KeepsWholeLinesUpToTheStep()
    {
        _folder.WriteText(MetricsLog.FileName, $"{Header}\n9,1,train,\n10,1,train,\n10,1,val,\n11,1,train,\n12,1,tr");
        using (var log = new MetricsLog(_folder.Location, MetricsLine.Header, step: 10)) log.Write(new MetricsLine(11, 1, "train", 2, 0, 0, 0).ToCsv());
        Assert.Equal([Header, "9,1,train,", "10,1,train,", "10,1,val,", "11,1,train,2,0,0,0,"], Lines());
    }

    [Theory]
    [InlineData("")]
    [InlineData("step,ep")]
    [InlineData("\n\n,,\nx\n")]
    public void Constructor_DamagedFile_BeginsAnew(string found)
    {
        _folder.WriteText(MetricsLog.FileName, found);
        new MetricsLog(_folder.Location, MetricsLine.Header, step: 10).Dispose();
        Assert.Equal([Header], Lines());
    }

    string[] Lines() => [.. File.ReadAllText(_folder[MetricsLog.FileName]).Split('\n')[..^1]];
}
