using ClipSegNative.Backends;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.Clip;

/// <summary>Captions on the device.</summary>
/// <param name="Ids">[captions · length], int32.</param>
/// <param name="Entries">0, 1, 2, ... of each, int32: a row pools its own caption.</param>
/// <param name="Ends">[captions, length]: 1 at the end token, which stands for the caption, else 0.</param>
readonly record struct CaptionRows(Tensor Ids, Tensor Entries, Tensor Ends);

/// <summary>
/// Captions of one greatest length: their ids, and which token stands for each, the end token. Attention is causal, so what lies behind it is never read by
/// anything that counts.
/// </summary>
sealed class CaptionPlaces
{
    readonly IBackend _backend;
    readonly int[] _ids;
    readonly float[] _ends;

    /// <param name="backend">The device.</param>
    /// <param name="arena">Keeps the places.</param>
    /// <param name="first">Row of the first.</param>
    /// <param name="count">Captions.</param>
    /// <param name="length">The most ids of one.</param>
    public CaptionPlaces(IBackend backend, Arena arena, int first, int count, int length)
    {
        (_backend, First, Count, Length) = (backend, first, count, length);
        _ids = new int[length];
        _ends = new float[length];
        Rows = new CaptionRows(arena.Keep(DType.I32, count * length), arena.Keep(DType.I32, count), arena.Keep(DType.F32, count, length));
    }

    public int First { get; }

    public int Count { get; }

    public int Length { get; }

    public CaptionRows Rows { get; }

    public bool Has(int row) => row >= First && row < First + Count;

    public void Place(int row, ReadOnlySpan<int> ids)
    {
        if (ids.Length == 0 || ids.Length > Length) throw new ArgumentException($"A caption of {ids.Length} tokens has no place among {Length}.", nameof(ids));
        int place = row - First;
        Array.Clear(_ids);
        Array.Clear(_ends);
        ids.CopyTo(_ids);
        _ends[ids.Length - 1] = 1;
        _backend.Upload(_ids, Rows.Ids.ColumnRange(place * Length, Length));
        _backend.Upload(_ends, Rows.Ends.RowRange(place, 1));
        _ids[0] = place;
        _backend.Upload(_ids.AsSpan(0, 1), Rows.Entries.ColumnRange(place, 1));
    }
}
