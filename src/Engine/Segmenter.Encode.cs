using ClipSegNative.Imaging;
using ClipSegNative.Tensors;

namespace ClipSegNative;

/// <summary>Pictures to what phrases are asked of, and to prompts.</summary>
public sealed partial class Segmenter
{
    /// <summary>Runs the image tower on a picture of any size.</summary>
    /// <param name="picture">From <see cref="ImageReader"/>, <see cref="Picture.FromPixels"/> or <see cref="Picture.FromBitmap"/>.</param>
    /// <param name="cancellation">Ends the call within one operation, at most some tens of milliseconds.</param>
    /// <returns>What phrases are asked of; dispose it before this segmenter.</returns>
    /// <exception cref="ObjectDisposedException">This segmenter was disposed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, also while other callers are waited for; this segmenter stays usable.</exception>
    public EncodedImage Encode(Picture picture, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(picture);
        _turn.Wait(cancellation);
        try { return EncodeNew(picture, cancellation); }
        finally { _turn.Release(); }
    }

    /// <summary>As <see cref="Encode(Picture, CancellationToken)"/>, over an earlier picture: for pictures of one size, a warm call allocates nothing.</summary>
    /// <param name="picture">The new picture.</param>
    /// <param name="image">Made by this segmenter; its former content is lost, but kept by a call that throws.</param>
    /// <param name="cancellation">Ends the call within one operation, at most some tens of milliseconds.</param>
    /// <exception cref="ArgumentException"><paramref name="image"/> belongs to another segmenter.</exception>
    /// <exception cref="ObjectDisposedException">This segmenter or <paramref name="image"/> was disposed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, also while other callers are waited for; this segmenter stays usable.</exception>
    public void Encode(Picture picture, EncodedImage image, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(picture);
        _turn.Wait(cancellation);
        try
        {
            CheckOwned(image);
            Encode(image, picture, cancellation);
        }
        finally { _turn.Release(); }
    }

    /// <summary>As <see cref="Encode(Picture, EncodedImage, CancellationToken)"/>, of a picture that another thread has brought to the working size meanwhile.</summary>
    /// <param name="picture">Whose size results have.</param>
    /// <param name="pixels">What <see cref="NewPreprocessor"/> makes of it.</param>
    /// <param name="image">Made by this segmenter.</param>
    /// <param name="cancellation">As there.</param>
    internal void Encode(Picture picture, ReadOnlySpan<float> pixels, EncodedImage image, CancellationToken cancellation)
    {
        _turn.Wait(cancellation);
        try
        {
            CheckOwned(image);
            Encode(image, picture, pixels, cancellation);
        }
        finally { _turn.Release(); }
    }

    /// <summary>Makes a prompt from a picture of what to look for: "one like this".</summary>
    /// <param name="example">Shows the thing, alone or with a mask; any size.</param>
    /// <param name="mask">
    /// Which of its pixels are the thing, at the picture's size; null where the thing fills the picture. What is around it is blurred and faded, and the
    /// picture is cut to the mask's surroundings.
    /// </param>
    /// <param name="cancellation">Ends the call within one operation, at most some tens of milliseconds.</param>
    /// <returns>For pictures encoded by this segmenter; needs no disposal. Making it costs about a tenth more than <see cref="Encode(Picture, CancellationToken)"/>, using it nothing.</returns>
    /// <exception cref="ArgumentException">The mask has another size than the picture, or marks no pixel at the working size.</exception>
    /// <exception cref="InvalidOperationException">Loaded without <see cref="SegmenterOptions.ImagePrompts"/>.</exception>
    /// <exception cref="ObjectDisposedException">This segmenter was disposed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, also while other callers are waited for; this segmenter stays usable.</exception>
    /// <remarks>Lüddecke and Ecker 2022, sections 3 and 4.</remarks>
    public Prompt Like(Picture example, Mask? mask = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(example);
        if (mask is not null && (mask.Width, mask.Height) != (example.Width, example.Height))
            throw new ArgumentException($"The mask has {mask.Width} x {mask.Height} pixels, the example {example.Width} x {example.Height}.");
        var vector = new float[_model.Config.ProjectionSize];
        _turn.Wait(cancellation);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_examples is null) throw new InvalidOperationException($"This segmenter was loaded without {nameof(SegmenterOptions.ImagePrompts)}.");
            _preprocessor.Run(example, _pixels);
            _backend.Upload(mask is null ? _pixels : ExampleFocus.Apply(_pixels, mask, _preprocessor.Width, _preprocessor.Height), _examples.Inputs[0]);
            _examples.Run(cancellation);
            _backend.Download(_examples.Outputs[0], vector);
        }
        finally { _turn.Release(); }
        return new Prompt(text: null, new Example(this, example.Name ?? "the example", vector), textShare: 0);
    }

    EncodedImage EncodeNew(Picture picture, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        EncodedImage image = NewImage();
        try { Encode(image, picture, cancellation); }
        catch
        {
            image.Dispose();
            throw;
        }
        return image;
    }

    void Encode(EncodedImage image, Picture picture, CancellationToken cancellation)
    {
        _preprocessor.Run(picture, _pixels);
        Encode(image, picture, _pixels, cancellation);
    }

    void Encode(EncodedImage image, Picture picture, ReadOnlySpan<float> pixels, CancellationToken cancellation)
    {
        _backend.Upload(pixels, _encode.Inputs[0]);
        _encode.Run(cancellation);
        for (int i = 0; i < image.Features.Length; i++) _backend.Copy(_encode.Outputs[i], image.Features[i]);
        (image.Width, image.Height) = (picture.Width, picture.Height);
    }

    /// <summary>Of a thread's own.</summary>
    internal PicturePreprocessor NewPreprocessor() => _preprocessor.Again();

    /// <summary>Nothing is in it yet.</summary>
    internal EncodedImage NewImage()
    {
        ReadOnlySpan<Tensor> outputs = _encode.Outputs;
        long elements = 0;
        foreach (Tensor output in outputs) elements += output.Shape.Elements;
        DeviceMemory memory = _backend.Allocate(elements * sizeof(float));
        var features = new Tensor[outputs.Length];
        long bytes = 0;
        for (int i = 0; i < features.Length; i++)
        {
            Shape shape = outputs[i].Shape;
            var storage = new Storage(DType.F32, shape.Elements);
            storage.Bind(memory, bytes);
            bytes += storage.Bytes;
            features[i] = new Tensor(storage, 0, shape, shape.Columns);
        }
        return new EncodedImage(this, memory, features);
    }
}
