using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>The patch grid a picture is cut into.</summary>
readonly record struct Grid(int Height, int Width)
{
    public int Cells => Height * Width;
}

/// <summary>
/// Pixels [batch, 3, height, width] to tokens [batch, 1 + cells, channels]: patches projected, class token first, positions added.
/// Positions learned on another grid are resampled bicubically; the class token's stays as it is (Dosovitskiy et al. 2021, section 3.2).
/// </summary>
sealed class PatchEmbedding
{
    readonly LayerScope _scope;
    readonly Grid _grid;
    readonly int _patch;
    readonly int _nativeSide;
    readonly Tensor _patches;
    readonly Linear _project;
    readonly Tensor _classToken;
    readonly Tensor _positions;
    readonly Tensor _tokens;
    readonly Tensor _dClassToken;
    readonly Tensor _dPositions;
    readonly Tensor _dResized;
    readonly Tensor _dNative;
    readonly Tensor _dProjected;

    public PatchEmbedding(LayerScope scope, int batch, Grid grid, int pixelChannels, int patch, int channels, int nativeSide)
    {
        string positions = scope.Name("position_embedding.weight");
        int inputs = pixelChannels * patch * patch, native = 1 + nativeSide * nativeSide;
        (_scope, _grid, _patch, _nativeSide) = (scope, grid, patch, nativeSide);
        _patches = scope.Reserve(batch, grid.Cells, inputs);
        _project = new Linear(scope.Child("patch_embedding"), batch, grid.Cells, inputs, channels, bias: false);
        _classToken = scope.Vector("class_embedding", channels);
        Tensor learned = scope.Parameters.Tensor(positions, native, channels);
        _positions = IsNative ? learned : scope.Parameters.Derived($"{positions} {grid.Height}x{grid.Width}", new Shape(1 + grid.Cells, channels), (backend, resized) =>
        {
            backend.Copy(learned.RowRange(0, 1), resized.RowRange(0, 1));
            backend.Resize(Cells(learned, Native), ResizeMode.Bicubic, Cells(resized, grid));
        }, positions);
        _tokens = scope.Reserve(batch, 1 + grid.Cells, channels);
        _dClassToken = scope.Gradient("class_embedding", 1, channels);
        _dPositions = scope.Parameters.Gradient(positions, native, channels);
        _dResized = scope.Reserve(1, 1, 1 + grid.Cells, channels);   // as a map: rows adjacent
        _dNative = scope.Reserve(1, nativeSide, nativeSide, channels);
        _dProjected = scope.Reserve(batch, grid.Cells, channels);
    }

    Grid Native => new(_nativeSide, _nativeSide);

    bool IsNative => _grid == Native;

    public Tensor Forward(Tensor pixels)
    {
        _scope.Backend.Patchify(pixels, _patch, _patches);
        _scope.Backend.PrependClassToken(_project.Forward(_patches), _classToken, _positions, _tokens);
        return _tokens;
    }

    public void Backward(Tensor dy)
    {
        IBackend backend = _scope.Backend;
        if (IsNative || _dPositions.IsAbsent) backend.PrependClassTokenBackward(dy, _dProjected, _dClassToken, _dPositions);
        else
        {
            backend.Fill(0, _dResized);
            backend.PrependClassTokenBackward(dy, _dProjected, _dClassToken, _dResized);
            backend.AddBackward(_dResized.RowRange(0, 1), _dPositions.RowRange(0, 1));
            backend.ResizeBackward(Cells(_dResized, _grid), ResizeMode.Bicubic, _dNative);
            backend.AddBackward(_dNative, _dPositions.RowRange(1, Native.Cells));
        }
        _project.BackwardParameters(_dProjected);
    }

    /// <summary>The rows of a position table that belong to cells, as a map.</summary>
    static Tensor Cells(Tensor positions, Grid grid) => positions.RowRange(1, grid.Cells).Reshape(1, grid.Height, grid.Width, positions.Columns);
}
