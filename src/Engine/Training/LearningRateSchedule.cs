namespace ClipSegNative.Training;

/// <summary>
/// The learning rate of every step: a straight line up to the peak, then half a cosine down to the least rate (Loshchilov and Hutter 2017, without
/// restarts). A least rate that is the peak makes it constant.
/// </summary>
/// <param name="Peak">The highest rate.</param>
/// <param name="Least">Where the cosine ends, one step after the last.</param>
/// <param name="Steps">Of the whole run, warm-up included.</param>
/// <param name="WarmUp">Steps of the line; its last one already has the peak.</param>
readonly record struct LearningRateSchedule(double Peak, double Least, long Steps, long WarmUp)
{
    /// <param name="step">From 0.</param>
    public double At(long step)
    {
        if (step < WarmUp) return Peak * (step + 1) / WarmUp;
        double progress = Math.Min(1, (double)(step - WarmUp) / Math.Max(1, Steps - WarmUp));
        return Least + (Peak - Least) / 2 * (1 + Math.Cos(Math.PI * progress));
    }
}
