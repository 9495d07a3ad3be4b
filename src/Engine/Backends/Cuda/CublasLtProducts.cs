using ClipSegNative.Interop;

namespace ClipSegNative.Backends.Cuda;

/// <summary>
/// Products by cuBLASLt; how each kind is best computed is asked for once. The library's matrices lie column by column, so a row-major product
/// is its transpose: the right operand comes first.
/// </summary>
sealed unsafe class CublasLtProducts(CudaContext context, CudaStream stream) : IDisposable
{
    /// <summary>What cuBLAS itself recommends for the newest devices.</summary>
    const int WorkspaceBytes = 32 << 20;

    readonly CublasLtHandle _handle = CublasLtHandle.Create(context);
    readonly CudaMemory _workspace = CudaMemory.Allocate(context, WorkspaceBytes);
    readonly Dictionary<(ProductKind, int Alignment), Plan> _plans = [];

    public void Prepare(in MatrixProduct product) => PlanOf(product);

    public void Multiply(in MatrixProduct product)
    {
        Plan plan = PlanOf(product);
        if (product.Bias != 0) plan.Product.Set(CublasLtProductAttribute.BiasPointer, product.Bias);
        bool adds = product.Addend.Address != 0;
        float one = 1, beta = adds ? 1 : 0;
        ulong addend = adds ? product.Addend.Address : product.Result.Address;
        CublasLtAlgorithm algorithm = plan.Algorithm;
        context.Enter();
        CublasLt.Check(
            CublasLt.Multiply(
                _handle, plan.Product, &one, product.Right.Address, plan.Right, product.Left.Address, plan.Left, &beta, addend, plan.Addend,
                product.Result.Address, plan.Result, &algorithm, _workspace.Address, WorkspaceBytes, stream),
            $"cublasLtMatmul({product.Rows} x {product.Columns} x {product.Depth})");
    }

    public void Dispose()
    {
        foreach (Plan plan in _plans.Values) plan.Dispose();
        _workspace.Dispose();
        _handle.Dispose();
    }

    Plan PlanOf(in MatrixProduct product)
    {
        (ProductKind, int) key = (product.Kind, Alignment(product));
        if (!_plans.TryGetValue(key, out Plan? plan)) _plans[key] = plan = Choose(key.Item1, key.Item2, product.Bias);
        return plan;
    }

    /// <summary>What all addresses are a multiple of, in bytes; 16 serves every load.</summary>
    static int Alignment(in MatrixProduct product)
    {
        ulong all = product.Left.Address | product.Right.Address | product.Addend.Address | product.Result.Address | product.Bias | 16;
        return 1 << System.Numerics.BitOperations.TrailingZeroCount(all);
    }

    /// <summary>Where tensor cores do not serve a shape or an alignment, it is computed in float32.</summary>
    Plan Choose(ProductKind kind, int alignment, ulong bias) =>
        TryChoose(kind, alignment, bias)
        ?? TryChoose(kind with { Precision = CudaPrecision.Float32 }, alignment, bias)
        ?? throw new DeviceException($"cuBLASLt knows no way to compute {kind}.");

    Plan? TryChoose(ProductKind kind, int alignment, ulong bias)
    {
        context.Enter();
        CublasLtProduct product = CublasLtProduct.Create(context, Compute(kind.Precision));
        product.Set(CublasLtProductAttribute.TransposeA, kind.TransposeRight ? CublasOperation.Transpose : CublasOperation.None);
        product.Set(CublasLtProductAttribute.TransposeB, kind.TransposeLeft ? CublasOperation.Transpose : CublasOperation.None);
        product.Set(CublasLtProductAttribute.Epilogue, kind.HasBias ? CublasLtEpilogue.Bias : CublasLtEpilogue.None);
        if (kind.HasBias) product.Set(CublasLtProductAttribute.BiasPointer, bias);   // some releases want to see one before they choose
        var plan = new Plan(
            product,
            Layout(kind.TransposeRight, kind.Depth, kind.Columns, kind.RightPitch),
            Layout(kind.TransposeLeft, kind.Rows, kind.Depth, kind.LeftPitch),
            Layout(false, kind.Rows, kind.Columns, kind.AddendPitch == 0 ? kind.ResultPitch : kind.AddendPitch),
            Layout(false, kind.Rows, kind.Columns, kind.ResultPitch));
        using CublasLtPreference preference = CublasLtPreference.Create(context, WorkspaceBytes);
        preference.Align((uint)alignment);
        CublasLtHeuristic found = default;
        int status = CublasLt.GetHeuristic(_handle, product, plan.Right, plan.Left, plan.Addend, plan.Result, preference, 1, &found, out int count);
        plan.Algorithm = found.Algorithm;
        if (status == 0 && count > 0 && found.Status == 0) return plan;
        plan.Dispose();
        if (status != CublasStatus.NotSupported) CublasLt.Check(status, $"cublasLtMatmulAlgoGetHeuristic({kind})");
        return null;
    }

    static CublasCompute Compute(CudaPrecision precision) => precision switch
    {
        CudaPrecision.TensorFloat32 => CublasCompute.FastTensorFloat32,
        CudaPrecision.BFloat16 => CublasCompute.FastBFloat16,
        CudaPrecision.Float16 => CublasCompute.FastFloat16,
        _ => CublasCompute.Float32,
    };

    /// <summary>A row-major matrix [rows, columns], or, transposed, [columns, rows], as the library sees it.</summary>
    CublasLtLayout Layout(bool transposed, int rows, int columns, int pitch) =>
        CublasLtLayout.Create(context, CudaDataType.Float32, transposed ? rows : columns, transposed ? columns : rows, pitch);

    sealed class Plan(CublasLtProduct product, CublasLtLayout right, CublasLtLayout left, CublasLtLayout addend, CublasLtLayout result) : IDisposable
    {
        public CublasLtProduct Product => product;

        public CublasLtLayout Right => right;

        public CublasLtLayout Left => left;

        public CublasLtLayout Addend => addend;

        public CublasLtLayout Result => result;

        public CublasLtAlgorithm Algorithm { get; set; }

        public void Dispose()
        {
            product.Dispose();
            right.Dispose();
            left.Dispose();
            addend.Dispose();
            result.Dispose();
        }
    }
}
