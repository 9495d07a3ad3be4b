using ClipSegNative.Tests.Weights;
using ClipSegNative.Training;

namespace ClipSegNative.Tests.Training;

public sealed class FeatureFileTests : IDisposable
{
    const int Floats = 5, HeaderBytes = 51, SlotBytes = 40 + Floats * sizeof(float);

    readonly TemporaryFolder _folder = new();

    string Location => _folder["features.cache"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TryRead_AfterReopening_GivesWhatWasWritten()
    {
        using (FeatureFile file = Open(slots: 3)) Write(file, "a", "b");
        using FeatureFile again = Open(slots: 3);
        Assert.Equal(Values("a"), Read(again, "a"));
        Assert.Equal(Values("b"), Read(again, "b"));
        Assert.Null(Read(again, "c"));
    }

    [Fact]
    public void Write_MoreThanFits_WritesOverTheOneUsedLongestAgo()
    {
        using FeatureFile file = Open(slots: 2);
        Write(file, "a", "b");
        Read(file, "a");
        Write(file, "c");
        Assert.Equal(HeaderBytes + 2 * SlotBytes, new FileInfo(Location).Length);
        Assert.Null(Read(file, "b"));
        Assert.Equal(Values("a"), Read(file, "a"));
        Assert.Equal(Values("c"), Read(file, "c"));
    }

    [Fact]
    public void Constructor_OtherTowerOrShape_BelievesNothing()
    {
        using (FeatureFile file = Open(slots: 2)) Write(file, "a");
        using (var other = new FeatureFile(Location, "another tower", Floats, long.MaxValue)) Assert.Null(Read(other, "a"));
        using (FeatureFile file = Open(slots: 2)) Write(file, "a");
        using (var longer = new FeatureFile(Location, "tower", Floats + 1, long.MaxValue)) Assert.False(longer.TryRead("a", new float[Floats + 1]));
    }

    [Fact]
    public void TryRead_AnyByteChanged_GivesTheValuesOrNothing()
    {
        using (FeatureFile file = Open(slots: 2)) Write(file, "a", "b");
        byte[] whole = File.ReadAllBytes(Location);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x10;
            File.WriteAllBytes(Location, damaged);
            using FeatureFile file = Open(slots: 2);
            foreach (string key in new[] { "a", "b" })
                if (Read(file, key) is { } values) Assert.Equal(Values(key), values);
            Write(file, "a");
            Assert.Equal(Values("a"), Read(file, "a"));
        }
    }

    [Fact]
    public void TryRead_CutAnywhere_GivesTheValuesOrNothing()
    {
        using (FeatureFile file = Open(slots: 2)) Write(file, "a", "b");
        byte[] whole = File.ReadAllBytes(Location);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(Location, whole[..length]);
            using FeatureFile file = Open(slots: 2);
            Assert.Null(Read(file, "b"));
            Assert.Equal(length >= HeaderBytes + SlotBytes ? Values("a") : null, Read(file, "a"));
        }
    }

    [Fact]
    public void Write_NoRoom_KeepsNothing()
    {
        using FeatureFile file = Open(slots: 0);
        Write(file, "a");
        Assert.Null(Read(file, "a"));
        Assert.Equal(HeaderBytes, new FileInfo(Location).Length);
    }

    [Fact]
    public void Constructor_LessRoomThanBefore_Shrinks()
    {
        using (FeatureFile file = Open(slots: 3)) Write(file, "a", "b", "c");
        using FeatureFile smaller = Open(slots: 1);
        Assert.Equal(HeaderBytes + SlotBytes, new FileInfo(Location).Length);
        Assert.Equal(Values("a"), Read(smaller, "a"));
    }

    FeatureFile Open(int slots) => new(Location, "tower", Floats, HeaderBytes + slots * SlotBytes);

    static void Write(FeatureFile file, params string[] keys)
    {
        foreach (string key in keys) file.Write(key, Values(key));
    }

    static float[]? Read(FeatureFile file, string key)
    {
        var values = new float[Floats];
        return file.TryRead(key, values) ? values : null;
    }

    static float[] Values(string key) => [.. Enumerable.Range(0, Floats).Select(i => key[0] + i / 7f)];
}
