using ClipSegNative.Models;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.GpuChecks;

/// <summary>What transformers_peer.py compares: inputs and logits of one picture and three phrases.</summary>
static class Parity
{
    /// <param name="model">On the device.</param>
    /// <param name="path">A .safetensors file: pixel_values [1, 3, height, width], input_ids [phrases, length] padded with the end token, logits [phrases, height, width].</param>
    public static void Write(ModelFixture model, string path)
    {
        int count = ModelFixture.Phrases.Length, projection = model.Config.ProjectionSize;
        int[][] tokens = [.. ModelFixture.Phrases.Select(model.Tokens)];
        int length = tokens.Max(ids => ids.Length);
        float[] padded = [.. tokens.SelectMany(ids => ids.Concat(Enumerable.Repeat(ids[^1], length - ids.Length))).Select(id => (float)id)];

        using Plan encode = model.Model.EncodePlan(batch: 1, model.Grid), decode = model.Model.DecodePlan(images: 1, count, model.Grid);
        model.Backend.Upload(model.Pixels, encode.Inputs[0]);
        encode.Run();
        model.CopyFeatures(encode, decode);
        float[] conditions = [.. ModelFixture.Phrases.SelectMany(model.Condition)];
        model.Backend.Upload(conditions, decode.Inputs[^1]);
        decode.Run();
        Shape shape = decode.Outputs[0].Shape;
        var logits = new float[shape.Elements];
        model.Backend.Download(decode.Outputs[0], logits);

        Shape pixels = encode.Inputs[0].Shape;
        SafetensorsWriter.Write(path,
        [
            new WeightToWrite("pixel_values", pixels, model.Pixels),
            new WeightToWrite("input_ids", new Shape(count, length), padded),
            new WeightToWrite("conditional_embeddings", new Shape(count, projection), conditions),
            new WeightToWrite("logits", new Shape(count, shape[1], shape[2]), logits),
        ]);
    }
}
