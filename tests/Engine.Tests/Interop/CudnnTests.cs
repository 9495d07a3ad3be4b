using System.Runtime.InteropServices;
using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Interop;

[Collection(FakeCudaTests.Name)]
public unsafe class CudnnTests(FakeCudaFixture fake)
{
    [Fact]
    public void Descriptors_LieChannelsLast()
    {
        string[] calls = fake.Calls(() =>
        {
            using CudnnTensor tensor = CudnnTensor.Create(fake.Context, CudnnDataType.BFloat16, 2, 9, 11, 16, pitch: 20);
            using CudnnFilter filter = CudnnFilter.Create(fake.Context, CudnnDataType.BFloat16, 24, 3, 5, 16);
            using CudnnConvolution convolution = CudnnConvolution.Create(fake.Context, padding: 1, stride: 2, CudnnMath.MultiplyAdd, groups: 4);
        });
        Assert.Equal(
            [
                "cudnnCreateTensorDescriptor()", "cudnnSetTensor4dDescriptorEx(9, 2 16 9 11, 1980 1 220 20)",
                "cudnnCreateFilterDescriptor()", "cudnnSetFilter4dDescriptor(9, 1, 24 16 3 5)",
                "cudnnCreateConvolutionDescriptor()", "cudnnSetConvolution2dDescriptor(1 1, 2 2, 1 1, 1, 0)", "cudnnSetConvolutionMathType(3)", "cudnnSetConvolutionGroupCount(4)",
            ],
            calls[..8]);
        Assert.Equal(["cudnnDestroyConvolutionDescriptor", "cudnnDestroyFilterDescriptor", "cudnnDestroyTensorDescriptor"], calls[8..].Select(call => call.Split('(')[0]));
    }

    [Fact]
    public void Convolutions_AllThreeDirections_PassTheirArgumentsInOrder()
    {
        using CudaStream stream = CudaStream.Create(fake.Context);
        using CudnnHandle handle = CudnnHandle.Create(fake.Context);
        using CudnnTensor x = CudnnTensor.Create(fake.Context, CudnnDataType.Float32, 1, 2, 3, 4, 4), y = CudnnTensor.Create(fake.Context, CudnnDataType.Float32, 1, 2, 3, 5, 5);
        using CudnnFilter w = CudnnFilter.Create(fake.Context, CudnnDataType.Float32, 5, 3, 3, 4);
        using CudnnConvolution convolution = CudnnConvolution.Create(fake.Context, 1, 1, CudnnMath.MultiplyAdd);
        string[] calls = fake.Calls(() =>
        {
            (float alpha, float beta) = (1, 0.5f);
            handle.Use(stream);
            CudnnPerformance* found = stackalloc CudnnPerformance[2];
            Cudnn.Check(Cudnn.ForwardAlgorithms(handle, x, w, convolution, y, 2, out int count, found), $"forward");
            Assert.Equal((2, 2, (nuint)(1 << 30), 1, CudnnMath.MultiplyAdd), (count, found[1].Algorithm, found[1].WorkspaceBytes, found[1].Deterministic, found[1].Math));
            Cudnn.Check(Cudnn.BackwardDataAlgorithms(handle, w, y, convolution, x, 2, out _, found), $"data");
            Cudnn.Check(Cudnn.BackwardFilterAlgorithms(handle, x, y, convolution, w, 2, out _, found), $"filter");
            Cudnn.Check(Cudnn.ForwardWorkspace(handle, x, w, convolution, y, 1, out nuint forward), $"forward");
            Cudnn.Check(Cudnn.BackwardDataWorkspace(handle, w, y, convolution, x, 1, out nuint data), $"data");
            Cudnn.Check(Cudnn.BackwardFilterWorkspace(handle, x, y, convolution, w, 1, out nuint filter), $"filter");
            Assert.Equal((101, 201, 301), ((int)forward, (int)data, (int)filter));
            Cudnn.Check(Cudnn.Forward(handle, &alpha, x, 0xA0, w, 0xB0, convolution, 1, 0xE0, forward, &beta, y, 0xC0), $"forward");
            Cudnn.Check(Cudnn.BackwardData(handle, &alpha, w, 0xB0, y, 0xC0, convolution, 2, 0xE0, data, &beta, x, 0xA0), $"data");
            Cudnn.Check(Cudnn.BackwardFilter(handle, &alpha, x, 0xA0, y, 0xC0, convolution, 3, 0xE0, filter, &beta, w, 0xB0), $"filter");
        });
        (string h, string tx, string ty, string fw, string c) = (Hex(handle), Hex(x), Hex(y), Hex(w), Hex(convolution));
        Assert.Equal(
            [
                $"cudnnSetStream({h}, {Hex(stream)})",
                $"cudnnGetConvolutionForwardAlgorithm_v7({h}, {tx}, {fw}, {c}, {ty})",
                $"cudnnGetConvolutionBackwardDataAlgorithm_v7({h}, {fw}, {ty}, {c}, {tx})",
                $"cudnnGetConvolutionBackwardFilterAlgorithm_v7({h}, {tx}, {ty}, {c}, {fw})",
                $"cudnnConvolutionForward({h}, 1, {tx} 0xa0, {fw} 0xb0, {c}, 1, 0xe0 101, 0.5, {ty} 0xc0)",
                $"cudnnConvolutionBackwardData({h}, 1, {fw} 0xb0, {ty} 0xc0, {c}, 2, 0xe0 201, 0.5, {tx} 0xa0)",
                $"cudnnConvolutionBackwardFilter({h}, 1, {tx} 0xa0, {ty} 0xc0, {c}, 3, 0xe0 301, 0.5, {fw} 0xb0)",
            ],
            calls);
    }

    [Fact]
    public void Check_Failure_CarriesCallErrorAndItsOwnWords() => Assert.Equal(
        "cudnnCreate() failed: CUDNN_STATUS_NOT_SUPPORTED (3000), no engine for this shape.",
        fake.Failure("cudnnCreate", 3000, () => CudnnHandle.Create(fake.Context)));

    static string Hex(SafeHandle handle) => $"0x{handle.DangerousGetHandle():x}";
}
