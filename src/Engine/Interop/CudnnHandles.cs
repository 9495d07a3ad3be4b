namespace ClipSegNative.Interop;

/// <summary>cuDNN on one stream.</summary>
sealed class CudnnHandle : CudaHandle
{
    CudnnHandle(CudaContext context, nint handle) : base(context, handle) { }

    public static CudnnHandle Create(CudaContext context)
    {
        context.Enter();
        Cudnn.Check(Cudnn.Create(out nint handle), $"cudnnCreate()");
        return new CudnnHandle(context, handle);
    }

    public void Use(CudaStream stream) => Cudnn.Check(Cudnn.SetStream(this, stream), $"cudnnSetStream()");

    protected override int Destroy(nint handle) => Cudnn.Destroy(handle);
}

/// <summary>How a map [batch, height, width, channels] lies: channels last, pixels a pitch apart.</summary>
sealed class CudnnTensor : CudaHandle
{
    CudnnTensor(CudaContext context, nint handle) : base(context, handle) { }

    public static CudnnTensor Create(CudaContext context, CudnnDataType type, int batch, int height, int width, int channels, int pitch)
    {
        Cudnn.Check(Cudnn.TensorCreate(out nint handle), $"cudnnCreateTensorDescriptor()");
        var tensor = new CudnnTensor(context, handle);
        Cudnn.Check(
            Cudnn.TensorSet(tensor, type, batch, channels, height, width, height * width * pitch, 1, width * pitch, pitch),
            $"cudnnSetTensor4dDescriptorEx({type}, {batch} x {channels} x {height} x {width}, pixels {pitch} apart)");
        return tensor;
    }

    protected override int Destroy(nint handle) => Cudnn.TensorDestroy(handle);
}

/// <summary>How weights [outputs, height, width, inputs] lie.</summary>
sealed class CudnnFilter : CudaHandle
{
    CudnnFilter(CudaContext context, nint handle) : base(context, handle) { }

    public static CudnnFilter Create(CudaContext context, CudnnDataType type, int outputs, int height, int width, int inputs)
    {
        Cudnn.Check(Cudnn.FilterCreate(out nint handle), $"cudnnCreateFilterDescriptor()");
        var filter = new CudnnFilter(context, handle);
        Cudnn.Check(
            Cudnn.FilterSet(filter, type, CudnnFormat.ChannelsLast, outputs, inputs, height, width),
            $"cudnnSetFilter4dDescriptor({type}, {CudnnFormat.ChannelsLast}, {outputs} x {inputs} x {height} x {width})");
        return filter;
    }

    protected override int Destroy(nint handle) => Cudnn.FilterDestroy(handle);
}

/// <summary>Padding, stride and arithmetic of a convolution; sums are fp32.</summary>
sealed class CudnnConvolution : CudaHandle
{
    CudnnConvolution(CudaContext context, nint handle) : base(context, handle) { }

    public static CudnnConvolution Create(CudaContext context, int padding, int stride, CudnnMath math, int groups = 1)
    {
        Cudnn.Check(Cudnn.ConvolutionCreate(out nint handle), $"cudnnCreateConvolutionDescriptor()");
        var convolution = new CudnnConvolution(context, handle);
        Cudnn.Check(
            Cudnn.ConvolutionSet(convolution, padding, padding, stride, stride, 1, 1, CudnnConvolutionMode.CrossCorrelation, CudnnDataType.Float32),
            $"cudnnSetConvolution2dDescriptor(padding {padding}, stride {stride})");
        convolution.Use(math);
        Cudnn.Check(Cudnn.ConvolutionSetGroups(convolution, groups), $"cudnnSetConvolutionGroupCount({groups})");
        return convolution;
    }

    public void Use(CudnnMath math) => Cudnn.Check(Cudnn.ConvolutionSetMath(this, math), $"cudnnSetConvolutionMathType({math})");

    protected override int Destroy(nint handle) => Cudnn.ConvolutionDestroy(handle);
}
