using ClipSegNative.Layers;

namespace ClipSegNative.Models.Clip;

/// <summary>
/// Sizes of a micro-batch of contrastive training. Its rows, each a vector of the image tower and a caption's: first the regions, then, where
/// <paramref name="PictureTokens"/> is not 0, the pictures as wholes.
/// </summary>
/// <param name="Pictures">At once.</param>
/// <param name="Grid">Patches down and across; need not be the native grid.</param>
/// <param name="Regions">Parts of pictures that have captions of their own.</param>
/// <param name="RegionTokens">The most ids of a region's caption.</param>
/// <param name="PictureTokens">The most ids of a picture's caption; 0: pictures as wholes take no part.</param>
sealed record ContrastShape(int Pictures, Grid Grid, int Regions, int RegionTokens, int PictureTokens)
{
    public int Rows => Regions + Wholes;

    /// <summary>Rows that stand for whole pictures.</summary>
    public int Wholes => PictureTokens > 0 ? Pictures : 0;
}
