using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Training.Contrast;

/// <summary>
/// What a small CLIP begins with: as <see cref="RandomWeights"/>, but patches keep the spread of their pixels (LeCun et al. 1998), and positions are sines
/// and cosines of row and column (Vaswani et al. 2017, section 3.5), so that a picture's parts can be told apart from the first step on.
/// </summary>
static class InitialWeights
{
    const double PositionAmplitude = 0.5, LongestWave = 100;

    /// <param name="destination">All of the tensor.</param>
    /// <param name="name">Canonical.</param>
    /// <param name="shape">As checkpoints store it.</param>
    /// <param name="config">The model's sizes.</param>
    /// <param name="seed">The same gives the same values on every machine.</param>
    public static void Fill(Span<float> destination, string name, Shape shape, ClipConfig config, ulong seed)
    {
        switch (name)
        {
            case $"{ClipTensors.Vision}embeddings.patch_embedding.weight":
                NormalNumbers.Fill(destination, NormalNumbers.Stream(seed, name), 0, 1 / Math.Sqrt(shape[1] * shape[2] * shape[3]));
                break;
            case $"{ClipTensors.Vision}embeddings.position_embedding.weight":
                FillPositions(destination, config.Vision.NativeGrid, config.Vision.HiddenSize);
                break;
            default:
                RandomWeights.Fill(destination, name, shape, new ClipSegConfig { Text = config.Text, Vision = config.Vision, ProjectionSize = config.ProjectionSize }, seed);
                break;
        }
    }

    /// <summary>The class token's position is 0; of each cell, half of the channels tell the row, half the column.</summary>
    static void FillPositions(Span<float> positions, int grid, int channels)
    {
        positions.Clear();
        int waves = channels / 4;
        for (int cell = 0; cell < grid * grid; cell++)
        {
            Span<float> position = positions.Slice((1 + cell) * channels, channels);
            for (int wave = 0; wave < waves; wave++)
            {
                double frequency = Math.Pow(LongestWave, -(double)wave / waves);
                (position[4 * wave], position[4 * wave + 1]) = Wave(cell / grid * frequency);
                (position[4 * wave + 2], position[4 * wave + 3]) = Wave(cell % grid * frequency);
            }
        }

        // In turns, and by our own series: the same bits on every machine.
        static (float, float) Wave(double angle)
        {
            (double sine, double cosine) = NormalNumbers.SinCosOfTurn(angle / Math.Tau - Math.Floor(angle / Math.Tau));
            return ((float)(PositionAmplitude * sine), (float)(PositionAmplitude * cosine));
        }
    }
}
