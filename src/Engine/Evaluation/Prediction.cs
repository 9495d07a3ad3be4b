namespace ClipSegNative.Evaluation;

/// <summary>What is judged: a probability a pixel.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Probabilities">[Height, Width], in [0, 1].</param>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="IsMask">All are 0 or 1, and stay so at another size.</param>
sealed record Prediction(string Name, float[] Probabilities, int Width, int Height, bool IsMask)
{
    /// <summary>The model says that nothing is there, whatever the probabilities: at the one threshold nothing is found.</summary>
    public bool IsAbsent { get; init; }
}
