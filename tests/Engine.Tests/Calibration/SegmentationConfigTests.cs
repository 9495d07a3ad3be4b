using ClipSegNative.Calibration;

namespace ClipSegNative.Tests.Calibration;

public sealed class SegmentationConfigTests : IDisposable
{
    static readonly SegmentationConfig Config = new()
    {
        Threshold = 0.42f,
        Presence = new PresenceModel(-1.25, 0.5, 7, -0.125),
        PresenceThreshold = 0.61f,
        Fitted = new CalibrationOutcome(120, 60, 61, 0.71, 0.95, 0.72, FloorsMet: true),
    };

    readonly string _folder = Directory.CreateTempSubdirectory("clipseg-config").FullName;

    string FilePath => Path.Combine(_folder, SegmentationConfig.FileName);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_WhatWasWritten_GivesTheSame()
    {
        Config.Write(_folder);
        Assert.Equal(Config, SegmentationConfig.Read(_folder));
        (Config with { Fitted = null }).Write(_folder);
        Assert.Equal(Config with { Fitted = null }, SegmentationConfig.Read(_folder));
        Assert.Equal([FilePath], Directory.GetFiles(_folder));
    }

    [Fact]
    public void Replace_None_RemovesTheOldOne()
    {
        Assert.Null(SegmentationConfig.Read(_folder));
        SegmentationConfig.Replace(_folder, Config);
        Assert.NotNull(SegmentationConfig.Read(_folder));
        SegmentationConfig.Replace(_folder, config: null);
        Assert.Null(SegmentationConfig.Read(_folder));
    }

    [Theory]
    [InlineData("{", "is not valid JSON")]
    [InlineData("{}", "'threshold' is missing")]
    [InlineData("""{"threshold":1,"presence":{"bias":0,"peak":0,"firmness":0,"extent":0,"threshold":0}}""", "'threshold' is 1, expected a number between 0 and 1")]
    [InlineData("""{"threshold":0.3}""", "'presence.bias' is missing")]
    [InlineData("""{"threshold":0.3,"presence":{"bias":0,"peak":0,"firmness":"much","extent":0,"threshold":0}}""", "'presence.firmness' is \"much\"")]
    [InlineData("""{"threshold":0.3,"presence":{"bias":0,"peak":0,"firmness":0,"extent":0,"threshold":2}}""", "'presence.threshold' is 2")]
    public void Read_DamagedFile_IsRefusedByKey(string text, string expected)
    {
        File.WriteAllText(FilePath, text);
        var error = Assert.Throws<ModelFileException>(() => SegmentationConfig.Read(_folder));
        Assert.Contains(FilePath, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
