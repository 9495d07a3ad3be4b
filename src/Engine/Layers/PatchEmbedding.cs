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
    readonly int _patch;
    readonly Tensor _patches;
    readonly PackedMatrix _weight;
    readonly Tensor _projected;
    readonly Tensor _classToken;
    readonly Tensor _positions;
    readonly Tensor _tokens;

    public PatchEmbedding(LayerScope scope, int batch, Grid grid, int pixelChannels, int patch, int channels, int nativeSide)
    {
        _scope = scope;
        _patch = patch;
        int inputs = pixelChannels * patch * patch;
        _patches = scope.Reserve(batch, grid.Cells, inputs);
        _weight = scope.Parameters.Matrix(channels, inputs, scope.Name("patch_embedding.weight"));
        _projected = scope.Reserve(batch, grid.Cells, channels);
        _classToken = scope.Vector("class_embedding", channels);
        _positions = Positions(scope, grid, channels, nativeSide);
        _tokens = scope.Reserve(batch, 1 + grid.Cells, channels);
    }

    public Tensor Forward(Tensor pixels)
    {
        IBackend backend = _scope.Backend;
        backend.Patchify(pixels, _patch, _patches);
        backend.Linear(_patches, _weight, default, _projected);
        backend.PrependClassToken(_projected, _classToken, _positions, _tokens);
        return _tokens;
    }

    static Tensor Positions(LayerScope scope, Grid grid, int channels, int nativeSide)
    {
        string name = scope.Name("position_embedding.weight");
        int nativeCells = nativeSide * nativeSide;
        Tensor native = scope.Parameters.Tensor(name, 1 + nativeCells, channels);
        if (grid == new Grid(nativeSide, nativeSide)) return native;
        return scope.Parameters.Derived($"{name} {grid.Height}x{grid.Width}", new Shape(1 + grid.Cells, channels), resized =>
        {
            IBackend backend = scope.Parameters.Backend;
            backend.Copy(native.RowRange(0, 1), resized.RowRange(0, 1));
            backend.Resize(native.RowRange(1, nativeCells).Reshape(1, nativeSide, nativeSide, channels), ResizeMode.Bicubic,
                resized.RowRange(1, grid.Cells).Reshape(1, grid.Height, grid.Width, channels));
        });
    }
}
