using ClipSegNative.Backends.Cuda;
using ClipSegNative.Layers;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.GpuChecks;

/// <summary>A model folder on a device, with a picture and phrases that are the same everywhere.</summary>
sealed class ModelFixture : IDisposable
{
    /// <summary>Of different lengths.</summary>
    public static readonly string[] Phrases = ["a cat", "the sky above the house", "something to drink"];

    readonly ClipTokenizer _tokenizer;

    /// <param name="folder">With weights, configuration and vocabulary.</param>
    /// <param name="backend">Belongs to the caller.</param>
    /// <exception cref="ModelFileException">It is no model folder.</exception>
    public ModelFixture(string folder, CudaBackend backend)
    {
        Backend = backend;
        Config = ClipSegConfig.Read(folder);
        var preprocessing = PreprocessorConfig.Read(folder);
        Grid = Segmenter.ChooseGrid(folder, Config, preprocessing, new SegmenterOptions());
        _tokenizer = Segmenter.LoadTokenizer(folder, Config);
        Weights = new PrefixedWeights(WeightFiles.Open(folder));
        Model = new ClipSegModel(backend, Config, Weights);
        Pixels = Picture(Grid.Height * Config.Vision.PatchSize, Grid.Width * Config.Vision.PatchSize);
    }

    public CudaBackend Backend { get; }

    public ClipSegConfig Config { get; }

    /// <summary>Of patches.</summary>
    public Grid Grid { get; }

    public PrefixedWeights Weights { get; }

    public ClipSegModel Model { get; }

    /// <summary>[3, height, width].</summary>
    public float[] Pixels { get; }

    /// <summary>Begin, phrase, end.</summary>
    public int[] Tokens(string phrase)
    {
        int[] ids = _tokenizer.Encode(phrase, Config.Text.Positions).Ids;
        return ids[..(Array.IndexOf(ids, _tokenizer.EndId) + 1)];
    }

    /// <summary>Its conditional vector.</summary>
    public float[] Condition(string phrase)
    {
        int[] ids = Tokens(phrase);
        using Plan plan = Model.TextPlan(batch: 1, ids.Length);
        Backend.Upload(ids, plan.Inputs[0]);
        Backend.Upload([ids.Length - 1], plan.Inputs[1]);
        plan.Run();
        var vector = new float[Config.ProjectionSize];
        Backend.Download(plan.Outputs[0], vector);
        return vector;
    }

    /// <summary>Hands the features of a batch of pictures on to a decoder.</summary>
    public void CopyFeatures(Plan encode, Plan decode)
    {
        for (int i = 0; i < encode.Outputs.Length; i++) Backend.Copy(encode.Outputs[i], decode.Inputs[i]);
    }

    public void Dispose()
    {
        Model.Dispose();
        Weights.Dispose();
    }

    /// <summary>Slopes, waves and a checkerboard, around 0 as a normalised picture is.</summary>
    static float[] Picture(int height, int width)
    {
        var pixels = new float[3 * height * width];
        for (int row = 0; row < height; row++)
        {
            for (int column = 0; column < width; column++)
            {
                int pixel = row * width + column;
                pixels[pixel] = 4f * row / height - 2;
                pixels[height * width + pixel] = (float)(2 * Math.Sin(column * 0.05) * Math.Cos(row * 0.08));
                pixels[2 * height * width + pixel] = ((row / 24) + (column / 24)) % 2 == 0 ? 1.5f : -1.5f;
            }
        }
        return pixels;
    }
}
