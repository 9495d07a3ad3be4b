using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli.Study;

/// <summary>A CLIP whose image tower was never trained, with the text tower of one that was: what pre-training gave the decoder's features.</summary>
static class RandomClip
{
    /// <summary>Copies a CLIP, but for its image tower.</summary>
    /// <param name="clip">A model folder.</param>
    /// <param name="folder">Made where it is missing.</param>
    /// <param name="seed">Of the random values.</param>
    /// <exception cref="ModelFileException">The model cannot be used.</exception>
    public static void Write(string clip, string folder, ulong seed)
    {
        ClipConfig towers = ClipConfig.Read(clip);
        var config = new ClipSegConfig { Text = towers.Text, Vision = towers.Vision, ProjectionSize = towers.ProjectionSize };
        using var weights = new PrefixedWeights(WeightFiles.Open(clip));
        (string Name, Shape Shape)[] tensors = [.. ClipTensors.All(towers.Text, towers.Vision, towers.ProjectionSize)];
        ClipTensors.Verify(weights, tensors);
        Directory.CreateDirectory(folder);
        ClipVocabulary.Copy(clip, folder);
        foreach (string name in new[] { ClipConfig.FileName, PreprocessorConfig.FileName })
            if (File.Exists(Path.Combine(clip, name))) File.Copy(Path.Combine(clip, name), Path.Combine(folder, name), overwrite: true);
        SafetensorsWriter.Write(Path.Combine(folder, WeightFiles.Single), [.. tensors.Select(tensor =>
        {
            if (tensor.Name.StartsWith(ClipTensors.Vision, StringComparison.Ordinal))
                return new WeightToWrite(tensor.Name, tensor.Shape, values => RandomWeights.Fill(values, tensor.Name, tensor.Shape, config, seed));
            weights.TryFind(tensor.Name, out WeightEntry entry);   // Verify has found it
            return new WeightToWrite(tensor.Name, entry.Shape, entry.ToSingle);
        })]);
    }
}
