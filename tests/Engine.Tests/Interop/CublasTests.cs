using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Interop;

[Collection(FakeCudaTests.Name)]
public unsafe class CublasTests(FakeCudaFixture fake)
{
    [Fact]
    public void Products_PassTheirArgumentsInOrder()
    {
        using CublasHandle handle = CublasHandle.Create(fake.Context);
        string[] calls = fake.Calls(() =>
        {
            (float alpha, float beta) = (1, 0.5f);
            Cublas.Check(
                Cublas.Gemm(
                    handle, CublasOperation.Transpose, CublasOperation.None, 1, 2, 3, &alpha, 0xA0, CudaDataType.BFloat16, 4, 0xB0, CudaDataType.Float16, 5,
                    &beta, 0xC0, CudaDataType.Float32, 6, CublasCompute.FastTensorFloat32, CublasAlgorithm.Default), $"cublasGemmEx()");
            Cublas.Check(
                Cublas.GemmStridedBatched(
                    handle, CublasOperation.None, CublasOperation.Transpose, 1, 2, 3, &alpha, 0xA0, CudaDataType.BFloat16, 4, 40, 0xB0, CudaDataType.BFloat16, 5, 50,
                    &beta, 0xC0, CudaDataType.BFloat16, 6, 1L << 33, 7, CublasCompute.Float32, CublasAlgorithm.Default), $"cublasGemmStridedBatchedEx()");
        });
        Assert.Equal(
            [
                "cublasGemmEx(1 0, 1 2 3, 1 0xa0 14 4, 0xb0 2 5, 0.5 0xc0 0 6, 77 -1)",
                "cublasGemmStridedBatchedEx(0 1, 1 2 3, 1 0xa0 14 4 40, 0xb0 14 5 50, 0.5 0xc0 14 6 8589934592, 7, 68 -1)",
            ],
            calls);
    }

    [Fact]
    public void Handle_TakesStreamWorkspaceAndMath()
    {
        using CudaStream stream = CudaStream.Create(fake.Context);
        string[] calls = fake.Calls(() =>
        {
            using CublasHandle handle = CublasHandle.Create(fake.Context);
            handle.Use(stream, 0xF00, 123);
            handle.Use(CublasMath.TensorFloat32);
        });
        Assert.Equal(["cublasCreate_v2", "cublasSetStream_v2", "cublasSetWorkspace_v2", "cublasSetMathMode", "cublasDestroy_v2"], calls.Select(call => call.Split('(')[0]));
        Assert.EndsWith(", 0xf00, 123)", calls[2], StringComparison.Ordinal);
        Assert.EndsWith(", 3)", calls[3], StringComparison.Ordinal);
    }

    [Fact]
    public void Check_Failure_CarriesCallNameAndDescription() => Assert.Equal(
        "cublasCreate_v2() failed: CUBLAS_STATUS_ALLOC_FAILED (3), the resource allocation failed.",
        fake.Failure("cublasCreate_v2", 3, () => CublasHandle.Create(fake.Context)));

    [Fact]
    public void Lt_ProductWithBias_PassesDescriptorsHeuristicAndWorkspace()
    {
        using CudaStream stream = CudaStream.Create(fake.Context);
        string[] calls = fake.Calls(() =>
        {
            (float alpha, float beta) = (1, 0.5f);
            using CublasLtHandle handle = CublasLtHandle.Create(fake.Context);
            using CublasLtProduct product = CublasLtProduct.Create(fake.Context, CublasCompute.Float32);
            product.Set(CublasLtProductAttribute.Epilogue, CublasLtEpilogue.Bias);
            product.Set(CublasLtProductAttribute.BiasPointer, 0xB1A5UL);
            using CublasLtLayout a = CublasLtLayout.Create(fake.Context, CudaDataType.BFloat16, 2, 3, 4), b = CublasLtLayout.Create(fake.Context, CudaDataType.Float32, 5, 6, 7);
            a.Repeat(8, 9);
            using CublasLtPreference preference = CublasLtPreference.Create(fake.Context, 32 << 20);
            CublasLtHeuristic* results = stackalloc CublasLtHeuristic[3];
            CublasLt.Check(CublasLt.GetHeuristic(handle, product, a, b, a, b, preference, 3, results, out int found), $"cublasLtMatmulAlgoGetHeuristic()");
            Assert.Equal((3, (nuint)12288, 2.5f), (found, results[2].WorkspaceBytes, results[2].Waves));
            CublasLt.Check(
                CublasLt.Multiply(handle, product, &alpha, 0xA0, a, 0xB0, b, &beta, 0xC0, a, 0xD0, b, &results[2].Algorithm, 0xE0, 4096, stream), $"cublasLtMatmul()");
        });
        Assert.Equal(
            [
                "cublasLtCreate()", "cublasLtMatmulDescCreate(68, 0)", "cublasLtMatmulDescSetAttribute(7, 4, 4)", "cublasLtMatmulDescSetAttribute(8, 45477, 8)",
                "cublasLtMatrixLayoutCreate(14, 2, 3, 4)", "cublasLtMatrixLayoutCreate(0, 5, 6, 7)", "cublasLtMatrixLayoutSetAttribute(5, 8, 4)",
                "cublasLtMatrixLayoutSetAttribute(6, 9, 8)", "cublasLtMatmulPreferenceCreate()", "cublasLtMatmulPreferenceSetAttribute(1, 33554432, 8)",
                "cublasLtMatmulAlgoGetHeuristic(3)",
                $"cublasLtMatmul(1 0xa0, 0xb0, 0.5 0xc0, 0xd0, abcd, 0xe0 4096, 0x{stream.DangerousGetHandle():x})",
            ],
            calls[..12]);
        Assert.Equal(
            ["cublasLtMatmulPreferenceDestroy", "cublasLtMatrixLayoutDestroy", "cublasLtMatrixLayoutDestroy", "cublasLtMatmulDescDestroy", "cublasLtDestroy"],
            calls[12..].Select(call => call.Split('(')[0]));
    }

    [Fact]
    public void Lt_Failure_CarriesCallNameAndDescription() => Assert.Equal(
        "cublasLtMatrixLayoutCreate(Float32, 1, 2, 3) failed: CUBLAS_STATUS_FAKE (7), fake status.",
        fake.Failure("cublasLtMatrixLayoutCreate", 7, () => CublasLtLayout.Create(fake.Context, CudaDataType.Float32, 1, 2, 3)));
}
