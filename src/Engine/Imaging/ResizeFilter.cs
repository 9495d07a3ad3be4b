namespace ClipSegNative.Imaging;

/// <summary>PIL's resampling kernels, both widened by the scale when shrinking.</summary>
enum ResizeFilter
{
    /// <summary>Triangle, support 1.</summary>
    Bilinear,

    /// <summary>Keys' cubic with a = -0.5, support 2.</summary>
    Bicubic,
}
