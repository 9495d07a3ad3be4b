using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Layers;
using ClipSegNative.Models.Clip;
using ClipSegNative.Tests.Layers;

namespace ClipSegNative.Tests.Models.Clip;

public class ClipTrainingTests
{
    static readonly ClipConfig Config = new(
        new ClipTextConfig { VocabularySize = 12, HiddenSize = 16, IntermediateSize = 32, Layers = 1, Heads = 2, Positions = 6 },
        new ClipVisionConfig { HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 2, PatchSize = 4, ImageSize = 16 }, 8);

    /// <summary>Not the native grid: positions are resampled.</summary>
    static readonly ContrastShape Shape = new(Pictures: 4, new Grid(2, 2), Regions: 4, RegionTokens: 3, PictureTokens: 4);

    [Fact]
    public void Accumulate_SameBatchTwice_GivesTheSameBits()
    {
        float[][] gradients = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            using IBackend backend = CpuBackend.Create(threads: 2);
            using ClipTraining training = Training(backend);
            ContrastBatch batch = training.Prepare(Shape);
            Fill(batch);
            training.ZeroGradients();
            batch.Accumulate();
            var values = new float[training.ParameterCount];
            training.Read(ParameterBlock.Gradients, values);
            return values;
        })];
        Assert.Equal(gradients[0], gradients[1]);
    }

    [Fact]
    public void Accumulate_LogitScale_HasTheGradientOfTheLoss()
    {
        const float Step = 1e-2f;
        using IBackend backend = CpuBackend.Create(threads: 1);
        using ClipTraining training = Training(backend);
        ContrastBatch batch = training.Prepare(Shape);
        Fill(batch);
        training.ZeroGradients();
        batch.Accumulate();
        int at = training.Parameters.TakeWhile(parameter => parameter.Name != ClipTensors.LogitScale).Sum(parameter => (int)parameter.Shape.Elements);
        float[] gradients = new float[training.ParameterCount], weights = new float[training.ParameterCount];
        training.Read(ParameterBlock.Gradients, gradients);
        training.Read(ParameterBlock.Weights, weights);
        Assert.Equal((Loss(Step) - Loss(-Step)) / (2 * Step), gradients[at], 1e-3f);
        Assert.NotEqual(0, gradients[at]);

        float Loss(float moved)
        {
            float[] there = [.. weights];
            there[at] += moved;
            training.Write(ParameterBlock.Weights, there);
            return batch.Accumulate();
        }
    }

    /// <summary>Two shapes share the parameters: what one learns, the other knows.</summary>
    [Fact]
    public void Update_FourPicturesAndCaptions_FindEachOther()
    {
        using IBackend backend = CpuBackend.Create(threads: 1);
        using ClipTraining training = Training(backend);
        ContrastBatch batch = training.Prepare(Shape), regions = training.Prepare(Shape with { PictureTokens = 0 });
        Fill(batch);
        Fill(regions);
        float before = batch.Accumulate();
        for (int step = 1; step <= 200; step++)
        {
            training.ZeroGradients();
            batch.Accumulate();
            training.Update(3e-3, weightDecay: 0, step, gradientScale: 1);
        }
        // A region and its picture show the same, and so do their captions' words; only the pairs' order is learnt from.
        Assert.InRange(batch.Accumulate(), 0, before / 4);
        float[] images = new float[Shape.Regions * batch.ProjectionSize], captions = new float[images.Length];
        regions.Embed(images, captions);
        for (int row = 0; row < Shape.Regions; row++)
            Assert.Equal(row, Enumerable.Range(0, Shape.Regions).MaxBy(caption => Dot(images, row, captions, caption, batch.ProjectionSize)));
    }

    [Fact]
    public void PlaceCaption_TooLong_IsRefused()
    {
        using IBackend backend = CpuBackend.Create(threads: 1);
        using ClipTraining training = Training(backend);
        ContrastBatch batch = training.Prepare(Shape);
        Assert.Throws<ArgumentException>(() => batch.PlaceCaption(0, [10, 1, 2, 11]));
        batch.PlaceCaption(Shape.Regions, [10, 1, 2, 11]);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.PlaceCaption(Shape.Rows, [10, 11]));
        Assert.Throws<ArgumentException>(() => training.Prepare(Shape with { RegionTokens = 7 }));
    }

    static ClipTraining Training(IBackend backend)
    {
        using var weights = new RandomWeightSource([.. ClipTensors.All(Config.Text, Config.Vision, Config.ProjectionSize)]);
        return new ClipTraining(backend, Config, weights);
    }

    /// <summary>Picture i and its region i are noise of their own, and their captions say word i.</summary>
    static void Fill(ContrastBatch batch)
    {
        int side = Config.Vision.PatchSize * Shape.Grid.Width, rows = batch.Shape.Rows;
        var positives = new float[rows * rows];
        for (int row = 0; row < rows; row++) positives[row * rows + row] = 1;
        for (int i = 0; i < Shape.Pictures; i++)
        {
            var random = new Random(i);
            batch.PlacePicture(i, [.. Enumerable.Range(0, 3 * side * side).Select(_ => random.NextSingle() * 2 - 1)]);
            batch.PlaceRegion(i, i, [0.25f, 0.25f, 0.25f, 0.25f]);
            batch.PlaceCaption(i, [10, i, 11]);
            if (batch.Shape.Wholes > 0) batch.PlaceCaption(Shape.Regions + i, [10, i, i + 4, 11]);
        }
        batch.PlacePositives(positives);
    }

    static float Dot(float[] images, int row, float[] captions, int caption, int size) =>
        Enumerable.Range(0, size).Sum(c => images[row * size + c] * captions[caption * size + c]);
}
