using ClipSegNative.Interop;
using ClipSegNative.Tests.Kernels.Ptx;
using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.SelfTests;

public class InterpretedDeviceTests
{
    static readonly CudaExtent One = new(1);

    [Fact]
    public void Allocations_AreAligned_AndFarApart()
    {
        using InterpretedDevice device = Device("");
        ulong[] addresses = [.. Enumerable.Range(1, 5).Select(i => device.Allocate(i))];
        Assert.All(addresses, address => Assert.Equal(0ul, address % 256));
        Assert.Equal(5, addresses.Select(address => address >> 32).Distinct().Count());
    }

    [Fact]
    public void LiveAllocations_AreThoseThatWereNotFreed()
    {
        using InterpretedDevice device = Device("");
        ulong first = device.Allocate(10), second = device.Allocate(20);
        device.Free(first);
        Assert.Equal([$"allocation 2 (20 bytes at 0x{second:x})"], device.LiveAllocations);
    }

    [Fact]
    public void Memory_UsedWronglyByTheHost_IsNoticed()
    {
        using InterpretedDevice device = Device("");
        ulong address = device.Allocate(8);
        device.Write<int>(address, [1]);
        int[] two = new int[2];
        Assert.Contains("byte 4 of allocation 1", Assert.Throws<DeviceMemoryException>(() => device.Read<int>(address, two)).Message, StringComparison.Ordinal);
        Assert.Throws<DeviceMemoryException>(() => device.Write<int>(address + 4, [1, 2]));
        Assert.Throws<DeviceMemoryException>(() => device.Write<int>(1234, [1]));
        Assert.Throws<DeviceMemoryException>(() => device.Free(address + 4));
        device.Free(address);
        Assert.Contains("a second time", Assert.Throws<DeviceMemoryException>(() => device.Free(address)).Message, StringComparison.Ordinal);
        Assert.Throws<DeviceMemoryException>(() => device.Write<int>(address, [1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Allocate(0));
    }

    [Fact]
    public void Memory_UsedByAKernelAfterItWasFreed_IsNoticed()
    {
        using InterpretedDevice device = Device("st.global.u32 [%rd0], %r0;");
        ulong address = device.Allocate(8);
        device.Launch("k", One, One, 0, [address]);
        device.Free(address);
        device.Allocate(8);
        Assert.Contains("was freed", Assert.Throws<OutOfBoundsException>(() => device.Launch("k", One, One, 0, [address])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Launch_ThatADeviceWouldRefuse_IsRefused()
    {
        using InterpretedDevice device = Device("", directives: ".maxntid 64", parameters: ".param .u32 n, .param .align 4 .b8 pair[12]");
        ulong output = device.Allocate(4);
        void Refused(string problem, CudaExtent grid, CudaExtent block, ulong[] arguments, string kernel = "k") => Assert.Contains(
            problem, Assert.Throws<LaunchException>(() => device.Launch(kernel, grid, block, 0, arguments)).Message, StringComparison.Ordinal);
        Refused("No module has a kernel other", One, One, [output, 1, 0], "other");
        Refused("at most 64 threads, not for 65", One, new CudaExtent(65), [output, 1, 0]);
        Refused("blocks of 1 x 1 x 65", One, new CudaExtent(1, 1, 65), [output, 1, 0]);
        Refused("blocks of 0 x 1 x 1", One, new CudaExtent(0), [output, 1, 0]);
        Refused("a grid of 1 x 65536 x 1", new CudaExtent(1, 65536), One, [output, 1, 0]);
        Refused("3 parameters, not 2", One, One, [output, 1]);
        Refused("does not fit in the 4 bytes of n", One, One, [output, 1ul << 32, 0]);
        Refused("12 bytes; an argument is one word", One, One, [output, 1, 0]);
    }

    [Fact]
    public void Launch_WithExactThreads_WantsThemAll()
    {
        using InterpretedDevice device = Device("", directives: ".reqntid 64");
        ulong output = device.Allocate(4);
        Assert.Throws<LaunchException>(() => device.Launch("k", One, new CudaExtent(32), 0, [output]));
        device.Launch("k", One, new CudaExtent(64), 0, [output]);
    }

    [Fact]
    public void SharedMemory_BeyondTheDefault_MustBeAllowed()
    {
        using InterpretedDevice device = Device("st.shared.u32 [fixed], %r0; st.shared.u32 [rest], %r0;", ".shared .align 4 .b8 fixed[1024]; .extern .shared .align 4 .b8 rest[];");
        ulong output = device.Allocate(4);
        device.Launch("k", One, One, 47 * 1024, [output]);
        Assert.Contains("AllowSharedBytes", Assert.Throws<LaunchException>(() => device.Launch("k", One, One, 47 * 1024 + 1, [output])).Message, StringComparison.Ordinal);
        device.AllowSharedBytes("k", 98 * 1024);
        device.Launch("k", One, One, 98 * 1024, [output]);
        Assert.Throws<LaunchException>(() => device.Launch("k", One, One, 98 * 1024 + 1, [output]));
        Assert.Throws<LaunchException>(() => device.AllowSharedBytes("k", 98 * 1024 + 1));
    }

    [Fact]
    public void Modules_WithAKernelOfOneName_AreRefused()
    {
        PtxModule module = PtxModule.Parse(Snippet.Text(""));
        Assert.Throws<LaunchException>(() => new InterpretedDevice(module, PtxModule.Parse(Snippet.Text(""))));
    }

    [Fact]
    public void Variables_OfSeveralModules_AreApart_AndOfEachDeviceAnew()
    {
        string first = Snippet.Text("ld.global.u32 %r1, [count]; add.u32 %r1, %r1, 1; st.global.u32 [count], %r1; st.global.u32 [%rd0], %r1;", ".global .u32 count = 10;");
        string second = first.Replace(" k(", " second(", StringComparison.Ordinal).Replace("= 10", "= 20", StringComparison.Ordinal);
        PtxModule[] modules = [PtxModule.Parse(first), PtxModule.Parse(second)];
        uint Launch(InterpretedDevice device, string kernel)
        {
            ulong output = device.Allocate(4);
            device.Launch(kernel, One, One, 0, [output]);
            uint[] result = new uint[1];
            device.Read<uint>(output, result);
            return result[0];
        }
        using InterpretedDevice one = new(modules), other = new(modules);
        uint[] counts = [Launch(one, "k"), Launch(one, "second"), Launch(one, "k"), Launch(other, "k")];
        Assert.Equal([11u, 21, 12, 11], counts);
    }

    [Fact]
    public void Blocks_OfALargeGrid_AllRun()
    {
        uint[] result = Snippet.Run(
            "mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mad.lo.u32 %r3, %r1, %r2, %r0; mad.wide.u32 %rd2, %r3, 4, %rd0; st.global.u32 [%rd2], %r3;",
            threads: 96,
            blocks: 300);
        Assert.Equal(Enumerable.Range(0, 96 * 300).Select(i => (uint)i), result);
    }

    static InterpretedDevice Device(string body, string declarations = "", string parameters = "", string directives = "") =>
        new(PtxModule.Parse(Snippet.Text(body, declarations, parameters, directives)));
}
