namespace ClipSegNative.Tests.Kernels.Ptx.Syntax;

/// <summary>A module as it is written.</summary>
/// <param name="Variables">Declared outside of kernels.</param>
/// <param name="Kernels">In their order.</param>
sealed record ModuleSyntax(IReadOnlyList<VariableSyntax> Variables, IReadOnlyList<KernelSyntax> Kernels);

/// <summary>State spaces of variables and accesses; generic addresses reach global and shared memory.</summary>
enum Space
{
    Generic, Global, Const, Shared, Param,
}

/// <param name="Line">From 1.</param>
/// <param name="Space">Where it lies.</param>
/// <param name="Name">Its symbol.</param>
/// <param name="Type">Of an element.</param>
/// <param name="Align">In bytes.</param>
/// <param name="Bytes">Of all elements; 0 where the launch gives the size.</param>
/// <param name="Initial">Its first bytes, or null where nothing initialises it.</param>
sealed record VariableSyntax(int Line, Space Space, string Name, PtxType Type, int Align, int Bytes, byte[]? Initial);

/// <param name="Line">Of its name.</param>
/// <param name="Name">Its entry.</param>
/// <param name="Parameters">In their order.</param>
/// <param name="MaxThreads">What .maxntid or .reqntid allows, or null.</param>
/// <param name="ExactThreads">Whether it must be as many.</param>
/// <param name="Body">Its statements.</param>
sealed record KernelSyntax(
    int Line, string Name, IReadOnlyList<VariableSyntax> Parameters, int? MaxThreads, bool ExactThreads, IReadOnlyList<StatementSyntax> Body);

abstract record StatementSyntax(int Line);

sealed record LabelSyntax(int Line, string Name) : StatementSyntax(Line);

/// <summary>A brace: what is declared behind it is known to the one that closes it.</summary>
sealed record ScopeSyntax(int Line, bool Opens) : StatementSyntax(Line);

/// <param name="Line">From 1.</param>
/// <param name="Type">Of each.</param>
/// <param name="Name">One register, or the prefix of numbered ones.</param>
/// <param name="Count">How many numbered ones, or null for the one of that name.</param>
sealed record RegisterSyntax(int Line, PtxType Type, string Name, int? Count) : StatementSyntax(Line);

sealed record LocalVariableSyntax(VariableSyntax Variable) : StatementSyntax(Variable.Line);

/// <param name="Line">From 1.</param>
/// <param name="Text">The whole, on one line.</param>
/// <param name="Guard">The predicate in front of it, or null.</param>
/// <param name="Opcode">Its first word.</param>
/// <param name="Modifiers">The other words of the opcode, without their dots.</param>
/// <param name="Operands">In their order.</param>
sealed record InstructionSyntax(int Line, string Text, GuardSyntax? Guard, string Opcode, IReadOnlyList<string> Modifiers, IReadOnlyList<OperandSyntax> Operands)
    : StatementSyntax(Line);

sealed record GuardSyntax(string Register, bool Negated);

abstract record OperandSyntax;

/// <summary>A register, variable or label, with an offset where it is a variable.</summary>
sealed record NameSyntax(string Name, long Offset = 0) : OperandSyntax;

sealed record NotSyntax(string Name) : OperandSyntax;

/// <summary>Two results, as in <c>p|q</c>.</summary>
sealed record PairSyntax(string First, string Second) : OperandSyntax;

/// <param name="Value">Two's complement.</param>
sealed record IntegerSyntax(Int128 Value) : OperandSyntax;

/// <param name="Type">F32 or F64.</param>
/// <param name="Bits">Its representation.</param>
sealed record FloatSyntax(PtxType Type, ulong Bits) : OperandSyntax;

sealed record VectorSyntax(IReadOnlyList<OperandSyntax> Elements) : OperandSyntax;

/// <param name="Base">A name or a number.</param>
/// <param name="Offset">Added to it.</param>
sealed record AddressSyntax(OperandSyntax Base, long Offset) : OperandSyntax;
