namespace ClipSegNative.Models.Clip;

/// <summary>Sizes beyond which a configuration is taken for damaged: several times the largest published CLIP.</summary>
static class ClipLimits
{
    public const int Width = 8192;
    public const int FeedForward = 65_536;
    public const int Layers = 128;
    public const int Vocabulary = 1_000_000;
    public const int Positions = 4096;
    public const int Image = 4096;
    public const float MinEpsilon = 1e-12f;
    public const float MaxEpsilon = 0.1f;
}
