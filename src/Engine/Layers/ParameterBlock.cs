namespace ClipSegNative.Layers;

/// <summary>What is kept of every parameter that trains, each kind in one block.</summary>
enum ParameterBlock
{
    Weights,
    Gradients,

    /// <summary>AdamW's running mean of the gradients.</summary>
    FirstMoments,

    /// <summary>AdamW's running mean of their squares.</summary>
    SecondMoments,
}
