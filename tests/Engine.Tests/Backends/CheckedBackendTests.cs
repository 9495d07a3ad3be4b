using ClipSegNative.Backends;
using ClipSegNative.Backends.Decorators;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Reference;

namespace ClipSegNative.Tests.Backends;

public sealed class CheckedBackendTests
{
    /// <summary>Calls that break one rule each.</summary>
    static readonly (string Operation, string Breach, Action<IBackend> Call)[] Breaches =
    [
        ("PackMatrix", "other inputs", b => b.PackMatrix(New(4, 5), 0, Packed(4, 6))),
        ("PackMatrix", "past the end", b => b.PackMatrix(New(4, 6), 1, Packed(4, 6))),
        ("PackMatrix", "before the start", b => b.PackMatrix(New(2, 6), -1, Packed(4, 6))),
        ("Copy", "rows", b => b.Copy(New(3, 4), New(4, 4))),
        ("Copy", "columns", b => b.Copy(New(3, 4), New(3, 5))),
        ("Permute", "rank", b => b.Permute(New(2, 3, 4), new Shape(0, 1, 2, 3), New(1, 2, 3, 4))),
        ("Permute", "extents", b => b.Permute(New(2, 3, 4, 5), new Shape(0, 2, 1, 3), New(2, 3, 4, 5))),
        ("Permute", "an axis twice", b => b.Permute(New(2, 2, 2, 2), new Shape(0, 1, 1, 3), New(2, 2, 2, 2))),
        ("Permute", "no such axis", b => b.Permute(New(2, 2, 2, 2), new Shape(0, 1, 2, 4), New(2, 2, 2, 2))),
        ("Permute", "gaps between rows", b => b.Permute(New(2, 2, 2, 3).ColumnRange(0, 2), new Shape(0, 1, 2, 3), New(2, 2, 2, 2))),
        ("Add", "columns", b => b.Add(New(4, 3), New(4, 2), New(4, 3))),
        ("Add", "rows that do not repeat evenly", b => b.Add(New(4, 3), New(3, 3), New(4, 3))),
        ("Add", "no rows", b => b.Add(New(4, 3), New(0, 3), New(4, 3))),
        ("Add", "result", b => b.Add(New(4, 3), New(4, 3), New(2, 3))),
        ("AddBackward", "columns", b => b.AddBackward(New(4, 3), New(2, 2))),
        ("AddBackward", "rows that do not repeat evenly", b => b.AddBackward(New(4, 3), New(3, 3))),
        ("Activate", "rows", b => b.Activate(New(4, 3), Activation.Relu, New(3, 3))),
        ("Activate", "columns", b => b.Activate(New(4, 3), Activation.Relu, New(4, 4))),
        ("ActivateBackward", "gradient", b => b.ActivateBackward(New(4, 3), New(4, 2), Activation.Relu, New(4, 3))),
        ("ActivateBackward", "result", b => b.ActivateBackward(New(4, 3), New(4, 3), Activation.Relu, New(3, 3))),
        ("Linear", "inputs", b => b.Linear(New(2, 5), Packed(3, 4), default, New(2, 3))),
        ("Linear", "outputs", b => b.Linear(New(2, 4), Packed(3, 4), default, New(2, 4))),
        ("Linear", "rows", b => b.Linear(New(2, 4), Packed(3, 4), default, New(1, 3))),
        ("Linear", "bias", b => b.Linear(New(2, 4), Packed(3, 4), New(4), New(2, 3))),
        ("Linear", "bias with gaps", b => b.Linear(New(2, 4), Packed(3, 4), New(3, 2).ColumnRange(0, 1), New(2, 3))),
        ("LinearActivate", "inputs", b => b.LinearActivate(New(2, 5), Packed(3, 4), default, Activation.Gelu, New(2, 3))),
        ("LinearAdd", "outputs", b => b.LinearAdd(New(2, 4), Packed(3, 4), default, New(2, 3), New(2, 4))),
        ("LinearAdd", "residual", b => b.LinearAdd(New(2, 4), Packed(3, 4), default, New(1, 3), New(2, 3))),
        ("LayerNorm", "gamma", b => b.LayerNorm(New(2, 4), New(3), New(4), 1e-5f, New(2, 4))),
        ("LayerNorm", "beta with gaps", b => b.LayerNorm(New(2, 4), New(4), New(4, 2).ColumnRange(0, 1), 1e-5f, New(2, 4))),
        ("LayerNorm", "result", b => b.LayerNorm(New(2, 4), New(4), New(4), 1e-5f, New(3, 4))),
        ("LayerNormBackward", "gradient", b => b.LayerNormBackward(New(2, 4), New(3, 4), New(4), 1e-5f, New(2, 4), New(4), New(4))),
        ("LayerNormBackward", "dGamma", b => b.LayerNormBackward(New(2, 4), New(2, 4), New(4), 1e-5f, New(2, 4), New(3), New(4))),
        ("GroupNorm", "groups", b => b.GroupNorm(New(1, 2, 2, 4), New(4), New(4), 3, 1e-5f, New(1, 2, 2, 4))),
        ("GroupNorm", "no map", b => b.GroupNorm(New(4, 4), New(4), New(4), 2, 1e-5f, New(4, 4))),
        ("GroupNormBackward", "gradient", b => b.GroupNormBackward(New(1, 2, 2, 4), New(1, 4, 1, 4), New(4), 2, 1e-5f, New(1, 2, 2, 4), New(4), New(4))),
        ("GroupNormBackward", "dBeta", b => b.GroupNormBackward(New(1, 2, 2, 4), New(1, 2, 2, 4), New(4), 2, 1e-5f, New(1, 2, 2, 4), New(4), New(3))),
        ("Attention", "heads that do not divide", b => b.Attention(New(1, 2, 8), New(1, 2, 8), New(1, 2, 8), 3, false, New(1, 2, 8))),
        ("Attention", "no heads", b => b.Attention(New(1, 2, 8), New(1, 2, 8), New(1, 2, 8), 0, false, New(1, 2, 8))),
        ("Attention", "values unlike keys", b => b.Attention(New(1, 2, 8), New(1, 3, 8), New(1, 2, 8), 2, false, New(1, 2, 8))),
        ("Attention", "batch", b => b.Attention(New(1, 2, 8), New(2, 2, 8), New(2, 2, 8), 2, false, New(1, 2, 8))),
        ("Attention", "no keys", b => b.Attention(New(1, 2, 8), New(1, 0, 8), New(1, 0, 8), 2, false, New(1, 2, 8))),
        ("Attention", "queries that see nothing", b => b.Attention(New(1, 3, 8), New(1, 2, 8), New(1, 2, 8), 2, true, New(1, 3, 8))),
        ("Film", "batch", b => b.Film(New(2, 5, 4), New(3, 4), New(3, 4), New(3, 5, 4))),
        ("Film", "scale", b => b.Film(New(1, 5, 4), New(2, 4), New(3, 4), New(3, 5, 4))),
        ("Film", "shift", b => b.Film(New(1, 5, 4), New(3, 4), New(3, 5), New(3, 5, 4))),
        ("FilmBackward", "dx", b => b.FilmBackward(New(1, 5, 4), New(3, 4), New(3, 5, 4), New(3, 5, 4), New(3, 4), New(3, 4))),
        ("FilmBackward", "dShift", b => b.FilmBackward(New(1, 5, 4), New(3, 4), New(3, 5, 4), New(1, 5, 4), New(3, 4), New(1, 4))),
        ("GatherRows", "float indices", b => b.GatherRows(New(9, 4), New(3), New(3, 4))),
        ("GatherRows", "count", b => b.GatherRows(New(9, 4), NewIndices(2), New(3, 4))),
        ("GatherRows", "columns", b => b.GatherRows(New(9, 4), NewIndices(3), New(3, 5))),
        ("GatherRowsBackward", "count", b => b.GatherRowsBackward(New(3, 4), NewIndices(2), New(9, 4))),
        ("GatherRowsBackward", "columns", b => b.GatherRowsBackward(New(3, 4), NewIndices(3), New(9, 5))),
        ("Patchify", "size that does not divide", b => b.Patchify(New(1, 3, 8, 9), 4, New(1, 4, 48))),
        ("Patchify", "patches", b => b.Patchify(New(1, 3, 8, 8), 4, New(1, 5, 48))),
        ("Patchify", "channels", b => b.Patchify(New(1, 3, 8, 8), 4, New(1, 4, 16))),
        ("PrependClassToken", "tokens", b => b.PrependClassToken(New(2, 4, 3), New(3), New(5, 3), New(2, 4, 3))),
        ("PrependClassToken", "class token", b => b.PrependClassToken(New(2, 4, 3), New(4), New(5, 3), New(2, 5, 3))),
        ("PrependClassToken", "class token with gaps", b => b.PrependClassToken(New(2, 4, 3), New(3, 2).ColumnRange(0, 1), New(5, 3), New(2, 5, 3))),
        ("PrependClassToken", "positions", b => b.PrependClassToken(New(2, 4, 3), New(3), New(4, 3), New(2, 5, 3))),
        ("PrependClassTokenBackward", "tokens", b => b.PrependClassTokenBackward(New(2, 4, 3), New(2, 4, 3), New(3), New(4, 3))),
        ("PrependClassTokenBackward", "positions", b => b.PrependClassTokenBackward(New(2, 5, 3), New(2, 4, 3), New(3), New(4, 3))),
        ("SliceTokens", "past the end", b => b.SliceTokens(New(2, 5, 3), 3, New(2, 3, 3))),
        ("SliceTokens", "before the start", b => b.SliceTokens(New(2, 5, 3), -1, New(2, 3, 3))),
        ("SliceTokens", "batch", b => b.SliceTokens(New(2, 5, 3), 0, New(1, 3, 3))),
        ("SliceTokensBackward", "past the end", b => b.SliceTokensBackward(New(2, 3, 3), 3, New(2, 5, 3))),
        ("Convolution", "kernel", b => b.Convolution(New(1, 4, 4, 3), Packed(5, 27), default, 5, New(1, 4, 4, 5))),
        ("Convolution", "even kernel", b => b.Convolution(New(1, 4, 4, 3), Packed(5, 12), default, 2, New(1, 4, 4, 5))),
        ("Convolution", "map", b => b.Convolution(New(1, 4, 4, 3), Packed(5, 27), default, 3, New(1, 2, 8, 5))),
        ("ConvolutionActivate", "bias", b => b.ConvolutionActivate(New(1, 4, 4, 3), Packed(5, 27), New(4), 3, Activation.Relu, New(1, 4, 4, 5))),
        ("Fold", "height", b => b.Fold(New(1, 2, 3, 8), 2, 2, 0, default, New(1, 5, 6, 2))),
        ("Fold", "channels", b => b.Fold(New(1, 2, 3, 8), 2, 2, 0, default, New(1, 4, 6, 3))),
        ("Fold", "bias", b => b.Fold(New(1, 2, 3, 8), 2, 2, 0, New(3), New(1, 4, 6, 2))),
        ("Fold", "negative padding", b => b.Fold(New(1, 1, 1, 4), 2, 2, -1, default, New(1, 4, 4, 1))),
        ("FoldBackward", "height", b => b.FoldBackward(New(1, 5, 6, 2), 2, 2, 0, New(1, 2, 3, 8))),
        ("FoldBackward", "channels", b => b.FoldBackward(New(1, 4, 6, 3), 2, 2, 0, New(1, 2, 3, 8))),
        ("Resize", "channels", b => b.Resize(New(1, 2, 3, 4), ResizeMode.Bilinear, New(1, 4, 6, 3))),
        ("Resize", "batch", b => b.Resize(New(1, 2, 3, 4), ResizeMode.Bicubic, New(2, 4, 6, 4))),
        ("PackTransposed", "other outputs", b => b.PackTransposed(New(6, 5), 0, Packed(4, 6))),
        ("PackTransposed", "past the end", b => b.PackTransposed(New(6, 4), 1, Packed(4, 6))),
        ("LinearBackward", "rows", b => b.LinearBackward(New(2, 4), New(3, 3), New(3, 4), New(3))),
        ("LinearBackward", "weights not transposed", b => b.LinearBackward(New(2, 4), New(2, 3), New(4, 3), New(3))),
        ("LinearBackward", "bias", b => b.LinearBackward(New(2, 4), New(2, 3), New(3, 4), New(4))),
        ("AttentionBackward", "result", b => b.AttentionBackward(New(1, 2, 8), New(1, 3, 8), New(1, 3, 8), New(1, 3, 8), New(1, 2, 8), 2, false, New(1, 2, 8), New(1, 3, 8), New(1, 3, 8))),
        ("AttentionBackward", "gradient of keys", b => b.AttentionBackward(New(1, 2, 8), New(1, 3, 8), New(1, 3, 8), New(1, 2, 8), New(1, 2, 8), 2, false, New(1, 2, 8), New(1, 2, 8), New(1, 3, 8))),
        ("ConvolutionBackward", "map", b => b.ConvolutionBackward(New(1, 4, 4, 3), New(1, 2, 8, 5), 3, New(5, 27), default)),
        ("ConvolutionBackward", "kernel", b => b.ConvolutionBackward(New(1, 4, 4, 3), New(1, 4, 4, 5), 5, New(5, 27), default)),
        ("ResizeBackward", "channels", b => b.ResizeBackward(New(1, 4, 6, 3), ResizeMode.Bilinear, New(1, 2, 3, 4))),
        ("MaskLoss", "targets", b => b.MaskLoss(New(2, 9), New(2, 8), new(), New(2, MaskLosses.Sums), New(2, 1))),
        ("MaskLoss", "sums", b => b.MaskLoss(New(2, 9), New(2, 9), new(), New(2, 5), New(2, 1))),
        ("MaskLoss", "losses", b => b.MaskLoss(New(2, 9), New(2, 9), new(), New(2, MaskLosses.Sums), New(1, 1))),
        ("MaskLossBackward", "result", b => b.MaskLossBackward(New(2, 9), New(2, 9), New(2, MaskLosses.Sums), new(), 1, New(2, 8))),
        ("PoolTokens", "weights of other tokens", b => b.PoolTokens(New(2, 5, 3), NewIndices(4), New(4, 6), New(4, 3))),
        ("PoolTokens", "float entries", b => b.PoolTokens(New(2, 5, 3), New(4), New(4, 5), New(4, 3))),
        ("PoolTokensBackward", "rows", b => b.PoolTokensBackward(New(3, 3), NewIndices(4), New(4, 5), New(2, 5, 3))),
        ("Normalize", "columns", b => b.Normalize(New(2, 4), New(2, 5))),
        ("NormalizeBackward", "gradient", b => b.NormalizeBackward(New(2, 4), New(3, 4), New(2, 4))),
        ("ContrastiveLoss", "positives", b => b.ContrastiveLoss(New(4, 4), New(4, 5), New(1), New(1))),
        ("ContrastiveLoss", "loss", b => b.ContrastiveLoss(New(4, 4), New(4, 4), New(1), New(4))),
        ("ContrastiveLossBackward", "result", b => b.ContrastiveLossBackward(New(4, 4), New(4, 4), New(1), New(4, 5), New(1))),
        ("ContrastiveLossBackward", "scale", b => b.ContrastiveLossBackward(New(4, 4), New(4, 4), New(2), New(4, 4), New(1))),
        ("SumOfSquares", "sum", b => b.SumOfSquares(New(2, 9), New(2))),
        ("AdamW", "settings", b => b.AdamW(New(2, 9), New(7), New(2, 9), New(2, 9), New(2, 9))),
        ("AdamW", "moments", b => b.AdamW(New(2, 9), New(AdamWSettings.Count), New(2, 9), New(2, 9), New(9, 2))),
    ];

    public static TheoryData<string, string> AllBreaches => new(Breaches.Select(breach => (breach.Operation, breach.Breach)));

    /// <summary>A packed matrix cannot be read back.</summary>
    public static TheoryData<string> OperationsWithAResult => [.. OpTable.Operations.Where(operation => operation is not (nameof(IBackend.PackMatrix) or nameof(IBackend.PackTransposed)))];

    [Theory, MemberData(nameof(AllBreaches))]
    public void Operation_WrongShapes_IsRefusedByName(string operation, string breach)
    {
        Action<IBackend> call = Breaches.Single(b => b.Operation == operation && b.Breach == breach).Call;
        Assert.StartsWith($"{operation}: ", Refusal(call));
    }

    /// <summary>But for Fill, which takes every shape.</summary>
    [Fact]
    public void Breaches_EveryOperation_HasOne() => Assert.Equal([nameof(IBackend.Fill)], OpTable.Operations.Except(Breaches.Select(breach => breach.Operation)));

    [Fact]
    public void Destination_IsItsInput_IsRefusedUnlessInPlace()
    {
        Tensor x = New(4, 4), map = New(1, 4, 4, 4);
        PackedMatrix weight = Packed(4, 4);
        Assert.Contains("overlaps", Refusal(b => b.Linear(x, weight, default, x)));
        Assert.Contains("overlaps", Refusal(b => b.LinearAdd(x, weight, default, New(4, 4), x)));
        Assert.Contains("overlaps", Refusal(b => b.LinearAdd(New(4, 4), weight, default, x, x)));
        Assert.Contains("overlaps", Refusal(b => b.Copy(x, x)));
        Assert.Contains("overlaps", Refusal(b => b.Convolution(map, weight, default, 1, map)));
        Assert.Contains("overlaps", Refusal(b => b.Resize(map, ResizeMode.Bilinear, map)));
        Assert.Contains("overlaps", Refusal(b => b.LinearBackward(x, New(4, 4), x, default)));
        Assert.Contains("overlaps", Refusal(b => b.AttentionBackward(
            New(1, 2, 4), New(1, 2, 4), New(1, 2, 4), New(1, 2, 4), x.RowRange(0, 2).Reshape(1, 2, 4), 1, false,
            x.RowRange(0, 2).Reshape(1, 2, 4), New(1, 2, 4), New(1, 2, 4))));
        Accept(b => b.Add(x, New(2, 4), x));
        Accept(b => b.Activate(x, Activation.Gelu, x));
        Accept(b => b.LayerNorm(x, New(4), New(4), 1e-5f, x));
        Accept(b => b.ActivateBackward(New(4, 4), x, Activation.Gelu, x));
        Accept(b => b.LayerNormBackward(New(4, 4), x, New(4), 1e-5f, x, New(4), New(4)));
        Assert.Contains("overlaps", Refusal(b => b.FoldBackward(map, 1, 1, 0, map)));
        Assert.Contains("overlaps", Refusal(b => b.ResizeBackward(map, ResizeMode.Bilinear, map)));
        Assert.Contains("overlaps", Refusal(b => b.GatherRowsBackward(x, NewIndices(4), x)));
    }

    [Fact]
    public void Destination_ColumnRangesOfOneMatrix_MayInterleaveButNotMeet()
    {
        Tensor wide = New(5, 12);
        Accept(b => b.Copy(wide.ColumnRange(0, 4), wide.ColumnRange(4, 4)));
        Accept(b => b.Copy(wide.ColumnRange(8, 4), wide.ColumnRange(0, 4)));
        Accept(b => b.Copy(wide.RowRange(0, 2), wide.RowRange(2, 2)));
        Accept(b => b.Copy(wide.RowRange(0, 2).ColumnRange(1, 3), wide.RowRange(1, 2).ColumnRange(4, 3)));
        Assert.Contains("overlaps", Refusal(b => b.Copy(wide.ColumnRange(0, 4), wide.ColumnRange(3, 4))));
        Assert.Contains("overlaps", Refusal(b => b.Copy(wide.RowRange(0, 2), wide.RowRange(1, 2))));
    }

    /// <summary>Rows that begin in the last columns of one matrix row and end in the first of the next.</summary>
    [Fact]
    public void Destination_RowsThatWrapAroundThePitch_AreStillSeenToOverlap()
    {
        Tensor line = New(1, 12);
        Tensor wrapping = line.ColumnRange(3, 8).Reshape(2, 4).ColumnRange(0, 2), aligned = line.Reshape(3, 4).ColumnRange(0, 2);
        Assert.Contains("overlaps", Refusal(b => b.Copy(wrapping, aligned.RowRange(1, 2))));
        Assert.Contains("overlaps", Refusal(b => b.Copy(aligned.RowRange(0, 2), wrapping)));
        Accept(b => b.Copy(wrapping, line.Reshape(3, 4).RowRange(0, 2).ColumnRange(1, 2)));
    }

    [Fact]
    public void Destination_PartlyItsInput_IsRefusedInPlaceToo()
    {
        Tensor x = New(6, 4);
        Assert.Contains("overlaps", Refusal(b => b.Activate(x.RowRange(0, 4), Activation.Relu, x.RowRange(1, 4))));
        Assert.Contains("overlaps", Refusal(b => b.Add(New(6, 4), x.RowRange(0, 3), x)));
    }

    [Theory, MemberData(nameof(OperationsWithAResult))]
    public void Result_NotFinite_IsRefusedByName(string operation)
    {
        foreach (float value in new[] { float.NaN, float.NegativeInfinity })
        {
            using var device = new ReferenceBackend();
            using var checks = new CheckedBackend(new SpoilingBackend(device, value), finite: true);
            var refused = Assert.Throws<InvalidOperationException>(() => OpTable.First(operation).Run(device, checks));
            Assert.StartsWith($"{operation}: element ", refused.Message);
        }
    }

    static string Refusal(Action<IBackend> call)
    {
        using var inner = new RecordingBackend(new ReferenceBackend(), run: false);
        using var checks = new CheckedBackend(inner, finite: false);
        string message = Assert.Throws<InvalidOperationException>(() => call(checks)).Message;
        Assert.Empty(inner.Names);
        return message;
    }

    static void Accept(Action<IBackend> call)
    {
        using var inner = new RecordingBackend(new ReferenceBackend(), run: false);
        using var checks = new CheckedBackend(inner, finite: false);
        call(checks);
        Assert.Single(inner.Names);
    }

    /// <summary>Without memory: nothing here gets as far as to touch it.</summary>
    static Tensor New(params ReadOnlySpan<int> extents)
    {
        var shape = new Shape(extents);
        return new Tensor(new Storage(DType.F32, shape.Elements), 0, shape, shape.Columns);
    }

    static Tensor NewIndices(int count) => new(new Storage(DType.I32, count), 0, new Shape(count), count);

    static ReferenceMatrix Packed(int outputs, int inputs) => new(outputs, inputs);
}
