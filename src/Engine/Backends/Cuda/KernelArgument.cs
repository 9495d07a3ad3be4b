namespace ClipSegNative.Backends.Cuda;

/// <summary>One word of a launch: narrower values in its low bytes.</summary>
readonly record struct KernelArgument(ulong Word)
{
    public static implicit operator KernelArgument(ulong address) => new(address);

    public static implicit operator KernelArgument(int value) => new((uint)value);

    public static implicit operator KernelArgument(uint value) => new(value);

    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value));
}
