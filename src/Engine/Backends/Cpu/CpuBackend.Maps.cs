using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Operations that rearrange or resample maps.</summary>
sealed unsafe partial class CpuBackend<TSet, TVector>
{
    /// <summary>A model resizes between a few sizes; pictures of ever new sizes must not fill the memory.</summary>
    const int MostTaps = 64;

    readonly Dictionary<(ResizeMode Mode, int From, int To), ResizeTaps> _taps = [];

    public void Patchify(Tensor pixels, int size, Tensor y)
    {
        Shape image = pixels.Shape;
        Run(image[0] * (image[2] / size), MoveCost * y.Shape.Elements,
            new PatchifyWork(Pointer(pixels), image[1], image[2], image[3], size, View(y)));
    }

    public void Permute(Tensor x, Shape order, Tensor y)
    {
        Span<long> strides = stackalloc long[4];
        for (int axis = 3, stride = 1; axis >= 0; stride *= x.Shape[axis--]) strides[axis] = stride;
        float* from = Pointer(x), to = Pointer(y);
        for (int i = 0; i < y.Shape[0]; i++)
            for (int j = 0; j < y.Shape[1]; j++)
                for (int k = 0; k < y.Shape[2]; k++)
                {
                    float* start = from + i * strides[order[0]] + j * strides[order[1]] + k * strides[order[2]];
                    for (int l = 0; l < y.Shape[3]; l++) *to++ = start[l * strides[order[3]]];
                }
    }

    public void Fold(Tensor columns, int kernel, int stride, int padding, Tensor bias, Tensor y)
    {
        var shape = new FoldShape(columns.Shape[1], columns.Shape[2], y.Columns, kernel, stride, padding);
        Run(y.Shape[0] * y.Shape[1], MoveCost * y.Shape.Elements, new FoldWork(View(columns), shape, Pointer(bias), Pointer(y)));
    }

    public void Resize(Tensor x, ResizeMode mode, Tensor y)
    {
        int height = x.Shape[1], width = x.Shape[2], channels = x.Columns, rowLength = y.Shape[2] * channels;
        ResizeTaps across = Taps(mode, width, y.Shape[2]), down = Taps(mode, height, y.Shape[1]);
        var rows = new Span<float>(Scratch((long)height * rowLength, out _), height * rowLength);
        for (int entry = 0; entry < y.Shape[0]; entry++)
        {
            for (int row = 0; row < height; row++)
            {
                var from = new ReadOnlySpan<float>(View(x)[(entry * height + row) * width], width * channels);
                MapResizer.Across(from, channels, across, rows.Slice(row * rowLength, rowLength));
            }
            for (int row = 0; row < y.Shape[1]; row++)
                MapResizer.Down(rows, rowLength, down, row, new Span<float>(View(y)[(entry * y.Shape[1] + row) * y.Shape[2]], rowLength));
        }
    }

    /// <summary>Kept from the first run on: an operation that is repeated allocates nothing.</summary>
    ResizeTaps Taps(ResizeMode mode, int from, int to)
    {
        if (_taps.TryGetValue((mode, from, to), out ResizeTaps taps)) return taps;
        if (_taps.Count == MostTaps) _taps.Clear();
        taps = mode == ResizeMode.Bicubic ? ResizeTaps.Bicubic(from, to) : ResizeTaps.Bilinear(from, to);
        _taps.Add((mode, from, to), taps);
        return taps;
    }
}
