namespace ClipSegNative.Interop;

/// <summary>cuBLAS on one stream, with a workspace of the caller's.</summary>
sealed class CublasHandle : CudaHandle
{
    CublasHandle(CudaContext context, nint handle) : base(context, handle) { }

    public static CublasHandle Create(CudaContext context)
    {
        context.Enter();
        Cublas.Check(Cublas.Create(out nint handle), $"cublasCreate_v2()");
        return new CublasHandle(context, handle);
    }

    /// <summary>A workspace must be set again after the stream is.</summary>
    public void Use(CudaStream stream, ulong workspace, long bytes)
    {
        Cublas.Check(Cublas.SetStream(this, stream), $"cublasSetStream_v2()");
        Cublas.Check(Cublas.SetWorkspace(this, workspace, (nuint)bytes), $"cublasSetWorkspace_v2({bytes} bytes)");
    }

    public void Use(CublasMath math) => Cublas.Check(Cublas.SetMathMode(this, math), $"cublasSetMathMode({math})");

    protected override int Destroy(nint handle) => Cublas.Destroy(handle);
}

/// <summary>cuBLASLt, which takes stream and workspace with each call.</summary>
sealed class CublasLtHandle : CudaHandle
{
    CublasLtHandle(CudaContext context, nint handle) : base(context, handle) { }

    public static CublasLtHandle Create(CudaContext context)
    {
        context.Enter();
        CublasLt.Check(CublasLt.Create(out nint handle), $"cublasLtCreate()");
        return new CublasLtHandle(context, handle);
    }

    protected override int Destroy(nint handle) => CublasLt.Destroy(handle);
}

/// <summary>What a product computes: transposes, epilogue, types.</summary>
sealed unsafe class CublasLtProduct : CudaHandle
{
    CublasLtProduct(CudaContext context, nint handle) : base(context, handle) { }

    public static CublasLtProduct Create(CudaContext context, CublasCompute compute)
    {
        CublasLt.Check(CublasLt.ProductCreate(out nint product, compute, CudaDataType.Float32), $"cublasLtMatmulDescCreate({compute}, {CudaDataType.Float32})");
        return new CublasLtProduct(context, product);
    }

    /// <summary>Of the size that the attribute has: an int, or a long for strides and a ulong for addresses.</summary>
    public void Set<T>(CublasLtProductAttribute attribute, T value) where T : unmanaged =>
        CublasLt.Check(CublasLt.ProductSetAttribute(this, attribute, &value, (nuint)sizeof(T)), $"cublasLtMatmulDescSetAttribute({attribute}, {value})");

    protected override int Destroy(nint handle) => CublasLt.ProductDestroy(handle);
}

/// <summary>How a matrix lies: column by column, so a row-major one is its transpose.</summary>
sealed unsafe class CublasLtLayout : CudaHandle
{
    CublasLtLayout(CudaContext context, nint handle) : base(context, handle) { }

    public static CublasLtLayout Create(CudaContext context, CudaDataType type, long rows, long columns, long stride)
    {
        CublasLt.Check(
            CublasLt.LayoutCreate(out nint layout, type, (ulong)rows, (ulong)columns, stride), $"cublasLtMatrixLayoutCreate({type}, {rows}, {columns}, {stride})");
        return new CublasLtLayout(context, layout);
    }

    /// <summary>Several matrices, a stride apart.</summary>
    public void Repeat(int count, long stride)
    {
        Set(CublasLtLayoutAttribute.BatchCount, count);
        Set(CublasLtLayoutAttribute.BatchStride, stride);
    }

    void Set<T>(CublasLtLayoutAttribute attribute, T value) where T : unmanaged =>
        CublasLt.Check(CublasLt.LayoutSetAttribute(this, attribute, &value, (nuint)sizeof(T)), $"cublasLtMatrixLayoutSetAttribute({attribute}, {value})");

    protected override int Destroy(nint handle) => CublasLt.LayoutDestroy(handle);
}

/// <summary>What an algorithm may use.</summary>
sealed unsafe class CublasLtPreference : CudaHandle
{
    CublasLtPreference(CudaContext context, nint handle) : base(context, handle) { }

    public static CublasLtPreference Create(CudaContext context, long workspaceBytes)
    {
        CublasLt.Check(CublasLt.PreferenceCreate(out nint handle), $"cublasLtMatmulPreferenceCreate()");
        var preference = new CublasLtPreference(context, handle);
        preference.Set(CublasLtPreferenceAttribute.WorkspaceBytes, (nuint)workspaceBytes);
        return preference;
    }

    /// <summary>What all matrices' addresses are a multiple of; 256 unless told.</summary>
    public void Align(uint bytes)
    {
        Set(CublasLtPreferenceAttribute.AlignmentA, bytes);
        Set(CublasLtPreferenceAttribute.AlignmentB, bytes);
        Set(CublasLtPreferenceAttribute.AlignmentC, bytes);
        Set(CublasLtPreferenceAttribute.AlignmentD, bytes);
    }

    void Set<T>(CublasLtPreferenceAttribute attribute, T value) where T : unmanaged =>
        CublasLt.Check(
            CublasLt.PreferenceSetAttribute(this, attribute, &value, (nuint)sizeof(T)), $"cublasLtMatmulPreferenceSetAttribute({attribute}, {value})");

    protected override int Destroy(nint handle) => CublasLt.PreferenceDestroy(handle);
}
