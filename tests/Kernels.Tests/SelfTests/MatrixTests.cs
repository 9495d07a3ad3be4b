using System.Text;
using ClipSegNative.Interop;
using ClipSegNative.Tests.Kernels.Ptx;

namespace ClipSegNative.Tests.Kernels.SelfTests;

public class MatrixTests
{
    const int Rows = 16, Columns = 8;

    /// <summary>The fragments are laid out by the figures of PTX's manual, element by element.</summary>
    [Theory]
    [InlineData("bf16", 16)]
    [InlineData("f16", 16)]
    [InlineData("bf16", 8)]
    [InlineData("f16", 8)]
    [InlineData("tf32", 8)]
    public void Mma_OfAnyType_IsTheProduct(string type, int depth)
    {
        Random random = new(1);
        int perRegister = type == "tf32" ? 1 : 2, registers = depth / 4 / perRegister;
        double[] a = Values(random, Rows * depth), b = Values(random, depth * Columns), c = Values(random, Rows * Columns);
        uint[] fragments = new uint[32 * (3 * registers + 4)];
        for (int lane = 0; lane < 32; lane++)
        {
            (int group, int within) = (lane / 4, lane % 4);
            Span<uint> own = fragments.AsSpan(lane * (3 * registers + 4));
            for (int i = 0; i < 2 * registers; i++)
            {
                (int row, int k) = (group + (i % 2 == 0 ? 0 : 8), perRegister * within + (i < 2 ? 0 : 4 * perRegister));
                own[i] = Packed(type, a[row * depth + k], perRegister == 2 ? a[row * depth + k + 1] : 0);
            }
            for (int i = 0; i < registers; i++)
            {
                int k = perRegister * within + (i == 0 ? 0 : 4 * perRegister);
                own[2 * registers + i] = Packed(type, b[k * Columns + group], perRegister == 2 ? b[(k + 1) * Columns + group] : 0);
            }
            for (int i = 0; i < 4; i++) own[3 * registers + i] = BitConverter.SingleToUInt32Bits((float)c[(group + (i < 2 ? 0 : 8)) * Columns + 2 * within + i % 2]);
        }
        string A = Names("%r", 1, 2 * registers), B = Names("%r", 1 + 2 * registers, registers);
        StringBuilder loads = new();
        for (int i = 0; i < 3 * registers; i++) loads.AppendLine($"ld.global.u32 %r{1 + i}, [%rd2+{4 * i}];");
        for (int i = 0; i < 4; i++) loads.AppendLine($"ld.global.f32 %f{i}, [%rd2+{4 * (3 * registers + i)}];");
        string text = Snippet.Text(
            $$"""
            ld.param.u64 %rd2, [input];
            mad.wide.u32 %rd2, %r0, {{4 * (3 * registers + 4)}}, %rd2;
            {{loads}}
            mma.sync.aligned.m16n8k{{depth}}.row.col.f32.{{type}}.{{type}}.f32 {%f4, %f5, %f6, %f7}, {{A}}, {{B}}, {%f0, %f1, %f2, %f3};
            mad.wide.u32 %rd3, %r0, 16, %rd0;
            st.global.v4.f32 [%rd3], {%f4, %f5, %f6, %f7};
            """,
            parameters: ".param .u64 input");
        using InterpretedDevice device = new(PtxModule.Parse(text));
        ulong output = device.Allocate(32 * 16), input = device.Allocate(4 * fragments.Length);
        device.Write<uint>(input, fragments);
        device.Launch("k", new CudaExtent(1), new CudaExtent(32), 0, [output, input]);
        float[] result = new float[128];
        device.Read<float>(output, result);
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < Columns; column++)
            {
                double expected = c[row * Columns + column] + Enumerable.Range(0, depth).Sum(k => a[row * depth + k] * b[k * Columns + column]);
                float actual = result[(row % 8 * 4 + column / 2) * 4 + row / 8 * 2 + column % 2];
                Assert.Equal(expected, actual, tolerance: 1e-5);
            }
        }
    }

    [Theory]
    [InlineData("x1", 1, "", false)]
    [InlineData("x2", 2, ".trans", false)]
    [InlineData("x4", 4, "", false)]
    [InlineData("x4", 4, ".trans", true)]
    public void Ldmatrix_OfAnyNumber_GivesEachLaneItsElements(string count, int matrices, string transposed, bool addressIsResult)
    {
        // Element (row, column) of matrix m is 64m + 8 row + column.
        string results = Names("%r", addressIsResult ? 4 : 10, matrices);
        int first = addressIsResult ? 4 : 10;
        StringBuilder stores = new();
        for (int i = 0; i < matrices; i++) stores.AppendLine($"st.global.u32 [%rd1+{128 * i}], %r{first + i};");
        string body = $$"""
            shl.b32 %r1, %r0, 4;
            mov.u32 %r2, tile;
            add.u32 %r4, %r1, %r2;
            mov.u32 %r5, 0;
            shl.b32 %r6, %r0, 3;
            cvt.u16.u32 %h1, %r6;
            mov.u32 %r7, %r4;
            $FILL:
            st.shared.u16 [%r7], %h1;
            add.u16 %h1, %h1, 1;
            add.u32 %r7, %r7, 2;
            add.u32 %r5, %r5, 1;
            setp.lt.u32 %p1, %r5, 8;
            @%p1 bra $FILL;
            bar.warp.sync -1;
            ldmatrix.sync.aligned.m8n8.{{count}}{{transposed}}.shared.b16 {{results}}, [%r4];
            {{stores}}
            """;
        uint[] result = Snippet.Run(body, threads: 32, words: 32 * matrices, declarations: ".shared .align 128 .b8 tile[512];");
        for (int i = 0; i < result.Length; i++)
        {
            (int matrix, int row, int column) = (i / 32, i % 32 / 4, i % 4 * 2);
            int Element(int c) => 64 * matrix + (transposed.Length > 0 ? 8 * c + row : 8 * row + c);
            Assert.Equal((uint)(Element(column) | Element(column + 1) << 16), result[i]);
        }
    }

    static string Names(string prefix, int first, int count) => $"{{{string.Join(", ", Enumerable.Range(first, count).Select(i => prefix + i))}}}";

    /// <summary>All types hold them exactly.</summary>
    static double[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(-64, 65) / 32.0)];

    static uint Packed(string type, double low, double high) => type switch
    {
        "tf32" => BitConverter.SingleToUInt32Bits((float)low),
        "f16" => BitConverter.HalfToUInt16Bits((Half)low) | (uint)BitConverter.HalfToUInt16Bits((Half)high) << 16,
        _ => BitConverter.SingleToUInt32Bits((float)low) >> 16 | BitConverter.SingleToUInt32Bits((float)high) & 0xffff0000,
    };
}
