using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Losses and the optimiser.</summary>
sealed unsafe partial class CpuBackend<TSet, TVector>
{
    /// <summary>What a pixel's exponential, logarithm and quotient cost beside a multiply-add.</summary>
    const int LossCost = 32;

    public void MaskLoss(Tensor logits, Tensor targets, MaskLosses losses, Tensor sums, Tensor y)
    {
        var pieces = new Pieces(logits.Rows, logits.Columns);
        double* partial = ScratchDoubles(pieces.Count * MaskLosses.Sums);
        Run(pieces.Count, LossCost * logits.Shape.Elements, new MaskLossWork<TSet, TVector>(View(logits), View(targets), losses, pieces, partial));
        Span<double> total = stackalloc double[MaskLosses.Sums];
        for (int map = 0; map < logits.Rows; map++)
        {
            total.Clear();
            for (int piece = 0; piece < pieces.PerRow; piece++)
                for (int i = 0; i < total.Length; i++) total[i] += *partial++;
            for (int i = 0; i < total.Length; i++) View(sums)[map][i] = (float)total[i];
            *View(y)[map] = (float)MaskLossValue.Of(losses, total, logits.Columns);
        }
    }

    public void MaskLossBackward(Tensor logits, Tensor targets, Tensor sums, MaskLosses losses, float scale, Tensor dLogits)
    {
        var pieces = new Pieces(logits.Rows, logits.Columns);
        Run(pieces.Count, LossCost * logits.Shape.Elements,
            new MaskLossBackwardWork<TSet, TVector>(View(logits), View(targets), View(sums), losses, scale, View(dLogits), pieces));
    }

    public void SumOfSquares(Tensor x, Tensor sum)
    {
        Pieces pieces = Cut(x, x.IsContiguous);
        double* partial = ScratchDoubles(pieces.Count);
        Run(pieces.Count, MoveCost * x.Shape.Elements, new SumOfSquaresWork<TSet, TVector>(View(x), pieces, partial));
        double total = 0;
        for (int piece = 0; piece < pieces.Count; piece++) total += partial[piece];
        *Pointer(sum) = (float)total;
    }

    public void AdamW(Tensor dw, Tensor settings, Tensor w, Tensor m, Tensor v)
    {
        Pieces pieces = Cut(w, dw.IsContiguous && w.IsContiguous && m.IsContiguous && v.IsContiguous);
        Run(pieces.Count, MoveCost * w.Shape.Elements,
            new AdamWWork<TSet, TVector>(View(dw), Pointer(settings), View(w), View(m), View(v), pieces));
    }

    /// <summary>Adjacent rows are one long one.</summary>
    static Pieces Cut(Tensor x, bool adjacent) => adjacent ? new Pieces(1, checked((int)x.Shape.Elements)) : new Pieces(x.Rows, x.Columns);

    double* ScratchDoubles(int count) => (double*)Scratch(2L * count, out _);
}
