namespace ClipSegNative.Backends;

/// <summary>What devices agree on about <see cref="IBackend.ContrastiveLoss"/>.</summary>
static class ContrastiveLosses
{
    /// <summary>Larger scales made CLIP's training unstable (Radford et al. 2021, section 2.5).</summary>
    public const float LargestScale = 100;
}
