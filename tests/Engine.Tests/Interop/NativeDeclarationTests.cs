using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Interop;

/// <summary>What the headers fix and no compiler here sees.</summary>
public class NativeDeclarationTests
{
    /// <summary>Exported under a second version; the headers' macros hide it. The unversioned names take 32-bit addresses or mean something else.</summary>
    static readonly string[] SecondVersions =
    [
        "cuMemAlloc", "cuMemFree", "cuMemGetInfo", "cuMemHostRegister", "cuMemcpyHtoDAsync", "cuMemcpyDtoHAsync", "cuMemcpyDtoDAsync", "cuStreamDestroy",
        "cuEventDestroy", "cuDevicePrimaryCtxRelease", "cuDeviceTotalMem", "cuStreamBeginCapture", "cublasCreate", "cublasDestroy", "cublasSetStream",
        "cublasSetWorkspace",
    ];

    /// <summary>Their signatures changed with CUDA 12 or 13.</summary>
    static readonly string[] Avoided = ["cuCtxCreate", "cuMemAdvise", "cuMemPrefetchAsync", "cuGraphExecUpdate", "cuGraphInstantiate"];

    static readonly string[] EntryPoints =
    [
        .. typeof(CudaDriver).Assembly.GetTypes().Where(type => type.Namespace == typeof(CudaDriver).Namespace)
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Select(method => method.GetCustomAttribute<DllImportAttribute>()).OfType<DllImportAttribute>()
            .Where(import => Enum.TryParse<CudaLibrary>(import.Value, out _)).Select(import => import.EntryPoint!),
    ];

    [Fact]
    public void EntryPoints_AreTheExportedNames_EachOnce()
    {
        Assert.Equal(EntryPoints.Distinct(), EntryPoints);
        Assert.InRange(EntryPoints.Length, 90, 120);
        foreach (string name in SecondVersions)
        {
            Assert.Contains($"{name}_v2", EntryPoints);
            Assert.DoesNotContain(name, EntryPoints);
        }
        Assert.DoesNotContain(EntryPoints, name => Avoided.Any(avoided => name == avoided || name.StartsWith($"{avoided}_v", StringComparison.Ordinal)));
    }

    [Fact]
    public void Structures_HaveTheSizesOfTheHeaders() =>
        Assert.Equal((64, 96, 48), (Unsafe.SizeOf<CublasLtAlgorithm>(), Unsafe.SizeOf<CublasLtHeuristic>(), Unsafe.SizeOf<CudnnPerformance>()));

    [Theory]
    [InlineData(CublasLtProductAttribute.TransposeA, 3)]
    [InlineData(CublasLtProductAttribute.TransposeB, 4)]
    [InlineData(CublasLtProductAttribute.Epilogue, 7)]
    [InlineData(CublasLtProductAttribute.BiasPointer, 8)]
    [InlineData(CublasLtProductAttribute.AuxiliaryPointer, 11)]
    [InlineData(CublasLtProductAttribute.AuxiliaryStride, 12)]
    [InlineData(CublasLtProductAttribute.BiasType, 26)]
    [InlineData(CublasLtPreferenceAttribute.WorkspaceBytes, 1)]
    [InlineData(CublasLtLayoutAttribute.BatchCount, 5)]
    [InlineData(CublasLtLayoutAttribute.BatchStride, 6)]
    [InlineData(CublasCompute.Float32, 68)]
    [InlineData(CublasCompute.FastTensorFloat32, 77)]
    [InlineData(CublasLtEpilogue.Bias, 4)]
    [InlineData(CublasLtEpilogue.GeluBias, 36)]
    [InlineData(CublasLtEpilogue.GeluAuxiliaryBias, 164)]
    [InlineData(CublasLtEpilogue.GeluGradientBiasGradient, 208)]
    [InlineData(CublasLtEpilogue.BiasGradientB, 512)]
    [InlineData(CudaDataType.Float32, 0)]
    [InlineData(CudaDataType.Float16, 2)]
    [InlineData(CudaDataType.BFloat16, 14)]
    [InlineData(CudnnDataType.BFloat16, 9)]
    [InlineData(CudnnFormat.ChannelsLast, 1)]
    [InlineData(CudnnConvolutionMode.CrossCorrelation, 1)]
    [InlineData(CudnnMath.MultiplyAdd, 3)]
    [InlineData(CudaDeviceAttribute.ComputeCapabilityMajor, 75)]
    [InlineData(CudaDeviceAttribute.MaxSharedBytesPerBlock, 97)]
    [InlineData(CudaFunctionAttribute.Registers, 4)]
    [InlineData(CudaFunctionAttribute.LocalBytes, 3)]
    [InlineData(CudaFunctionAttribute.MaxDynamicSharedBytes, 8)]
    [InlineData(CudaCompileOption.ErrorLog, 5)]
    public void Values_AreThoseOfTheHeaders(Enum value, int expected) => Assert.Equal(expected, Convert.ToInt32(value));
}
