using ClipSegNative.Interop;
using ClipSegNative.Tests.Kernels.Ptx;

namespace ClipSegNative.Tests.Kernels.SelfTests;

public class MemoryTests
{
    [Theory]
    [InlineData("ld.global.u8 %r1, [%rd0];", 0x81u)]
    [InlineData("ld.global.s8 %r1, [%rd0];", 0xffffff81u)]
    [InlineData("ld.global.u8 %h1, [%rd0+1]; cvt.u32.u16 %r1, %h1;", 0x82u)]
    [InlineData("ld.global.s8 %h1, [%rd0+1]; cvt.u32.u16 %r1, %h1;", 0xff82u)]
    [InlineData("ld.global.u16 %r1, [%rd0+2];", 0x8483u)]
    [InlineData("ld.global.s16 %r1, [%rd0+2];", 0xffff8483u)]
    [InlineData("ld.global.b32 %f1, [%rd0]; mov.b32 %r1, %f1;", 0x84838281u)]
    [InlineData("ld.global.u64 %rd2, [%rd0]; shr.u64 %rd2, %rd2, 32; cvt.u32.u64 %r1, %rd2;", 0x88878685u)]
    [InlineData("ld.global.u32 %rd2, [%rd0]; shr.u64 %rd2, %rd2, 4; cvt.u32.u64 %r1, %rd2;", 0x08483828u)]
    [InlineData("ld.global.s32 %rd2, [%rd0]; shr.u64 %rd2, %rd2, 4; cvt.u32.u64 %r1, %rd2;", 0xf8483828u)]
    [InlineData("ld.global.v2.u8 {%h1, %h2}, [%rd0+2]; cvt.u32.u16 %r1, %h2;", 0x84u)]
    [InlineData("ld.global.v4.u16 {%h1, %h2, %h3, %h4}, [%rd0]; cvt.u32.u16 %r1, %h4;", 0x8887u)]
    [InlineData("ld.global.nc.L1::no_allocate.v2.f32 {%f1, %f2}, [%rd0]; mov.b32 %r1, %f2;", 0x88878685u)]
    [InlineData("ld.volatile.global.v2.u64 {%rd2, %rd3}, [%rd0]; cvt.u32.u64 %r1, %rd3;", 0x8c8b8a89u)]
    [InlineData("add.u64 %rd2, %rd0, 16; ld.acquire.gpu.global.u32 %r1, [%rd2+-16];", 0x84838281u)]
    [InlineData("ld.u32 %r1, [%rd0];", 0x84838281u)]
    [InlineData("cvta.to.global.u64 %rd2, %rd0; cvta.global.u64 %rd2, %rd2; ld.u32 %r1, [%rd2];", 0x84838281u)]
    public void Load_OfAnyWidth_IsExtendedToItsRegister(string instructions, uint expected)
    {
        using InterpretedDevice device = new(PtxModule.Parse(Snippet.Text($"{instructions} st.global.u32 [%rd0], %r1;")));
        ulong output = device.Allocate(16);
        device.Write<byte>(output, [.. Enumerable.Range(0x81, 16).Select(i => (byte)i)]);
        device.Launch("k", new CudaExtent(1), new CudaExtent(1), 0, [output]);
        uint[] result = new uint[1];
        device.Read<uint>(output, result);
        Assert.Equal(expected, result[0]);
    }

    [Theory]
    [InlineData("st.global.u8 [%rd0], %r1;", "78 00 00 00 00 00 00 00")]
    [InlineData("st.global.u16 [%rd0+2], %r1;", "00 00 78 56 00 00 00 00")]
    [InlineData("st.global.u32 [%rd0+4], %r1;", "00 00 00 00 78 56 34 12")]
    [InlineData("st.global.v2.u16 [%rd0], {%h1, %h1};", "78 56 78 56 00 00 00 00")]
    [InlineData("st.release.sys.global.v4.u8 [%rd0+4], {%r1, %r1, %r1, %r0};", "00 00 00 00 78 78 78 00")]
    [InlineData("st.volatile.global.u64 [%rd0], %rd2;", "78 56 34 12 00 00 00 00")]
    [InlineData("st.f32 [%rd0], 0f3F800000;", "00 00 80 3f 00 00 00 00")]
    public void Store_OfAnyWidth_WritesItsBytesAlone(string instruction, string expected)
    {
        string text = Snippet.Text($"mov.u32 %r1, 0x12345678; cvt.u64.u32 %rd2, %r1; cvt.u16.u32 %h1, %r1; {instruction}");
        using InterpretedDevice device = new(PtxModule.Parse(text));
        ulong output = device.Allocate(8);
        device.Write<byte>(output, new byte[8]);
        device.Launch("k", new CudaExtent(1), new CudaExtent(1), 0, [output]);
        byte[] result = new byte[8];
        device.Read<byte>(output, result);
        Assert.Equal(expected, string.Join(' ', result.Select(value => value.ToString("x2"))));
    }

    [Fact]
    public void Parameters_OfAnyType_AreWhereTheKernelExpectsThem()
    {
        uint[] result = Snippet.Run(
            """
            ld.param.u8 %r1, [a];
            ld.param.s16 %r2, [b];
            ld.param.f32 %f1, [c];
            ld.param.f64 %fd1, [d];
            ld.param.v2.u32 {%r3, %r4}, [e];
            ld.param.u32 %r5, [e+4];
            ld.param.u64 %rd2, [f];
            cvt.rzi.u32.f32 %r6, %f1;
            cvt.rzi.u32.f64 %r7, %fd1;
            cvt.u32.u64 %r8, %rd2;
            st.global.v4.u32 [%rd0], {%r1, %r2, %r6, %r7};
            st.global.v4.u32 [%rd0+16], {%r3, %r4, %r5, %r8};
            """,
            threads: 1,
            blocks: 8,
            parameters: ".param .u8 a, .param .s16 b, .param .f32 c, .param .f64 d, .param .align 8 .b8 e[8], .param .u64 f",
            arguments: [200, unchecked((ushort)-2), BitConverter.SingleToUInt32Bits(3.5f), BitConverter.DoubleToUInt64Bits(4.5), 6ul << 32 | 5, 7]);
        Assert.Equal([200u, unchecked((uint)-2), 3, 4, 5, 6, 6, 7], result);
    }

    [Fact]
    public void Variables_OfModules_HaveTheirValues()
    {
        uint[] result = Snippet.Run(
            """
            ld.const.u32 %r1, [table+4];
            mov.u64 %rd2, table;
            cvta.const.u64 %rd3, %rd2;
            ld.u32 %r2, [%rd3+8];
            ld.const.f32 %f1, [half];
            cvt.rpi.u32.f32 %r3, %f1;
            mov.u64 %rd4, bytes;
            ld.global.u16 %r4, [%rd4];
            st.global.v4.u32 [%rd0], {%r1, %r2, %r3, %r4};
            """,
            threads: 1,
            blocks: 4,
            declarations: """
                .const .align 4 .u32 table[3] = {1, 2};
                .const .align 4 .f32 half = 0f3F000000;
                .visible .global .align 2 .b8 bytes[2] = {52, 0x12};
                """);
        Assert.Equal([2u, 0, 1, 0x1234], result);
    }

    [Fact]
    public void SharedMemory_OfAllKinds_HasPlacesOfItsOwn()
    {
        uint[] result = Snippet.Run(
            """
            .shared .align 4 .u32 inside;
            st.shared.u32 [inside], 1;
            st.shared.u32 [outside+4], 2;
            mov.u32 %r1, dynamic;
            st.shared.u32 [%r1+8], 3;
            mov.u64 %rd2, dynamic;
            cvta.shared.u64 %rd3, %rd2;
            ld.u32 %r2, [%rd3+8];
            cvta.to.shared.u64 %rd4, %rd3;
            ld.shared.u32 %r3, [%rd4+8];
            ld.shared.u32 %r4, [inside];
            ld.shared.u32 %r5, [outside+4];
            and.b32 %r1, %r1, 127;
            st.global.v4.u32 [%rd0], {%r1, %r2, %r4, %r5};
            """,
            threads: 1,
            blocks: 4,
            declarations: ".shared .align 8 .b8 outside[12]; .extern .shared .align 128 .b8 dynamic[]; .shared .b8 unused[1000000];",
            sharedBytes: 12);
        Assert.Equal([0u, 3, 1, 2], result);
    }

    [Fact]
    public void Addresses_Of32Bits_WrapAround()
    {
        uint[] result = Snippet.Run(
            "mov.u32 %r1, words; st.shared.u32 [%r1+4], 5; add.u32 %r2, %r1, 8; ld.shared.u32 %r3, [%r2+-4]; st.global.u32 [%rd1], %r3;",
            threads: 1,
            declarations: ".shared .align 4 .b8 words[8];");
        Assert.Equal([5u], result);
    }
}
