namespace ClipSegNative.Backends;

/// <summary>The element-wise functions between a model's layers.</summary>
enum Activation
{
    None,

    /// <summary>x · sigmoid(1.702 x): CLIP's own approximation of GELU.</summary>
    QuickGelu,

    /// <summary>x · Φ(x) with the error function: what most OpenCLIP exports use.</summary>
    Gelu,

    Relu,
    Sigmoid,
}

/// <summary>How <c>Resize</c> weighs the neighbours of a sample; half-pixel centres, edges repeated, no antialiasing.</summary>
enum ResizeMode
{
    Bilinear,

    /// <summary>Cubic convolution with a = -0.75, as PyTorch's interpolate.</summary>
    Bicubic,
}
