using System.Text.RegularExpressions;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Interop;

/// <summary>What the runtime asks of NVIDIA's libraries, without a device.</summary>
[Collection(FakeCudaTests.Name)]
public sealed partial class CudaRuntimeTests(FakeCudaFixture fake)
{
    static readonly MapConvolution Convolution = new(Batch: 2, Height: 5, Width: 7, Inputs: 8, Outputs: 12, Kernel: 3)
    {
        Input = new(0xA1, 8),
        Filter = 0xB1,
        Output = new(0xC1, 16),
        Workspace = 0xE1,
    };

    [Fact]
    public void Convolve_ForwardInFloat32_TakesTheFirstDeterministicAlgorithmThatFits()
    {
        using CudaRuntime runtime = Open();
        Assert.Contains(", cuDNN 9.1.2", runtime.Description, StringComparison.Ordinal);
        string[] calls = fake.Calls(() =>
        {
            Assert.Equal(106, runtime.Prepare(Convolution));
            runtime.Convolve(Convolution);
            Assert.Equal(106, runtime.Prepare(Convolution with { Input = new(0xF1, 8) }));
        });
        Assert.Equal(
            [
                "cudnnCreateTensorDescriptor()", "cudnnSetTensor4dDescriptorEx(0, 2 8 5 7, 280 1 56 8)", "cudnnCreateFilterDescriptor()",
                "cudnnSetFilter4dDescriptor(0, 1, 12 8 3 3)", "cudnnCreateTensorDescriptor()", "cudnnSetTensor4dDescriptorEx(0, 2 12 5 7, 560 1 112 16)",
                "cudnnCreateConvolutionDescriptor()", "cudnnSetConvolution2dDescriptor(1 1, 1 1, 1 1, 1, 0)", "cudnnSetConvolutionMathType(3)",
                "cudnnSetConvolutionGroupCount(1)", "cudnnGetConvolutionForwardAlgorithm_v7(H, H, H, H, H)", "cudnnSetConvolutionMathType(3)", "cudnnSetConvolutionMathType(3)",
                "cudnnConvolutionForward(H, 1, H 0xa1, H 0xb1, H, 6, 0xe1 106, 0, H 0xc1)",
            ],
            calls.Select(WithoutHandles));
    }

    [Fact]
    public void Convolve_WeightGradient_OverwritesTheFilter()
    {
        using CudaRuntime runtime = Open();
        MapConvolution gradient = Convolution with { IsWeightGradient = true };
        string[] calls = fake.Calls(() =>
        {
            Assert.Equal(306, runtime.Prepare(gradient));
            runtime.Convolve(gradient);
        });
        Assert.Equal("cudnnGetConvolutionBackwardFilterAlgorithm_v7(H, H, H, H, H)", WithoutHandles(calls[^4]));
        Assert.Equal("cudnnConvolutionBackwardFilter(H, 1, H 0xa1, H 0xc1, H, 6, 0xe1 306, 0, H 0xb1)", WithoutHandles(calls[^1]));
    }

    /// <summary>Its algorithm goes with its arithmetic; fp16's range is nobody's wish.</summary>
    [Theory]
    [InlineData("TensorFloat32")]
    [InlineData("BFloat16")]
    [InlineData("Float16")]
    public void Convolve_RoundedOperands_AllowsTensorFloat32Only(string precision)
    {
        using CudaRuntime runtime = Open();
        MapConvolution rounded = Convolution with { Precision = Enum.Parse<CudaPrecision>(precision) };
        string[] calls = fake.Calls(() =>
        {
            runtime.Prepare(rounded);
            runtime.Convolve(rounded);
        });
        Assert.Equal(["cudnnSetConvolutionMathType(0)", "cudnnSetConvolutionMathType(0)"], calls.Where(call => call.Contains("Math", StringComparison.Ordinal)));
        Assert.Contains(", 5, 0xe1 105, ", calls[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_NoAlgorithm_SaysSoAndKeepsNothing()
    {
        using CudaRuntime runtime = Open();
        fake.WithFailure("cudnnGetConvolutionForwardAlgorithm_v7", 3000, () => Assert.Null(runtime.Prepare(Convolution)));
        Assert.Empty(fake.Calls(() => Assert.Null(runtime.Prepare(Convolution))));
    }

    [Fact]
    public void Open_CudnnThatDoesNotStart_WorksWithoutIt()
    {
        _ = fake.Context;
        fake.WithFailure("cudnnCreate", 1001, () =>
        {
            using CudaRuntime runtime = CudaRuntime.Open(0);
            Assert.EndsWith(", without cuDNN", runtime.Description, StringComparison.Ordinal);
            Assert.Null(runtime.Prepare(Convolution));
        });
    }

    [Fact]
    public void Copies_LargerThanABuffer_GoInPiecesThatWaitForTheirBuffer()
    {
        using CudaRuntime runtime = Open();
        var source = new byte[2 * PinnedStaging.BufferBytes + 5];
        new Random(1).NextBytes(source);
        byte[] back = new byte[source.Length];
        using CudaBlock block = runtime.Allocate(source.Length);
        string[] calls = fake.Calls(() =>
        {
            runtime.CopyToDevice(block.Address, source);
            runtime.CopyToHost(back, block.Address);
        });
        Assert.Equal(source, back);
        Assert.Equal(
            [
                "Synchronize 0", "HtoD 8388608", "Record 0", "Synchronize 1", "HtoD 8388608", "Record 1", "Synchronize 0", "HtoD 5", "Record 0",
                "DtoH 8388608", "Record 1", "DtoH 8388608", "Record 0", "Synchronize 1", "DtoH 5", "Record 1", "Synchronize 0", "Synchronize 1",
            ],
            Copies(calls));
    }

    [Fact]
    public void Copies_NothingCanBePinned_AreThoseOfTheDriver()
    {
        _ = fake.Context;
        fake.WithFailure("cuMemHostAlloc", CudaError.OutOfMemory, () =>
        {
            using CudaRuntime runtime = CudaRuntime.Open(0);
            using CudaBlock block = runtime.Allocate(3);
            var back = new byte[3];
            string[] calls = fake.Calls(() =>
            {
                runtime.CopyToDevice(block.Address, [1, 2, 3]);
                runtime.CopyToHost(back, block.Address);
            });
            Assert.Equal([1, 2, 3], back);
            Assert.Equal(["cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2", "cuStreamSynchronize"], calls.Select(call => call.Split('(')[0]));
        });
    }

    /// <summary>Work waits for the copies it uses, later copies for the work that used what they overwrite.</summary>
    [Fact]
    public void CopiesAhead_AreOrderedByEventsOfTheirStreams()
    {
        using CudaRuntime runtime = Open();
        using CudaBlock block = runtime.Allocate(3);
        Assert.Single(fake.Calls(() => runtime.UseCopies(() => runtime.CopyToDevice(block.Address, [1]))), IsHtoD);
        string[] calls = fake.Calls(() =>
        {
            runtime.CopyAhead(block.Address, [1, 2, 3]);
            runtime.UseCopies(() => runtime.CopyToDevice(block.Address, [4]));
            runtime.CopyAhead(block.Address, [5, 6, 7]);
        });
        string[] ordered = [.. calls.Where(call => IsHtoD(call) || call.StartsWith("cuStreamWaitEvent", StringComparison.Ordinal) || call.StartsWith("cuEventRecord", StringComparison.Ordinal))];
        string ahead = Stream(ordered.First(IsHtoD)), work = Stream(ordered.Where(IsHtoD).ElementAt(1));
        Assert.NotEqual(ahead, work);
        Assert.Equal(
            [
                "record work", "wait ahead", "copy ahead", "record ahead", "record ahead", "wait work", "copy work", "record work", "record work", "wait ahead",
                "copy ahead", "record ahead",
            ],
            ordered.Select(call => $"{(IsHtoD(call) ? "copy" : call.StartsWith("cuEventRecord", StringComparison.Ordinal) ? "record" : "wait")} {(Stream(call) == ahead ? "ahead" : "work")}"));
        Assert.Equal(Event(ordered[0]), Event(ordered[1]));
        Assert.Equal(Event(ordered[4]), Event(ordered[5]));
        Assert.Equal(Event(ordered[8]), Event(ordered[9]));

        static bool IsHtoD(string call) => call.StartsWith("cuMemcpyHtoD", StringComparison.Ordinal);
        static string Stream(string call) => call.StartsWith("cuStreamWaitEvent", StringComparison.Ordinal) ? Words(call)[0] : Words(call)[1];
        static string Event(string call) => call.StartsWith("cuStreamWaitEvent", StringComparison.Ordinal) ? Words(call)[1] : Words(call)[0];
        static string[] Words(string call) => call.Split('(', ')')[1].Split(", ");
    }

    /// <summary>Nothing is lost: float32 is closer than what was asked for.</summary>
    [Fact]
    public void Multiply_NoWayOnTensorCores_IsComputedInFloat32()
    {
        using CudaRuntime runtime = Open();
        var product = new MatrixProduct(2, 3, 4)
        {
            Left = new(0xA0, 4),
            Right = new(0xB0, 3),
            Result = new(0xC0, 3),
            Bias = 0xD4,
            Precision = CudaPrecision.BFloat16,
        };
        string[] calls = [.. fake.Calls(() => runtime.Multiply(product)).Where(call => !call.Contains("Layout", StringComparison.Ordinal))];
        Assert.Equal(["cublasLtMatmulDescCreate(75, 0)", "cublasLtMatmulDescCreate(68, 0)"], Of("cublasLtMatmulDescCreate"));
        Assert.Single(Of("cublasLtMatmulDescDestroy"));
        Assert.Equal(3, Of("cublasLtMatmulDescSetAttribute(8, 212, 8)").Count());   // the bias: for both choices, and for the product
        Assert.StartsWith("cublasLtMatmul(1 0xb0, 0xa0, 0 0xc0, 0xc0, ", calls[^1], StringComparison.Ordinal);

        IEnumerable<string> Of(string begin) => calls.Where(call => call.StartsWith(begin, StringComparison.Ordinal));
    }

    [Fact]
    public void Dispose_DeviceFailed_FreesAllEvenSo()
    {
        CudaRuntime runtime = Open();
        string[] calls = fake.WithFailure("cuCtxSynchronize", CudaError.IllegalAddress, runtime.Dispose);
        Assert.Equal(2, calls.Count(call => call.StartsWith("cuMemFreeHost", StringComparison.Ordinal)));
        Assert.Contains(calls, call => call.StartsWith("cublasLtDestroy", StringComparison.Ordinal));
    }

    [Fact]
    public void Dispose_Opened_FreesAllItMade()
    {
        string[] calls = fake.Calls(() =>
        {
            CudaRuntime runtime = Open();
            runtime.Prepare(Convolution);
            runtime.CopyToDevice(0, []);
            runtime.Dispose();
        });
        foreach ((string made, string freed) in new[]
        {
            ("cuMemHostAlloc", "cuMemFreeHost"), ("cuMemAlloc_v2", "cuMemFree_v2"), ("cuEventCreate", "cuEventDestroy_v2"), ("cudnnCreate", "cudnnDestroy"),
            ("cudnnCreateTensorDescriptor", "cudnnDestroyTensorDescriptor"), ("cuStreamCreateWithPriority", "cuStreamDestroy_v2"),
        })
        {
            Assert.NotEqual(0, Count(made));
            Assert.Equal(Count(made), Count(freed));
        }

        int Count(string name) => calls.Count(call => call.StartsWith($"{name}(", StringComparison.Ordinal));
    }

    CudaRuntime Open()
    {
        _ = fake.Context;
        return CudaRuntime.Open(0);
    }

    /// <summary>Each as what it does and the bytes, or the event by the order of first use.</summary>
    static IEnumerable<string> Copies(string[] calls)
    {
        var events = new List<string>();
        foreach (string call in calls)
        {
            Match match = Transfer().Match(call);
            if (!match.Success) continue;
            string argument = match.Groups[2].Value;
            if (argument.StartsWith("0x", StringComparison.Ordinal))
            {
                if (!events.Contains(argument)) events.Add(argument);
                argument = $"{events.IndexOf(argument)}";
            }
            yield return $"{match.Groups[1].Value} {argument}";
        }
    }

    /// <summary>Those of the stand-in are multiples of 16, unlike the addresses of these tests.</summary>
    static string WithoutHandles(string call) => Handle().Replace(call, "H");

    [GeneratedRegex("^cu(?:Memcpy|Event)(HtoD|DtoH|Synchronize|Record)(?:Async_v2)?\\(([^,)]+)")]
    private static partial Regex Transfer();

    [GeneratedRegex("0x[0-9a-f]*0\\b")]
    private static partial Regex Handle();
}
