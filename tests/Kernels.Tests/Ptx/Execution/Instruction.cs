namespace ClipSegNative.Tests.Kernels.Ptx.Execution;

/// <summary>What an instruction does for the lanes that execute it.</summary>
/// <param name="warp">Whose registers it reads and writes.</param>
/// <param name="lanes">A bit for each; never none.</param>
delegate void LaneOperation(Warp warp, uint lanes);

/// <summary>How execution goes on behind an instruction.</summary>
enum Flow
{
    /// <summary>With the next.</summary>
    Next,

    /// <summary>At the target.</summary>
    Branch,

    /// <summary>Not at all.</summary>
    Exit,

    /// <summary>With the next, once all threads of the block are there.</summary>
    Barrier,

    /// <summary>With the next, once all lanes of its mask are there, which then execute it together.</summary>
    Gather,
}

/// <summary>An instruction, ready to be executed.</summary>
sealed class Instruction
{
    public required int Line { get; init; }

    public required string Text { get; init; }

    public required LaneOperation Execute { get; init; }

    public Flow Flow { get; init; }

    /// <summary>The predicate that lanes must have; null where all execute it.</summary>
    public Register? Guard { get; init; }

    /// <summary>Whether lanes must have it not.</summary>
    public bool GuardNegated { get; init; }

    /// <summary>Numbers of the registers whose lanes must have been written.</summary>
    public required int[] Reads { get; init; }

    /// <summary>Numbers of the registers whose lanes are written.</summary>
    public required int[] Writes { get; init; }

    /// <summary>Of a branch: an index into the kernel's code.</summary>
    public int Target { get; set; } = -1;

    /// <summary>Of <see cref="Flow.Gather"/>: where the mask of lanes lies; null for the whole warp.</summary>
    public Register? Members { get; init; }
}

/// <summary>A register of a warp.</summary>
/// <param name="Number">Its place among the masks of written lanes.</param>
/// <param name="Type">As it is declared.</param>
/// <param name="Offset">Of its lanes among the warp's registers, in bytes. A predicate is one word, a bit a lane.</param>
sealed record Register(int Number, PtxType Type, int Offset);

/// <summary>A kernel, ready to be launched.</summary>
sealed class Kernel
{
    public required string Name { get; init; }

    public required Instruction[] Code { get; init; }

    public required IReadOnlyList<Parameter> Parameters { get; init; }

    public required int ParameterBytes { get; init; }

    /// <summary>Of all registers of a warp.</summary>
    public required int RegisterBytes { get; init; }

    public required int RegisterCount { get; init; }

    /// <summary>Registers that hold a number for all lanes.</summary>
    public required IReadOnlyList<(Register Register, ulong Bits)> Constants { get; init; }

    /// <summary>Such as %tid.x, those that the kernel uses.</summary>
    public required IReadOnlyList<(string Name, Register Register)> Specials { get; init; }

    /// <summary>Declared ones.</summary>
    public required int SharedBytes { get; init; }

    public required int? MaxThreads { get; init; }

    public required bool ExactThreads { get; init; }

    /// <summary>The smallest access to shared memory, at most 4 bytes.</summary>
    public required int SharedGranule { get; init; }

    /// <summary>Whether blocks speak to each other: they then run one after the other, in one order.</summary>
    public required bool HasGlobalAtomics { get; init; }
}

/// <summary>Where a kernel's parameter lies among the bytes of all.</summary>
readonly record struct Parameter(string Name, int Offset, int Bytes);
