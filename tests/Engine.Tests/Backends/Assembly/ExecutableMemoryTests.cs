using System.Runtime.InteropServices;
using ClipSegNative.Backends.Cpu.Assembly;
using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Backends.Assembly;

public unsafe class ExecutableMemoryTests
{
    /// <summary>return 42, in machine code of both processors that .NET knows.</summary>
    static readonly byte[] FortyTwo = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
        ? [0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6]   // mov w0, #42; ret
        : [0xb8, 0x2a, 0, 0, 0, 0xc3];   // mov eax, 42; ret

    [Fact]
    public void Code_Written_Runs()
    {
        SkipWhereRefused();
        using ExecutableMemory? memory = ExecutableMemory.TryCreate(new SystemPages(), FortyTwo, out string problem);
        Assert.True(memory is not null, problem);
        Assert.Equal(42, ((delegate* unmanaged<int>)memory.Start)());
    }

    [Theory, InlineData(1), InlineData(4096), InlineData(4097), InlineData(100_000)]
    public void Pages_OfAnyLength_AreNeverWritableAndExecutable(int length)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux tells what each page allows.");
        using ExecutableMemory? memory = ExecutableMemory.TryCreate(new SystemPages(), new byte[length], out _);
        Assert.NotNull(memory);
        int page = Environment.SystemPageSize;
        nint end = memory.Start + (length + page - 1) / page * page;
        Assert.Equal("---p", Access(memory.Start - 1));
        Assert.Equal("r-xp", Access(memory.Start));
        Assert.Equal("r-xp", Access(end - 1));
        Assert.Equal("---p", Access(end));
    }

    [Fact]
    public void Steps_WhileMade_WriteThenExecute()
    {
        var pages = new FakePages();
        using (ExecutableMemory? memory = ExecutableMemory.TryCreate(pages, FortyTwo, out _))
        {
            Assert.NotNull(memory);
            Assert.Equal(["reserve 3", "ReadWrite 1+1", "ReadExecute 1+1"], pages.Calls);
            Assert.Equal(FortyTwo, new ReadOnlySpan<byte>((void*)memory.Start, FortyTwo.Length).ToArray());
        }
        Assert.Equal("free 3", pages.Calls[^1]);
    }

    [Theory, InlineData("reserve 3"), InlineData("ReadWrite 1+1"), InlineData("ReadExecute 1+1")]
    public void Refusal_AtAnyStep_IsToldAndLeavesNothing(string step)
    {
        var pages = new FakePages { Refuse = step };
        Assert.Null(ExecutableMemory.TryCreate(pages, FortyTwo, out string problem));
        Assert.Equal("this system allows no such pages", problem);
        Assert.Equal(step, pages.Calls[step == "reserve 3" ? ^1 : ^2]);
        Assert.Equal(0, pages.Held);
    }

    [Fact]
    public void Dispose_Twice_FreesOnce()
    {
        var pages = new FakePages();
        ExecutableMemory memory = ExecutableMemory.TryCreate(pages, FortyTwo, out _)!;
        memory.Dispose();
        memory.Dispose();
        Assert.Single(pages.Calls, call => call == "free 3");
        Assert.Throws<ObjectDisposedException>(() => memory.Start);
    }

    static void SkipWhereRefused() =>
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsWindows(), "No memory for code is taken here.");

    /// <summary>What the kernel lists for the page at an address.</summary>
    static string Access(nint address)
    {
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            string[] parts = line.Split(' ', 3), range = parts[0].Split('-');
            if (address >= nint.Parse(range[0], System.Globalization.NumberStyles.HexNumber) && address < nint.Parse(range[1], System.Globalization.NumberStyles.HexNumber))
                return parts[1];
        }
        return "not mapped";
    }
}
