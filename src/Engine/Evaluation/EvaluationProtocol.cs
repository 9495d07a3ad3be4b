namespace ClipSegNative.Evaluation;

/// <summary>At which size, against which masks and by which numbers predictions are judged.</summary>
enum EvaluationProtocol
{
    /// <summary>PhraseCut's official one: the picture's own size, masks with their border.</summary>
    PhraseCut,

    /// <summary>The CLIPSeg paper's: 352 x 352, masks without, also at 49 thresholds.</summary>
    ClipSeg,
}
