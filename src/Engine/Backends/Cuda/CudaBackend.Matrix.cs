using ClipSegNative.Interop;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cuda;

/// <summary>Products and convolutions by the device's libraries. What cuDNN does not do becomes a product of unfolded neighbourhoods.</summary>
sealed partial class CudaBackend
{
    /// <summary>Of unfolded neighbourhoods at a time: they stay in the second-level cache between the unfolding and the product.</summary>
    const long UnfoldedBytes = 16 << 20;

    public void PackMatrix(Tensor weight, int firstOutput, PackedMatrix destination)
    {
        var matrix = (CudaMatrix)destination;
        CopyRowsOf(weight.Shape, At(weight), weight.Pitch, matrix.Address + (ulong)firstOutput * (ulong)(matrix.Pitch * sizeof(float)), matrix.Pitch);
    }

    public void PackTransposed(Tensor weight, int firstInput, PackedMatrix destination)
    {
        var matrix = (CudaMatrix)destination;
        Launch("rows_transpose_f32", new CudaExtent(Parts(weight.Columns, WarpThreads), Parts(weight.Rows, WarpThreads)), BlockThreads,
            At(weight), weight.Pitch, weight.Rows, weight.Columns, matrix.Address + (ulong)firstInput * sizeof(float), matrix.Pitch);
    }

    public void Linear(Tensor x, PackedMatrix weight, Tensor bias, Tensor y) => Multiply(ByWeight(MatrixAt(x), x.Rows, weight, bias) with { Result = MatrixAt(y) });

    /// <summary>The residual is the product's addend, so that the sum costs no pass of its own.</summary>
    public void LinearAdd(Tensor x, PackedMatrix weight, Tensor bias, Tensor residual, Tensor y)
    {
        if (residual.Rows == y.Rows) Multiply(ByWeight(MatrixAt(x), x.Rows, weight, bias) with { Addend = MatrixAt(residual), Result = MatrixAt(y) });
        else
        {
            Linear(x, weight, bias, y);
            Add(y, residual, y);
        }
    }

    public void LinearBackward(Tensor x, Tensor dy, Tensor dw, Tensor db)
    {
        if (!dw.IsAbsent) AddWeightGradient(MatrixAt(x), x.Columns, MatrixAt(dy), dy.Columns, x.Rows, dw);
        if (!db.IsAbsent) AddColumnSums(dy, db);
    }

    public void Convolution(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Tensor y)
    {
        var matrix = (CudaMatrix)weight;
        MapConvolution convolution = MapsOf(x, y, kernel) with { Filter = matrix.Address, Precision = matrix.Precision };
        if (matrix.Pitch == matrix.Inputs && Prepare(convolution) is { } workspaceBytes)
        {
            Convolve(convolution with { Workspace = Scratch(workspaceBytes) });
            if (!bias.IsAbsent) Add(y, bias, y);
            return;
        }
        Unfold(x, kernel, (columns, first, count) =>
            Multiply(ByWeight(columns, count, weight, bias) with { Result = MatrixAt(y.RowRange(first, count)) }));
    }

    public void ConvolutionBackward(Tensor x, Tensor dy, int kernel, Tensor dw, Tensor db)
    {
        if (!db.IsAbsent) AddColumnSums(dy, db);
        MapConvolution gradient = MapsOf(x, dy, kernel) with { IsWeightGradient = true, Precision = precision };
        if (Prepare(gradient) is { } workspaceBytes)
        {
            // Added to dw by a kernel of ours: parameters lie close together, at any address.
            uint count = (uint)dw.Shape.Elements;
            long filterBytes = Parts(count, 64) * 256L;
            ulong filter = Scratch(filterBytes + workspaceBytes);
            Convolve(gradient with { Filter = filter, Workspace = filter + (ulong)filterBytes });
            Launch(AddRows.Single, Blocks(count), BlockThreads, filter, dw.Columns, At(dw), dw.Pitch, dw.Rows, At(dw), dw.Pitch, dw.Columns, count);
            return;
        }
        Unfold(x, kernel, (columns, first, count) =>
            AddWeightGradient(columns, columns.Pitch, MatrixAt(dy.RowRange(first, count)), dy.Columns, count, dw));
    }

    static MapConvolution MapsOf(Tensor x, Tensor y, int kernel) =>
        new(x.Shape[0], x.Shape[1], x.Shape[2], x.Columns, y.Columns, kernel) { Input = MatrixAt(x), Output = MatrixAt(y) };

    /// <returns>Bytes of workspace; null where the maps must be unfolded.</returns>
    long? Prepare(in MapConvolution convolution)
    {
        ulong places = convolution.Input.Address | convolution.Filter | convolution.Output.Address, pitches = (ulong)(convolution.Input.Pitch | convolution.Output.Pitch);
        // Of operands that lie in memory as float32, it knows no rounding to 16 bits that keeps their range: products of unfolded maps do.
        bool known = convolution.Precision is CudaPrecision.Float32 or CudaPrecision.TensorFloat32;
        return known && convolution.Kernel > 1 && (places | pitches * sizeof(float)) % 16 == 0 ? runtime.Prepare(convolution) : null;
    }

    void Convolve(in MapConvolution convolution)
    {
        if (!_preparing) runtime.Convolve(convolution);
    }

    /// <summary>x · Wᵀ + bias.</summary>
    static MatrixProduct ByWeight(DeviceMatrix x, int rows, PackedMatrix weight, Tensor bias)
    {
        var matrix = (CudaMatrix)weight;
        return new MatrixProduct(rows, matrix.Outputs, matrix.Inputs)
        {
            Left = x,
            Right = new DeviceMatrix(matrix.Address, matrix.Pitch),
            TransposeRight = true,
            Bias = At(bias),
            Precision = matrix.Precision,
        };
    }

    /// <summary>dw += dyᵀ · x.</summary>
    void AddWeightGradient(DeviceMatrix x, int inputs, DeviceMatrix dy, int outputs, int rows, Tensor dw) =>
        Multiply(new MatrixProduct(outputs, inputs, rows) { Left = dy, TransposeLeft = true, Right = x, Addend = MatrixAt(dw), Result = MatrixAt(dw), Precision = precision });

    /// <summary>Hands on the neighbourhoods of some pixels [pixels, kernel²·channels] at a time, then of the next; a kernel of one pixel needs no copy.</summary>
    void Unfold(Tensor x, int kernel, Action<DeviceMatrix, int, int> use)
    {
        if (kernel == 1)
        {
            use(MatrixAt(x), 0, x.Rows);
            return;
        }
        int inputs = kernel * kernel * x.Columns;
        int step = (int)Math.Clamp(UnfoldedBytes / (inputs * sizeof(float)), 1, x.Rows);
        ulong columns = Scratch((long)step * inputs * sizeof(float));
        for (int first = 0; first < x.Rows; first += step)
        {
            int count = Math.Min(step, x.Rows - first);
            Launch("maps_unfold_f32", Blocks((long)count * inputs), BlockThreads,
                At(x), x.Shape[1], x.Shape[2], x.Columns, kernel, first, columns, (uint)(count * inputs));
            use(new DeviceMatrix(columns, inputs), first, count);
        }
    }
}
