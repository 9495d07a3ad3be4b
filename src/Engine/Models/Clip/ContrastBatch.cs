using ClipSegNative.Backends;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.Clip;

/// <summary>
/// A micro-batch of <see cref="ClipTraining"/>: fill its places, then <see cref="Accumulate"/>. A region's vector is its cells' tokens after the last block,
/// averaged, then normed and projected as the class token is; so tokens learn what they show. Warm calls allocate nothing.
/// </summary>
sealed class ContrastBatch : IDisposable
{
    readonly IBackend _backend;
    readonly ContrastShape _shape;
    readonly Arena _arena;
    readonly Arena _embeddingArena;
    readonly Tensor _pixels;
    readonly Tensor _entries;
    readonly Tensor _pooling;
    readonly Tensor _positives;
    readonly Tensor _loss;
    readonly CaptionPlaces[] _captions;
    readonly PackedMatrix _captionMatrix;
    readonly PackedMatrix _captionColumns;
    readonly IReplay _accumulate;
    readonly IReplay _embed;
    readonly int[] _entry = new int[1];
    readonly float[] _cells;
    Tensor _imageVectors;
    Tensor _captionVectors;

    internal ContrastBatch(IBackend backend, ParameterStore store, ClipConfig config, ContrastShape shape)
    {
        if (shape.RegionTokens > config.Text.Positions || shape.PictureTokens > config.Text.Positions)
            throw new ArgumentException($"captions of {Math.Max(shape.RegionTokens, shape.PictureTokens)} tokens are longer than the {config.Text.Positions} that the text tower takes.", nameof(shape));
        (_backend, _shape, ProjectionSize) = (backend, shape, config.ProjectionSize);
        int rows = shape.Rows, tokens = 1 + shape.Grid.Cells, patch = config.Vision.PatchSize;
        _arena = new Arena(backend);
        _embeddingArena = new Arena(backend);
        _pixels = _arena.Keep(DType.F32, shape.Pictures, config.Vision.ImageChannels, shape.Grid.Height * patch, shape.Grid.Width * patch);
        _entries = _arena.Keep(DType.I32, rows);
        _pooling = _arena.Keep(DType.F32, rows, tokens);
        _positives = _arena.Keep(DType.F32, rows, rows);
        _loss = _arena.Keep(DType.F32, 1);
        _cells = new float[tokens];
        var captions = new List<CaptionPlaces>();
        if (shape.Regions > 0) captions.Add(new CaptionPlaces(backend, _arena, 0, shape.Regions, shape.RegionTokens));
        if (shape.Wholes > 0) captions.Add(new CaptionPlaces(backend, _arena, shape.Regions, shape.Wholes, shape.PictureTokens));
        _captions = [.. captions];
        CaptionRows[] captionRows = [.. _captions.Select(places => places.Rows)];
        _captionMatrix = backend.AllocateMatrix(rows, ProjectionSize, PrecisionFloor.Float32);
        _captionColumns = backend.AllocateMatrix(ProjectionSize, rows, PrecisionFloor.Float32);

        string name = ClipTensors.LogitScale;
        Tensor logScale = store.Tensor(name, 1), dLogScale = store.Gradient(name, 1);
        var network = new ContrastNetwork(new LayerScope(_arena, store, "clip", training: true), config, shape);
        Tensor similarities = _arena.Reserve(rows, rows), dSimilarities = _arena.Reserve(rows, rows);
        Tensor dImages = _arena.Reserve(rows, ProjectionSize), dCaptions = _arena.Reserve(rows, ProjectionSize);
        _accumulate = _arena.Capture(() =>
        {
            IBackend operations = _arena.Backend;
            (Tensor images, Tensor texts) = network.Forward(_pixels, _entries, _pooling, captionRows);
            operations.PackMatrix(texts, 0, _captionMatrix);
            operations.PackTransposed(texts, 0, _captionColumns);
            operations.Linear(images, _captionMatrix, default, similarities);
            operations.ContrastiveLoss(similarities, _positives, logScale, _loss);
            operations.ContrastiveLossBackward(similarities, _positives, logScale, dSimilarities, dLogScale);
            operations.Linear(dSimilarities, _captionColumns, default, dImages);
            operations.Fill(0, dCaptions);
            operations.LinearBackward(images, dSimilarities, dCaptions, default);
            network.Backward(dImages, dCaptions);
        });
        var embedding = new ContrastNetwork(new LayerScope(_embeddingArena, store, "clip"), config, shape);
        _embed = _embeddingArena.Capture(() =>
        {
            (_imageVectors, _captionVectors) = embedding.Forward(_pixels, _entries, _pooling, captionRows);
            _embeddingArena.Retain(_imageVectors);
            _embeddingArena.Retain(_captionVectors);
        });
    }

    public ContrastShape Shape => _shape;

    /// <summary>Length of a row's vectors.</summary>
    public int ProjectionSize { get; }

    /// <summary>Bytes of device memory of activations and their gradients.</summary>
    public long Bytes => _arena.Bytes + _embeddingArena.Bytes + _captionMatrix.Bytes + _captionColumns.Bytes;

    /// <summary>Fills the place of a picture, and of its row where pictures as wholes take part.</summary>
    /// <param name="picture">Below the shape's pictures.</param>
    /// <param name="pixels">[channels · height · width], normalised.</param>
    public void PlacePicture(int picture, ReadOnlySpan<float> pixels)
    {
        int channels = _pixels.Shape[1] * _pixels.Shape[2];
        _backend.Upload(pixels, _pixels.RowRange(picture * channels, channels));
        if (_shape.Wholes == 0) return;
        Array.Clear(_cells);
        _cells[0] = 1;
        Pool(_shape.Regions + picture, picture);
    }

    /// <summary>Says which cells of which picture a region's row is the average of.</summary>
    /// <param name="region">Its row.</param>
    /// <param name="picture">The picture it is a part of.</param>
    /// <param name="weights">[cells], sum 1.</param>
    public void PlaceRegion(int region, int picture, ReadOnlySpan<float> weights)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(region, _shape.Regions);
        _cells[0] = 0;
        weights.CopyTo(_cells.AsSpan(1));
        Pool(region, picture);
    }

    /// <param name="row">A region's, or that of a picture as a whole.</param>
    /// <param name="ids">From the begin token to the end token; at most as many as the shape has place for.</param>
    public void PlaceCaption(int row, ReadOnlySpan<int> ids)
    {
        foreach (CaptionPlaces places in _captions)
        {
            if (!places.Has(row)) continue;
            places.Place(row, ids);
            return;
        }
        throw new ArgumentOutOfRangeException(nameof(row));
    }

    /// <param name="positives">[rows · rows], image side by caption: 1 where the caption is true of what the row shows, else 0.</param>
    public void PlacePositives(ReadOnlySpan<float> positives) => _backend.Upload(positives, _positives);

    /// <summary>Forward and backward: the gradient of the loss is added to the gradients.</summary>
    /// <returns>The loss before any update.</returns>
    public float Accumulate()
    {
        float loss = 0;
        _accumulate.Run();
        _backend.Download(_loss, new Span<float>(ref loss));
        return loss;
    }

    /// <summary>Forward only: unit vectors [rows · projection] of what the rows show and of their captions; either may be empty.</summary>
    public void Embed(Span<float> images, Span<float> captions)
    {
        _embed.Run();
        if (!images.IsEmpty) _backend.Download(_imageVectors, images);
        if (!captions.IsEmpty) _backend.Download(_captionVectors, captions);
    }

    public void Dispose()
    {
        _arena.Dispose();
        _embeddingArena.Dispose();
        _captionMatrix.Dispose();
        _captionColumns.Dispose();
    }

    void Pool(int row, int picture)
    {
        _entry[0] = picture;
        _backend.Upload(_cells, _pooling.RowRange(row, 1));
        _backend.Upload(_entry, _entries.ColumnRange(row, 1));
    }
}
