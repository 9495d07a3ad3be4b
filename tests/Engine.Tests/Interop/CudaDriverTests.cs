using System.Runtime.InteropServices;
using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Interop;

[Collection(FakeCudaTests.Name)]
public unsafe class CudaDriverTests(FakeCudaFixture fake)
{
    [Fact]
    public void Devices_AreReadFromTheDriver()
    {
        _ = fake.Context;
        IReadOnlyList<CudaDevice> devices = CudaDevice.All();
        Assert.Equal(new CudaDevice(0, "Fake 3000", new Version(9, 0), 80_000_000_000, 132, 50 << 20, 232_448), devices[0]);
        Assert.Equal("Fake 3000, compute capability 9.0, 80.0 GB, 132 multiprocessors", $"{devices[0]}");
        Assert.Equal(new Version(7, 5), devices[1].ComputeCapability);
    }

    [Fact]
    public void Libraries_SayFileAndVersion()
    {
        _ = fake.Context;
        Assert.Equal(new Version(13, 1), CudaLibraries.Shared[CudaLibrary.Driver].Version);
        Assert.Equal(new Version(13, 1, 2), CudaLibraries.Shared[CudaLibrary.CublasLt].Version);
        Assert.Equal(new Version(13, 1, 2), CudaLibraries.Shared[CudaLibrary.Cublas].Version);
        Assert.Equal(new Version(13, 1), CudaLibraries.Shared[CudaLibrary.Nvrtc].Version);
        Assert.Equal(new Version(9, 1, 2), CudaLibraries.Shared[CudaLibrary.Cudnn].Version);
        Assert.Equal(Path.Combine(FakeCuda.Folder, "libcudnn.so.9"), CudaLibraries.Shared[CudaLibrary.Cudnn].File);
    }

    [Fact]
    public void Open_WrongDevices_AreRefusedInOneSentence()
    {
        _ = fake.Context;
        Assert.Equal("There is no device cuda:5: there are 2, numbered from 0.", Assert.Throws<DeviceException>(() => CudaContext.Open(5)).Message);
        Assert.Equal(
            "The device cuda:1 (Fake 700) has compute capability 7.5, but the kernels need 8.0: use the device cpu.",
            Assert.Throws<DeviceException>(() => CudaContext.Open(1)).Message);
    }

    [Fact]
    public void Context_LivesUntilTheLastThingInItIsGone()
    {
        var context = CudaContext.Open(0);
        CudaEvent left = CudaEvent.Create(context, timed: false);
        Assert.Empty(fake.Calls(context.Dispose));
        string[] calls = fake.Calls(left.Dispose);
        Assert.StartsWith("cuEventDestroy_v2(", calls[0], StringComparison.Ordinal);
        Assert.Equal("cuDevicePrimaryCtxRelease_v2(70)", calls[1]);
        Assert.Throws<ObjectDisposedException>(() => CudaEvent.Create(context, timed: false).Dispose());
    }

    [Fact]
    public void Memory_GoesToTheDeviceAndBack()
    {
        using CudaStream stream = CudaStream.Create(fake.Context);
        string[] calls = fake.Calls(() =>
        {
            using CudaMemory from = CudaMemory.Allocate(fake.Context, 24), to = CudaMemory.Allocate(fake.Context, 24);
            var result = new float[6];
            stream.CopyToDevice(from.Address, MemoryMarshal.AsBytes<float>([1, 2, 3, 4, 5, 6]));
            stream.Fill(from.Address + 4, -1f, 1);
            stream.Fill(from.Address + 8, (byte)0, 4);
            stream.CopyOnDevice(to.Address, from.Address, 20);
            stream.Fill(to.Address + 20, 9f, 1);
            stream.CopyToHost(MemoryMarshal.AsBytes(result.AsSpan()), to.Address);
            stream.Synchronize();
            Assert.Equal([1, -1, 0, 4, 5, 9], result);
        });
        Assert.Equal(["cuMemAlloc_v2(24)", "cuMemFree_v2(address)"], [calls[0], calls[^1]]);
        Assert.Contains(calls, call => call.StartsWith("cuMemsetD32Async(bf800000, 1, ", StringComparison.Ordinal));
        CudaMemory gone = CudaMemory.Allocate(fake.Context, 1);
        gone.Dispose();
        Assert.Throws<ObjectDisposedException>(() => gone.Address);
        Assert.Equal((7, 9), fake.Context.Memory());
    }

    [Fact]
    public void PinnedMemory_IsAllocatedAndRegisteredForEveryContext()
    {
        byte[] own = [1];
        string[] calls = fake.Calls(() =>
        {
            using PinnedMemory pinned = PinnedMemory.Allocate(fake.Context, 16);
            pinned.Span[15] = 3;
            Assert.Equal(16, pinned.Span.Length);
            fixed (byte* mine = own) using (PinnedRegion.Register(fake.Context, mine, 1)) { }
        });
        Assert.Equal(
            ["cuMemHostAlloc(16, 1)", "cuMemHostRegister_v2(address, 1, 1)", "cuMemHostUnregister(address)", "cuMemFreeHost(address)"], calls);
    }

    [Fact]
    public void Launch_PassesSizesAndArguments()
    {
        using CudaStream stream = CudaStream.Create(fake.Context);
        using CudaModule module = CudaModule.Load(fake.Context, "fine"u8);
        CudaFunction function = module.Function("twice");
        Assert.Equal((1004, 1003, 1001, 1000), (function.Registers, function.LocalBytes, function.SharedBytes, function.MaxThreadsPerBlock));
        Assert.Equal(8, function.BlocksPerMultiprocessor(128, 64));
        string[] calls = fake.Calls(() =>
        {
            function.AllowSharedBytes(99_000);
            stream.Launch(function, new(2, 3, 4), new(5, 6, 7), 99_000, [0xABCDEF0123, BitConverter.SingleToUInt32Bits(2.5f)]);
        });
        Assert.Equal("cuFuncSetAttribute(8, 99000)", calls[0]);
        Assert.Equal($"cuLaunchKernel(2 3 4, 5 6 7, 99000, {Hex(stream)}, abcdef0123 2.5, (nil))", calls[1]);
    }

    [Fact]
    public void Load_PtxThatDoesNotCompile_GivesTheCompilersWords()
    {
        string message = Assert.Throws<DeviceException>(() => CudaModule.Load(fake.Context, "broken"u8)).Message;
        Assert.Contains("cuModuleLoadDataEx(6 bytes of PTX, whose compiler says \"ptxas: line 1: broken\") failed: CUDA_ERROR_FAKE (218), fake error: ", message, StringComparison.Ordinal);
        using CudaModule module = CudaModule.Load(fake.Context, "fine"u8);
        Assert.StartsWith("cuModuleGetFunction(absent) failed: CUDA_ERROR_FAKE (500), fake error", Assert.Throws<DeviceException>(() => module.Function("absent")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Capture_RecordsAGraphThatRuns()
    {
        using CudaStream stream = CudaStream.Create(fake.Context);
        string[] calls = fake.Calls(() =>
        {
            CudaGraphExecutable executable;
            using (CudaGraph graph = stream.Capture(stream.Synchronize)) executable = graph.Instantiate();
            executable.Upload(stream);
            executable.Launch(stream);
            executable.Dispose();
        });
        Assert.Equal(
            ["cuStreamBeginCapture_v2", "cuStreamSynchronize", "cuStreamEndCapture", "cuGraphInstantiateWithFlags", "cuGraphDestroy", "cuGraphUpload", "cuGraphLaunch", "cuGraphExecDestroy"],
            calls.Select(call => call.Split('(')[0]));
        Assert.Contains(", 2)", calls[0], StringComparison.Ordinal);   // relaxed
    }

    [Fact]
    public void Capture_ActionThrows_EndsTheCapture()
    {
        using CudaStream stream = CudaStream.Create(fake.Context);
        string[] calls = fake.Calls(() => Assert.Throws<NotSupportedException>(() => stream.Capture(() => throw new NotSupportedException())));
        Assert.Equal(["cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphDestroy"], calls.Select(call => call.Split('(')[0]));
    }

    [Fact]
    public void Events_OrderStreamsAndGiveTimes()
    {
        using CudaStream first = CudaStream.Create(fake.Context), second = CudaStream.Create(fake.Context);
        using CudaEvent start = CudaEvent.Create(fake.Context, timed: true), end = CudaEvent.Create(fake.Context, timed: true);
        string[] calls = fake.Calls(() =>
        {
            start.Record(first);
            second.Wait(start);
            end.Record(second);
            end.Synchronize();
            Assert.True(end.IsReached);
            Assert.True(second.IsIdle);
        });
        Assert.Equal(
            [
                $"cuEventRecord({Hex(start)}, {Hex(first)})", $"cuStreamWaitEvent({Hex(second)}, {Hex(start)}, 0)", $"cuEventRecord({Hex(end)}, {Hex(second)})",
                $"cuEventSynchronize({Hex(end)})", $"cuEventQuery({Hex(end)})", $"cuStreamQuery({Hex(second)})",
            ],
            calls);
        Assert.Equal(TimeSpan.FromMilliseconds(0.5), end.Since(start));   // handles are 16 apart, and the stand-in divides by 32
        Assert.Equal("cuEventCreate(2)", fake.Calls(() => CudaEvent.Create(fake.Context, timed: false).Dispose())[0]);
    }

    [Fact]
    public void Query_NotReady_IsNoError()
    {
        using CudaStream stream = CudaStream.Create(fake.Context);
        Assert.StartsWith("cuStreamQuery() failed: ", fake.Failure("cuStreamQuery", 700, () => _ = stream.IsIdle), StringComparison.Ordinal);
        fake.WithFailure("cuStreamQuery", CudaError.NotReady, () => Assert.False(stream.IsIdle));
        using CudaEvent mark = CudaEvent.Create(fake.Context, timed: false);
        fake.WithFailure("cuEventQuery", CudaError.NotReady, () => Assert.False(mark.IsReached));
    }

    [Fact]
    public void Check_Failure_CarriesCallErrorAndAdvice()
    {
        Assert.Equal(
            "cuMemAlloc_v2(4096 bytes) failed: CUDA_ERROR_OUT_OF_MEMORY (2), out of memory: take a smaller batch or working size, or end what else uses the device.",
            fake.Failure("cuMemAlloc_v2", 2, () => CudaMemory.Allocate(fake.Context, 4096)));
        Assert.Equal("cuMemAlloc_v2(1 bytes) failed: an unknown error (12345).", fake.Failure("cuMemAlloc_v2", 12345, () => CudaMemory.Allocate(fake.Context, 1)));
    }

    [Fact]
    public void Check_Success_FormatsNothing()
    {
        var told = new Telltale();
        CudaDriver.Check(0, $"call({told})");
        Assert.False(told.Asked);
        Assert.Throws<DeviceException>(() => CudaDriver.Check(1, $"call({told})"));
        Assert.True(told.Asked);
    }

    static string Hex(SafeHandle handle) => $"0x{handle.DangerousGetHandle():x}";

    sealed class Telltale
    {
        public bool Asked { get; private set; }

        public override string ToString()
        {
            Asked = true;
            return nameof(Telltale);
        }
    }
}
