using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Kernels.Ptx.Execution;

/// <summary>Where a kernel went wrong.</summary>
/// <param name="Kernel">Its entry.</param>
/// <param name="Block">Its index in the grid.</param>
/// <param name="Thread">Its index in the block.</param>
/// <param name="Line">Of the PTX, from 1.</param>
/// <param name="Text">The instruction.</param>
sealed record FaultSite(string Kernel, CudaExtent Block, CudaExtent Thread, int Line, string Text)
{
    public override string ToString() => $"{Kernel}, block ({Comma(Block)}), thread ({Comma(Thread)}), line {Line}: {Text}";

    static string Comma(CudaExtent extent) => $"{extent.X}, {extent.Y}, {extent.Z}";
}

/// <summary>A kernel did what a kernel must not do.</summary>
abstract class KernelFaultException(FaultSite site, string problem) : Exception($"{problem}: {site}")
{
    public FaultSite Site => site;
}

/// <summary>An access that does not lie in one allocation, or in the block's shared memory; freed memory is in none.</summary>
sealed class OutOfBoundsException(FaultSite site, string problem) : KernelFaultException(site, problem);

/// <summary>An address that is no multiple of what is accessed.</summary>
sealed class MisalignedException(FaultSite site, string problem) : KernelFaultException(site, problem);

/// <summary>A read of memory or of a register that nothing wrote.</summary>
sealed class UninitialisedReadException(FaultSite site, string problem) : KernelFaultException(site, problem);

/// <summary>A write of constants or of a protected allocation.</summary>
sealed class ReadOnlyWriteException(FaultSite site, string problem) : KernelFaultException(site, problem);

/// <summary>Two threads use a place in shared memory, one of them writes, and no barrier lies between.</summary>
sealed class SharedRaceException(FaultSite site, string problem) : KernelFaultException(site, problem);

/// <summary>An access to what an asynchronous copy has not been waited for.</summary>
sealed class PendingCopyException(FaultSite site, string problem) : KernelFaultException(site, problem);

/// <summary>A barrier that not all threads of the block come to, or not the same one.</summary>
sealed class BarrierException(FaultSite site, string problem) : KernelFaultException(site, problem);

/// <summary>An instruction of a whole warp that not all lanes of its mask come to.</summary>
sealed class DivergentWarpException(FaultSite site, string problem) : KernelFaultException(site, problem);

/// <summary>A kernel that does not end.</summary>
sealed class StepLimitException(FaultSite site, string problem) : KernelFaultException(site, problem);

/// <summary>What has no defined result: a division by zero, an operand out of range, a trap.</summary>
sealed class UndefinedResultException(FaultSite site, string problem) : KernelFaultException(site, problem);

/// <summary>A launch that a device would refuse.</summary>
sealed class LaunchException(string problem) : Exception(problem);

/// <summary>The host uses device memory wrongly.</summary>
sealed class DeviceMemoryException(string problem) : Exception(problem);
