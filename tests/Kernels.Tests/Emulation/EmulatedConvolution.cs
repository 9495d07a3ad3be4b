using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>A convolution, or the gradient of its filter, as its definition has it, operands rounded as cuDNN would, summed in double precision.</summary>
static class EmulatedConvolution
{
    public static void Run(InterpretedDevice device, in MapConvolution convolution, long workspaceBytes)
    {
        MapConvolution c = convolution;
        int pixels = c.Batch * c.Height * c.Width, taps = c.Kernel * c.Kernel, depth = taps * c.Inputs;
        if ((c.Input.Address | c.Filter | c.Output.Address | c.Workspace) % 16 != 0 || c.Workspace == 0) throw new LaunchException($"cuDNN is not to be given {c}.");
        // Operands are read after it is filled: one that lies in it would show.
        var workspace = new byte[workspaceBytes];
        Array.Fill(workspace, (byte)0xFF);
        device.Write<byte>(c.Workspace, workspace);
        float[] x = EmulatedProduct.Read(device, c.Input, pixels, c.Inputs);
        float[] w = c.IsWeightGradient ? new float[c.Outputs * depth] : EmulatedProduct.Read(device, new DeviceMatrix(c.Filter, depth), c.Outputs, depth);
        float[] y = c.IsWeightGradient ? EmulatedProduct.Read(device, c.Output, pixels, c.Outputs) : new float[pixels * c.Outputs];
        foreach (float[] operand in new[] { x, w, y }) EmulatedProduct.Round(operand, c.Precision);
        var sums = new double[c.IsWeightGradient ? w.Length : y.Length];
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            for (int tap = 0; tap < taps; tap++)
            {
                if (Neighbour(c, pixel, tap) is not { } neighbour) continue;
                ReadOnlySpan<float> from = x.AsSpan(neighbour * c.Inputs, c.Inputs);
                for (int output = 0; output < c.Outputs; output++)
                {
                    int place = pixel * c.Outputs + output, weights = (output * taps + tap) * c.Inputs;
                    if (c.IsWeightGradient)
                    {
                        for (int i = 0; i < from.Length; i++) sums[weights + i] += (double)y[place] * from[i];
                    }
                    else
                    {
                        for (int i = 0; i < from.Length; i++) sums[place] += (double)w[weights + i] * from[i];
                    }
                }
            }
        }
        float[] result = [.. sums.Select(sum => (float)sum)];
        if (c.IsWeightGradient) device.Write<float>(c.Filter, result);
        else
        {
            for (int pixel = 0; pixel < pixels; pixel++)
                device.Write<float>(c.Output.Address + (ulong)pixel * (ulong)c.Output.Pitch * sizeof(float), result.AsSpan(pixel * c.Outputs, c.Outputs));
        }
    }

    /// <summary>The pixel that a tap of the kernel takes for another; null where it lies outside its map.</summary>
    static int? Neighbour(in MapConvolution c, int pixel, int tap)
    {
        int row = pixel / c.Width % c.Height + tap / c.Kernel - c.Kernel / 2, column = pixel % c.Width + tap % c.Kernel - c.Kernel / 2;
        bool inside = row >= 0 && row < c.Height && column >= 0 && column < c.Width;
        return inside ? (pixel / (c.Height * c.Width) * c.Height + row) * c.Width + column : null;
    }
}
