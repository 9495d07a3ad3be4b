namespace ClipSegNative.Training;

/// <summary>
/// What gradients are multiplied by on their way through fp16, whose smallest number is 2^-24: as large as fits, which only trying shows.
/// </summary>
/// <param name="Value">A power of two, 1 or more.</param>
/// <param name="Steps">Taken at this value.</param>
/// <param name="Skipped">Steps, of the whole run, whose gradient did not fit and was not used.</param>
/// <remarks>Micikevicius et al. 2018, section 3.2; the numbers are those of PyTorch's GradScaler, but for the upper end.</remarks>
sealed record LossScale(double Value, int Steps, long Skipped)
{
    /// <summary>Beyond it nothing is gained: what is lost then is 2^-48.</summary>
    const double Most = 1 << 24;

    const int StepsBeforeDoubling = 2000;

    public static LossScale Start { get; } = new(1 << 16, 0, 0);

    /// <param name="fitted">Whether the step's gradient was finite.</param>
    public LossScale After(bool fitted) => !fitted ? new LossScale(Value / 2, 0, Skipped + 1)
        : Steps + 1 < StepsBeforeDoubling ? this with { Steps = Steps + 1 }
        : this with { Value = Math.Min(2 * Value, Most), Steps = 0 };
}
