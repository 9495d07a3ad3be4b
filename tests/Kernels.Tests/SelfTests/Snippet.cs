using System.Globalization;
using ClipSegNative.Interop;
using ClipSegNative.Tests.Kernels.Ptx;

namespace ClipSegNative.Tests.Kernels.SelfTests;

/// <summary>
/// A kernel <c>k</c> of a few lines. It finds the thread's number in %r0, the address of the output in %rd0, that of the thread's word there in
/// %rd1, and other registers of each type: %p, %h (16 bits), %r, %f, %rd, %fd.
/// </summary>
static class Snippet
{
    /// <param name="body">Its instructions, without ret.</param>
    /// <param name="declarations">In front of the kernel.</param>
    /// <param name="parameters">Behind the output.</param>
    /// <param name="directives">Behind the parameters.</param>
    public static string Text(string body, string declarations = "", string parameters = "", string directives = "") => $$"""
        .version 7.0
        .target sm_80
        .address_size 64
        {{declarations}}
        .visible .entry k(.param .u64 output{{(parameters.Length > 0 ? ", " : "")}}{{parameters}})
        {{directives}}
        {
        .reg .pred %p<10>;
        .reg .b16 %h<10>;
        .reg .b32 %r<20>;
        .reg .f32 %f<20>;
        .reg .b64 %rd<10>;
        .reg .f64 %fd<10>;
        ld.param.u64 %rd0, [output];
        mov.u32 %r0, %tid.x;
        mad.wide.u32 %rd1, %r0, 4, %rd0;
        {{body}}
        ret;
        }
        """;

    /// <summary>The line of an instruction, for what says where it went wrong.</summary>
    public static int LineOf(string text, string instruction) => text[..text.IndexOf(instruction, StringComparison.Ordinal)].Count(c => c == '\n') + 1;

    /// <returns>The output, a word for each thread of all blocks unless said otherwise, which is zero before.</returns>
    public static uint[] Run(
        string body,
        int threads,
        int blocks = 1,
        int? words = null,
        string declarations = "",
        string parameters = "",
        ulong[]? arguments = null,
        int sharedBytes = 0,
        bool backwards = false)
    {
        using InterpretedDevice device = new(PtxModule.Parse(Text(body, declarations, parameters))) { Backwards = backwards };
        uint[] result = new uint[words ?? threads * blocks];
        ulong output = device.Allocate(4L * result.Length);
        device.Write<uint>(output, result);
        device.Launch("k", new CudaExtent((uint)blocks), new CudaExtent((uint)threads), sharedBytes, [output, .. arguments ?? []]);
        device.Read<uint>(output, result);
        return result;
    }

    /// <summary>As PTX writes it.</summary>
    public static string Float(float value) => $"0f{BitConverter.SingleToUInt32Bits(value).ToString("X8", CultureInfo.InvariantCulture)}";
}
