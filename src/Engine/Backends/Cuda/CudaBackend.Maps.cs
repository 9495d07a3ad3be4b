using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cuda;

/// <summary>Moves between maps, patches and columns, resampling: src/Kernels/maps.cu.</summary>
sealed partial class CudaBackend
{
    public void Permute(Tensor x, Shape order, Tensor y)
    {
        Span<int> strides = stackalloc int[4], extents = stackalloc int[4];
        strides[3] = 1;
        for (int axis = 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * x.Shape[axis + 1];
        for (int axis = 0; axis < 4; axis++) extents[axis] = y.Shape[axis];
        Launch("maps_permute_f32", Blocks(y.Shape.Elements), BlockThreads,
            At(x), strides[order[0]], strides[order[1]], strides[order[2]], strides[order[3]], At(y), y.Pitch, extents[1], extents[2], y.Columns, (uint)y.Shape.Elements);
    }

    public void Patchify(Tensor pixels, int size, Tensor y) =>
        Launch("maps_patchify_f32", Blocks(y.Shape.Elements), BlockThreads,
            At(pixels), pixels.Pitch, pixels.Shape[1], pixels.Shape[2], pixels.Shape[3], size, At(y), y.Pitch, y.Columns, (uint)y.Shape.Elements);

    public void Fold(Tensor columns, int kernel, int stride, int padding, Tensor bias, Tensor y) =>
        Launch("maps_fold_f32", Blocks(y.Shape.Elements), BlockThreads,
            At(columns), columns.Pitch, columns.Shape[1], columns.Shape[2], kernel, stride, padding, At(bias), At(y), y.Shape[1], y.Shape[2], y.Columns, (uint)y.Shape.Elements);

    public void FoldBackward(Tensor dy, int kernel, int stride, int padding, Tensor dColumns) =>
        Launch("maps_fold_backward_f32", Blocks(dColumns.Shape.Elements), BlockThreads,
            At(dy), dy.Shape[1], dy.Shape[2], kernel, stride, padding, At(dColumns), dColumns.Pitch, dColumns.Shape[1], dColumns.Shape[2], dy.Columns, (uint)dColumns.Shape.Elements);

    public void Resize(Tensor x, ResizeMode mode, Tensor y) =>
        Launch(mode == ResizeMode.Bicubic ? "maps_resize_bicubic_f32" : "maps_resize_bilinear_f32", Blocks(y.Shape.Elements), BlockThreads,
            At(x), x.Shape[1], x.Shape[2], At(y), y.Shape[1], y.Shape[2], y.Columns, (uint)y.Shape.Elements);

    public void ResizeBackward(Tensor dy, ResizeMode mode, Tensor dx) =>
        Launch(mode == ResizeMode.Bicubic ? "maps_resize_bicubic_backward_f32" : "maps_resize_bilinear_backward_f32", Blocks(dx.Shape.Elements), BlockThreads,
            At(dy), dy.Shape[1], dy.Shape[2], At(dx), dx.Shape[1], dx.Shape[2], dx.Columns, (uint)dx.Shape.Elements);
}
