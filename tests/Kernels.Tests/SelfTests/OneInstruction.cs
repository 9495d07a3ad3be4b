using System.Text;
using ClipSegNative.Interop;
using ClipSegNative.Tests.Kernels.Ptx;

namespace ClipSegNative.Tests.Kernels.SelfTests;

/// <summary>A kernel around one instruction, which every lane executes with the same operands.</summary>
static class OneInstruction
{
    const int Lanes = 32;
    const ulong Untouched = 0x5a5a5a5a5a5a5a5a;

    /// <param name="instruction">With $d for the result and $0, $1... for the sources.</param>
    /// <param name="like">A value of the result's type.</param>
    /// <param name="sources">bool for predicates, ushort for 16 bits, int or uint, float, long or ulong, double.</param>
    /// <returns>What all lanes have got, also where only some of them execute the instruction and the others keep what they have.</returns>
    public static object Run(string instruction, object like, params object[] sources)
    {
        ulong[] all = Execute(instruction, like, sources, guarded: false), odd = Execute(instruction, like, sources, guarded: true);
        Assert.All(all, value => Assert.Equal(all[0], value));
        for (int lane = 0; lane < Lanes; lane++) Assert.Equal(lane % 2 == 1 ? all[0] : ToBits(FromBits(Untouched, like)), odd[lane]);
        return FromBits(all[0], like);
    }

    static ulong[] Execute(string instruction, object like, object[] sources, bool guarded)
    {
        StringBuilder body = new();
        for (int i = 0; i < sources.Length; i++) body.AppendLine(Load(sources[i], $"%s{i}", 8 * i));
        body.AppendLine(Load(like, "%d", 8 * sources.Length));
        string text = instruction.Replace("$d", "%d");
        for (int i = 0; i < sources.Length; i++) text = text.Replace($"${i}", $"%s{i}");
        body.AppendLine($"{(guarded ? "@%odd " : "")}{text};");
        body.AppendLine(Store(like));
        string ptx = $$"""
            .version 7.0
            .target sm_80
            .address_size 64
            .visible .entry one(.param .u64 input, .param .u64 output)
            {
            .reg .pred %odd;
            .reg .b32 %lane, %word;
            .reg .b64 %in, %out;
            ld.param.u64 %in, [input];
            ld.param.u64 %out, [output];
            mov.u32 %lane, %tid.x;
            mad.wide.u32 %out, %lane, 8, %out;
            and.b32 %word, %lane, 1;
            setp.eq.u32 %odd, %word, 1;
            {{body}}
            ret;
            }
            """;
        using InterpretedDevice device = new(PtxModule.Parse(ptx));
        ulong input = device.Allocate(8 * (sources.Length + 1)), output = device.Allocate(8 * Lanes);
        device.Write<ulong>(input, [.. sources.Select(ToBits), Untouched]);
        device.Write<ulong>(output, new ulong[Lanes]);
        device.Launch("one", new CudaExtent(1), new CudaExtent(Lanes), 0, [input, output]);
        ulong[] result = new ulong[Lanes];
        device.Read<ulong>(output, result);
        return result;
    }

    static string Load(object value, string register, int offset) => value is bool
        ? $".reg .pred {register}; ld.global.u32 %word, [%in+{offset}]; and.b32 %word, %word, 1; setp.ne.u32 {register}, %word, 0;"
        : $".reg .{TypeOf(value)} {register}; ld.global.{TypeOf(value)} {register}, [%in+{offset}];";

    static string Store(object like) => like is bool ? "selp.u32 %word, 1, 0, %d; st.global.u32 [%out], %word;" : $"st.global.{TypeOf(like)} [%out], %d;";

    static string TypeOf(object value) => value switch
    {
        ushort or short => "b16",
        int or uint => "b32",
        float => "f32",
        long or ulong => "b64",
        double => "f64",
        _ => throw new ArgumentException($"No register holds a {value.GetType()}."),
    };

    static ulong ToBits(object value) => value switch
    {
        bool b => b ? 1u : 0,
        ushort u => u,
        short s => (ushort)s,
        uint u => u,
        int i => (uint)i,
        float f => BitConverter.SingleToUInt32Bits(f),
        ulong u => u,
        long l => (ulong)l,
        double d => BitConverter.DoubleToUInt64Bits(d),
        _ => throw new ArgumentException($"No register holds a {value.GetType()}."),
    };

    static object FromBits(ulong bits, object like) => like switch
    {
        bool => (bits & 1) != 0,
        ushort => (ushort)bits,
        short => (short)bits,
        uint => (uint)bits,
        int => (int)bits,
        float => BitConverter.UInt32BitsToSingle((uint)bits),
        ulong => bits,
        long => (long)bits,
        _ => BitConverter.UInt64BitsToDouble(bits),
    };
}
