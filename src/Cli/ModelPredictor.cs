using System.Numerics.Tensors;
using ClipSegNative.Evaluation;
using ClipSegNative.Imaging;
using ClipSegNative.Tensors;

namespace ClipSegNative.Cli;

/// <summary>Predicts with a model; phrases of one picture share its encoding.</summary>
sealed class ModelPredictor(Segmenter segmenter, EvaluationProtocol protocol) : IDisposable
{
    /// <summary>A file need not keep the phrases of a picture together. 0.4 MB each.</summary>
    const int EncodedPictures = 32;

    readonly BoundedCache<string, EncodedImage> _encoded = new(EncodedPictures);
    readonly Segmentation[] _result = [segmenter.NewResult()];

    /// <exception cref="PictureException">The picture cannot be read.</exception>
    public Prediction Predict(string phrase, string picture)
    {
        if (!_encoded.TryGet(picture, out EncodedImage? image))
            image = _encoded.Add(picture, segmenter.Encode(ImageReader.Read(picture, new ImageReadOptions { ApplyOrientation = false })));
        image.Segment([phrase], _result);
        Segmentation found = _result[0];
        if (protocol == EvaluationProtocol.PhraseCut) return new Prediction(picture, found.Probabilities(), found.Width, found.Height, IsMask: false);

        // The authors compare what the decoder puts out, at their working size; a model with another one is brought to it.
        const int Side = Evaluator.ClipSegSide;
        var square = new float[Side * Side];
        MapResizer.Bilinear(found.Logits, found.LogitHeight, found.LogitWidth, square, Side, Side, scratch: new float[found.LogitHeight * Side]);
        TensorPrimitives.Sigmoid(square, square);
        return new Prediction(picture, square, Side, Side, IsMask: false);
    }

    public void Dispose()
    {
        _encoded.Dispose();
        segmenter.Dispose();
    }
}
