namespace ClipSegNative.Backends.Planning;

/// <summary>Places blocks that live at different times over one another: largest first, each at the lowest offset free during its life.</summary>
static class IntervalPacker
{
    /// <summary>One block: its size and the first and last step, inclusive, at which it holds something.</summary>
    public readonly record struct Block(long Bytes, int Born, int LastUse);

    /// <summary>Keeps blocks on cache-line (and 256-byte CUDA) boundaries.</summary>
    public const int Alignment = 256;

    /// <returns>Offset of each block, in the order given, and the size of the whole.</returns>
    public static (long[] Offsets, long Total) Pack(IReadOnlyList<Block> blocks)
    {
        var offsets = new long[blocks.Count];
        var placed = new List<int>(blocks.Count);
        long total = 0;
        foreach (int index in Enumerable.Range(0, blocks.Count).OrderByDescending(i => blocks[i].Bytes).ThenBy(i => i))
        {
            Block block = blocks[index];
            long offset = 0;
            foreach (int other in placed)   // ordered by offset: the first gap that is wide enough wins
            {
                if (blocks[other].LastUse < block.Born || block.LastUse < blocks[other].Born) continue;
                if (offset + block.Bytes <= offsets[other]) break;
                offset = Math.Max(offset, Align(offsets[other] + blocks[other].Bytes));
            }
            offsets[index] = offset;
            int position = placed.FindIndex(other => offsets[other] > offset);
            placed.Insert(position < 0 ? placed.Count : position, index);
            total = Math.Max(total, offset + block.Bytes);
        }
        return (offsets, Align(total));
    }

    static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}
