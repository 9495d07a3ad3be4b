using ClipSegNative.Backends.Planning;
using CsCheck;

namespace ClipSegNative.Tests.Backends;

public sealed class IntervalPackerTests
{
    static readonly Gen<IntervalPacker.Block[]> AnyBlocks =
        Gen.Select(Gen.Long[0, 5000], Gen.Int[0, 20], Gen.Int[0, 8], (bytes, born, length) => new IntervalPacker.Block(bytes, born, born + length))
            .Array[0, 30];

    [Fact]
    public void Pack_AnyBlocks_NoneAliveTogetherOverlap() => AnyBlocks.Sample(blocks =>
    {
        (long[] offsets, long total) = IntervalPacker.Pack(blocks);
        for (int i = 0; i < blocks.Length; i++)
        {
            Assert.True(offsets[i] >= 0 && offsets[i] % IntervalPacker.Alignment == 0 && offsets[i] + blocks[i].Bytes <= total);
            for (int j = 0; j < i; j++)
            {
                bool together = blocks[i].Born <= blocks[j].LastUse && blocks[j].Born <= blocks[i].LastUse;
                bool apart = offsets[i] + blocks[i].Bytes <= offsets[j] || offsets[j] + blocks[j].Bytes <= offsets[i];
                Assert.True(!together || apart, $"{blocks[i]} at {offsets[i]} meets {blocks[j]} at {offsets[j]}.");
            }
        }
    });

    [Fact]
    public void Pack_AnyBlocks_TakesBetweenWhatLivesAtOnceAndTheSum() => AnyBlocks.Sample(blocks =>
    {
        long total = IntervalPacker.Pack(blocks).Total;
        long atOnce = Enumerable.Range(0, 30).Max(step => blocks.Where(block => block.Born <= step && step <= block.LastUse).Sum(block => block.Bytes));
        Assert.InRange(total, atOnce, blocks.Sum(block => Aligned(block.Bytes)));
    });

    [Fact]
    public void Pack_ChainOfEquals_AlternatesBetweenTwo()
    {
        (long[] offsets, long total) = IntervalPacker.Pack([new(1024, 0, 1), new(1024, 1, 2), new(1024, 2, 3), new(1024, 3, 4)]);
        Assert.Equal(2048, total);
        Assert.Equal([0, 1024, 0, 1024], offsets);
    }

    [Fact]
    public void Pack_SmallBlockBetweenLarge_IsOptimal()
    {
        // Never more than 6144 bytes live at once: the two large blocks lie on one another.
        (long[] offsets, long total) = IntervalPacker.Pack([new(4096, 0, 1), new(2048, 1, 2), new(4096, 2, 3)]);
        Assert.Equal(6144, total);
        Assert.Equal([0, 4096, 0], offsets);
    }

    [Fact]
    public void Pack_GapLeftByADeadBlock_IsFilled()
    {
        // The third block dies first and leaves a gap under the second that the last one fits into.
        (long[] offsets, long total) = IntervalPacker.Pack([new(4096, 0, 9), new(2048, 0, 3), new(1024, 0, 9), new(512, 4, 9)]);
        Assert.Equal(7168, total);
        Assert.Equal(4096, offsets[3]);
    }

    [Fact]
    public void Pack_Nothing_TakesNothing() => Assert.Equal(0, IntervalPacker.Pack([]).Total);

    static long Aligned(long bytes) => (bytes + IntervalPacker.Alignment - 1) / IntervalPacker.Alignment * IntervalPacker.Alignment;
}
