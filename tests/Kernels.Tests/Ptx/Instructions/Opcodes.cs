using System.Diagnostics.CodeAnalysis;
using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Takes an instruction's modifiers and operands and says what it does.</summary>
/// <exception cref="PtxException">It has others than the interpreter knows.</exception>
delegate LaneOperation Decoder(InstructionReader reader);

/// <summary>Everything that the interpreter can execute: one table for each family, which stand beside this file.</summary>
static class Opcodes
{
    static readonly Dictionary<string, Decoder> All = new(
    [
        .. ArithmeticInstructions.Table,
        .. IntegerInstructions.Table,
        .. FloatInstructions.Table,
        .. LogicInstructions.Table,
        .. ComparisonInstructions.Table,
        .. ConversionInstructions.Table,
        .. MoveInstructions.Table,
        .. MemoryInstructions.Table,
        .. AtomicInstructions.Table,
        .. AsyncCopyInstructions.Table,
        .. ControlInstructions.Table,
        .. WarpInstructions.Table,
        .. MatrixInstructions.Table,
    ]);

    public static bool TryGet(string opcode, [NotNullWhen(true)] out Decoder? decoder) => All.TryGetValue(opcode, out decoder);
}
