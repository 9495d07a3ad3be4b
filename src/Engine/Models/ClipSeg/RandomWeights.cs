using ClipSegNative.Models.Clip;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>Writes model folders of random values: the start of training, and a full-size stand-in where no weights are at hand.</summary>
static class RandomWeights
{
    const double Small = 0.02;
    const double GainDeviation = 0.05;
    const double LogitScale = 2.6592;   // ln(1 / 0.07)

    /// <summary>Writes <c>model.safetensors</c> (F32), <c>config.json</c> and <c>preprocessor_config.json</c>.</summary>
    /// <remarks>
    /// The same seed gives the same bytes on every machine. The folder is made where it is missing; files of these names are replaced.
    /// </remarks>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(string folder, ClipSegConfig config, ulong seed)
    {
        Directory.CreateDirectory(folder);
        WeightToWrite[] tensors = [.. ClipSegTensors.All(config).Select(tensor =>
            new WeightToWrite(tensor.Name, tensor.Shape, destination => Fill(destination, tensor.Name, tensor.Shape, config, seed)))];
        SafetensorsWriter.Write(Path.Combine(folder, WeightFiles.Single), tensors);
        AtomicFile.Write(Path.Combine(folder, ClipSegConfig.FileName), config.WriteJson);
        AtomicFile.Write(Path.Combine(folder, PreprocessorConfig.FileName), new PreprocessorConfig().WriteJson);
    }

    /// <summary>Fills one tensor as <see cref="Write"/> does; its canonical name decides the distribution and the stream.</summary>
    public static void Fill(Span<float> destination, string name, Shape shape, ClipSegConfig config, ulong seed)
    {
        (double mean, double deviation) = Distribution(name, shape, config);
        NormalNumbers.Fill(destination, NormalNumbers.Stream(seed, name), mean, deviation);
    }

    /// <remarks>
    /// The towers follow CLIP (Radford et al. 2021, as Hugging Face initialises it), but gains and biases vary a little where it has 1 and 0:
    /// then a test notices one that is not applied.
    /// </remarks>
    static (double Mean, double Deviation) Distribution(string name, Shape shape, ClipSegConfig config)
    {
        if (name == ClipTensors.LogitScale) return (LogitScale, 0);
        // A stage of the convolutional decoder starts close to one that lets its features pass.
        if (config.Conv is not null && name.EndsWith(".film_mul.bias", StringComparison.Ordinal)) return (1, GainDeviation);
        if (name.EndsWith(".bias", StringComparison.Ordinal)) return (0, Small);
        if (shape.Rank == 1 && name.EndsWith(".weight", StringComparison.Ordinal)) return (1, GainDeviation);
        if (name.StartsWith(PrefixedWeights.Decoder, StringComparison.Ordinal)) return (0, DecoderDeviation(name, shape));
        return (0, TowerDeviation(name, shape, name.StartsWith(ClipTensors.Text, StringComparison.Ordinal) ? config.Text.Layers : config.Vision.Layers));
    }

    static double TowerDeviation(string name, Shape shape, int layers)
    {
        double depth = 1 / Math.Sqrt(2 * layers);
        return name.Split('.')[^2] switch
        {
            "q_proj" or "k_proj" or "v_proj" => depth / Math.Sqrt(shape.Columns),
            "fc1" => 1 / Math.Sqrt(2 * shape.Columns),
            "fc2" => depth / Math.Sqrt(shape[0]),
            "token_embedding" or "position_embedding" or "patch_embedding" => Small,
            _ => 1 / Math.Sqrt(shape.Columns),   // out_proj, the projections and the class embedding
        };
    }

    /// <summary>Glorot and Bengio 2010 for linear maps, He et al. 2015 for convolutions: logits then spread over a few units and follow the phrase.</summary>
    static double DecoderDeviation(string name, Shape shape)
    {
        if (shape.Rank == 2) return Math.Sqrt(2.0 / (shape[0] + shape[1]));
        // A transposed convolution whose stride is its kernel adds up its input channels only, and those stand first.
        bool transposed = name.EndsWith(".upsample.weight", StringComparison.Ordinal)
            || (name.Contains(".transposed_convolution.", StringComparison.Ordinal) && !name.EndsWith(".0.weight", StringComparison.Ordinal));
        return Math.Sqrt(2.0 / (transposed ? shape[0] : shape[1] * shape[2] * shape[3]));
    }
}
