using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>
/// The part of a decoder that does not depend on the prompt: each extracted activation reduced to the decoder's width.
/// Computed once a picture, it serves every phrase.
/// </summary>
sealed class FeatureReduction(LayerScope scope, ClipSegConfig config, int batch, int tokens)
{
    readonly Linear[] _reduces =
        [.. config.FeatureWidths.Select((width, i) => new Linear(scope.Child("reduces", i), batch, tokens, config.Vision.HiddenSize, width))];
    readonly Tensor[] _features = new Tensor[config.ExtractLayers.Count];
    readonly Tensor[] _dHidden = new Tensor[config.Vision.Layers + 1];

    /// <param name="hidden">What <c>ClipVisionEncoder.Forward</c> returns.</param>
    /// <returns>[batch, tokens, width] each, deepest activation first: the order in which the decoder uses them.</returns>
    public Tensor[] Forward(Tensor[] hidden)
    {
        for (int i = 0; i < _features.Length; i++) _features[i] = _reduces[i].Forward(hidden[Source(i)]);
        return _features;
    }

    /// <returns>The gradients of the hidden states, absent where none was extracted.</returns>
    public Tensor[] Backward(Tensor[] dFeatures)
    {
        Array.Clear(_dHidden);
        for (int i = 0; i < _features.Length; i++)
        {
            Tensor dx = _reduces[i].Backward(dFeatures[i]), other = _dHidden[Source(i)];
            if (!other.IsAbsent) scope.Backend.Add(dx, other, dx);   // a layer may be extracted twice
            _dHidden[Source(i)] = dx;
        }
        return _dHidden;
    }

    /// <summary>What <see cref="Backward"/> does, above a frozen tower.</summary>
    public void BackwardParameters(Tensor[] dFeatures)
    {
        for (int i = 0; i < _features.Length; i++) _reduces[i].BackwardParameters(dFeatures[i]);
    }

    /// <summary>The hidden state that a feature is made of.</summary>
    int Source(int feature) => config.ExtractLayers[^(feature + 1)] + 1;
}
