using System.Numerics.Tensors;
using ClipSegNative.Evaluation;
using ClipSegNative.Imaging;
using ClipSegNative.Tensors;

namespace ClipSegNative.Cli;

/// <summary>Predicts with a model; phrases of one picture share its encoding.</summary>
/// <param name="segmenter">Disposed with this.</param>
/// <param name="protocol">At which size.</param>
/// <param name="presence">The score below which nothing is there; null for the model's own.</param>
sealed class ModelPredictor(Segmenter segmenter, EvaluationProtocol protocol, float? presence = null) : IDisposable
{
    /// <summary>A file need not keep the phrases of a picture together. 0.4 MB each.</summary>
    const int EncodedPictures = 32;

    readonly BoundedCache<string, EncodedImage> _encoded = new(EncodedPictures);
    readonly Segmentation[] _result = [segmenter.NewResult()];

    /// <summary>The model's own threshold.</summary>
    public float Threshold => _result[0].Threshold;

    /// <summary>The score below which nothing is there.</summary>
    public float Presence => presence ?? _result[0].PresenceThreshold;

    /// <exception cref="PictureException">The picture cannot be read.</exception>
    public Prediction Predict(string phrase, string picture)
    {
        Segmentation found = Segment(phrase, picture);
        bool absent = !found.IsPresentAt(presence);
        if (protocol == EvaluationProtocol.PhraseCut) return new Prediction(picture, found.Probabilities(), found.Width, found.Height, IsMask: false) { IsAbsent = absent };

        // The authors compare what the decoder puts out, at their working size; a model with another one is brought to it.
        const int Side = Evaluator.ClipSegSide;
        var square = new float[Side * Side];
        MapResizer.Bilinear(found.Logits, found.LogitHeight, found.LogitWidth, square, Side, Side, scratch: new float[found.LogitHeight * Side]);
        TensorPrimitives.Sigmoid(square, square);
        return new Prediction(picture, square, Side, Side, IsMask: false) { IsAbsent = absent };
    }

    /// <returns>The model's answer, until the next call.</returns>
    /// <exception cref="PictureException">The picture cannot be read.</exception>
    public Segmentation Segment(string phrase, string picture)
    {
        if (!_encoded.TryGet(picture, out EncodedImage? image))
            image = _encoded.Add(picture, segmenter.Encode(ImageReader.Read(picture, new ImageReadOptions { ApplyOrientation = false })));
        image.Segment([phrase], _result);
        return _result[0];
    }

    public void Dispose()
    {
        _encoded.Dispose();
        segmenter.Dispose();
    }
}
