using System.Globalization;
using System.Numerics.Tensors;
using ClipSegNative.Data;
using ClipSegNative.Layers;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Weights;

namespace ClipSegNative.Training;

/// <summary>Why numbers stopped being numbers, as far as the last batch shows.</summary>
static class Diagnosis
{
    const int Named = 4;

    /// <param name="what">The quantity.</param>
    /// <param name="value">Not finite.</param>
    /// <param name="step">The step that was being taken.</param>
    /// <param name="batch">The samples that were looked at last.</param>
    /// <param name="loader">Where they come from.</param>
    /// <param name="decoder">Not updated since.</param>
    public static TrainingException NotFinite(string what, double value, long step, MicroBatch batch, SampleLoader loader, DecoderTraining decoder)
    {
        batch.PredictAgain(loader);
        float largest = 0;
        var guilty = new List<string>();
        for (int place = 0; place < batch.Count; place++)
        {
            float logit = TensorPrimitives.MaxMagnitude<float>(batch.Logits(place));   // NaN wins
            if (!(MathF.Abs(logit) <= MathF.Abs(largest))) largest = logit;
            if (guilty.Count < Named && !float.IsFinite(batch.Losses[place])) guilty.Add(Describe(batch, place));
        }
        if (guilty.Count == 0) guilty.AddRange(Enumerable.Range(0, Math.Min(Named, batch.Count)).Select(place => Describe(batch, place)));
        return new TrainingException(string.Create(CultureInfo.InvariantCulture,
            $"step {step}: the {what} is {value}; phrases {string.Join(", ", guilty)}; largest logit {largest:G4}; {Parameters(decoder)}; the checkpoint before is whole: resume it with a lower --learning-rate{(decoder.ScalesLoss ? " or --precision bf16" : "")}."));
    }

    static string Describe(MicroBatch batch, int place) => $"'{batch[place].Spec.Text}' on {Path.GetFileName(batch[place].Spec.Sample.Picture.Path)}";

    static string Parameters(DecoderTraining decoder)
    {
        foreach (WeightToWrite tensor in decoder.Tensors(ParameterBlock.Weights))
        {
            var values = new float[tensor.Shape.Elements];
            tensor.Fill(values);
            if (!TensorPrimitives.IsFiniteAll<float>(values)) return $"first parameter that is not finite: {tensor.Name}";
        }
        return "all parameters are finite";
    }
}
