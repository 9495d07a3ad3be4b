using ClipSegNative.Tests.Kernels.Ptx.Execution;
using ClipSegNative.Tests.Kernels.Ptx.Syntax;

namespace ClipSegNative.Tests.Kernels.Ptx.Decoding;

/// <summary>Where an access goes.</summary>
/// <param name="Register">Of 32 or 64 bits; of a fixed address a constant.</param>
/// <param name="Offset">Added to it, modulo 2⁶⁴, or 2³² for a register of 32 bits.</param>
readonly record struct Address(Register Register, long Offset);

/// <summary>
/// An instruction's modifiers and operands in their order. Whoever decodes it takes all of them; what is left over, or of another type than
/// asked for, is an error. What is taken as a source or destination is noted for the check of unwritten registers.
/// </summary>
sealed class InstructionReader(InstructionSyntax syntax, Symbols symbols)
{
    readonly List<int> _reads = [];
    readonly List<int> _writes = [];
    int _modifier;
    int _operand;

    public InstructionSyntax Syntax => syntax;

    public int[] Reads => [.. _reads];

    public int[] Writes => [.. _writes];

    public Flow Flow { get; set; }

    public Register? Members { get; private set; }

    /// <summary>Of a branch.</summary>
    public string? Label { get; private set; }

    /// <summary>The smallest access to shared memory; 0 for none.</summary>
    public int SharedAccess { get; set; }

    public bool IsGlobalAtomic { get; set; }

    public int OperandsLeft => syntax.Operands.Count - _operand;

    /// <summary>Takes the next modifier if it is this one.</summary>
    public bool Flag(string modifier)
    {
        if (_modifier == syntax.Modifiers.Count || syntax.Modifiers[_modifier] != modifier) return false;
        _modifier++;
        return true;
    }

    /// <summary>Takes the next modifier if it is one of these.</summary>
    public string? Maybe(params ReadOnlySpan<string> modifiers)
    {
        if (_modifier == syntax.Modifiers.Count || !modifiers.Contains(syntax.Modifiers[_modifier])) return null;
        return syntax.Modifiers[_modifier++];
    }

    public string OneOf(params ReadOnlySpan<string> modifiers) => Maybe(modifiers) ?? throw WrongModifier($"one of .{string.Join(" .", modifiers!)}");

    public void Expect(params ReadOnlySpan<string> modifiers)
    {
        foreach (string modifier in modifiers)
            if (!Flag(modifier)) throw WrongModifier($".{modifier}");
    }

    public PtxType Type(params ReadOnlySpan<PtxType> allowed)
    {
        if (_modifier < syntax.Modifiers.Count && PtxTypes.TryParse(syntax.Modifiers[_modifier], out PtxType type) && allowed.Contains(type))
        {
            _modifier++;
            return type;
        }
        throw WrongModifier("a type that the instruction is interpreted for");
    }

    public Register Destination(PtxType type) => Written(Name(), type, wide: false);

    /// <summary>One that may be wider.</summary>
    public Register WideDestination(PtxType type) => Written(Name(), type, wide: true);

    /// <summary>A result that the instruction itself notes as written.</summary>
    public Register TrackedDestination(PtxType type) => FindWritable(Name(), type, wide: false);

    /// <summary>A result with a second, as in <c>p|q</c>.</summary>
    public (Register First, Register? Second) Destinations(PtxType type, PtxType second)
    {
        if (Take() is not PairSyntax pair)
        {
            _operand--;
            return (Destination(type), null);
        }
        return (Written(pair.First, type, wide: false), Written(pair.Second, second, wide: false));
    }

    public Register Source(PtxType type) => Read(Value(Take(), type, wide: false));

    /// <summary>One that may be wider.</summary>
    public Register WideSource(PtxType type) => Read(Value(Take(), type, wide: true));

    /// <summary>One that the instruction itself checks.</summary>
    public Register TrackedSource(PtxType type) => Value(Take(), type, wide: false);

    /// <summary>A predicate, and whether its opposite is meant.</summary>
    public (Register Register, bool Negated) Predicate()
    {
        OperandSyntax operand = Take();
        return operand is NotSyntax not
            ? (Read(Find(not.Name, PtxType.Pred, wide: false)), true)
            : (Read(Value(operand, PtxType.Pred, wide: false)), false);
    }

    public Register[] DestinationVector(PtxType type, int count, bool wide = false) =>
        [.. Elements(count).Select(element => Written(element is NameSyntax name ? name.Name : throw Error("a register expected"), type, wide))];

    public Register[] SourceVector(PtxType type, int count, bool wide = false) =>
        [.. Elements(count).Select(element => Read(Value(element, type, wide)))];

    /// <summary>The lanes that take part; they wait for one another.</summary>
    public void MemberMask()
    {
        Members = Source(PtxType.B32);
        Flow = Flow.Gather;
    }

    /// <summary>A number that is part of the instruction.</summary>
    public int Immediate(int least, int most)
    {
        if (Take() is not IntegerSyntax integer) throw Error("a number expected");
        return integer.Value >= least && integer.Value <= most ? (int)integer.Value : throw Error($"{integer.Value} is not between {least} and {most}");
    }

    public bool NextIsVector => OperandsLeft > 0 && syntax.Operands[_operand] is VectorSyntax;

    /// <summary>Whether the operand behind the next is a vector.</summary>
    public bool VectorFollows => OperandsLeft > 1 && syntax.Operands[_operand + 1] is VectorSyntax;

    public int NextVectorLength => NextIsVector ? ((VectorSyntax)syntax.Operands[_operand]).Elements.Count : 1;

    public void BranchTarget()
    {
        Label = Take() is NameSyntax { Offset: 0 } name ? name.Name : throw Error("a label expected");
        Flow = Flow.Branch;
    }

    /// <summary>An address of a parameter.</summary>
    public (Parameter Parameter, long Offset) ParameterAddress()
    {
        if (Take() is AddressSyntax { Base: NameSyntax name } address && symbols.FindParameter(name.Name) is Parameter parameter) return (parameter, address.Offset);
        throw Error("a parameter expected");
    }

    public Address MemoryAddress(Space space)
    {
        if (Take() is not AddressSyntax address) throw Error("an address expected");
        switch (address.Base)
        {
            case IntegerSyntax integer:
                return new Address(symbols.Constant((ulong)integer.Value, PtxType.U64), address.Offset);
            case NameSyntax name when symbols.FindRegister(name.Name) is Register register:
                if (register.Type.IsFloat() || register.Type.Bytes() < (space == Space.Shared ? 4 : 8)) throw Error($"{name.Name} cannot hold an address");
                return new Address(Read(register), address.Offset);
            case NameSyntax name when symbols.FindVariable(name.Name) is (VariableSyntax variable, ulong at):
                if (variable.Space != space) throw Error($"{name.Name} is not in the space of the access");
                return new Address(symbols.Constant(at, PtxType.U64), address.Offset);
            default:
                throw Error("unknown register or variable");
        }
    }

    /// <summary>All that the instruction says must have been taken.</summary>
    public void Finish()
    {
        if (_modifier < syntax.Modifiers.Count) throw Error($"unknown modifier .{syntax.Modifiers[_modifier]}");
        if (OperandsLeft > 0) throw Error($"{syntax.Operands.Count} operands instead of {_operand}");
    }

    public PtxException Error(string problem) => new(syntax.Line, syntax.Text, problem);

    PtxException WrongModifier(string expected) =>
        Error(_modifier < syntax.Modifiers.Count ? $"{expected} expected instead of .{syntax.Modifiers[_modifier]}" : $"{expected} is missing");

    OperandSyntax Take() => OperandsLeft > 0 ? syntax.Operands[_operand++] : throw Error("an operand is missing");

    string Name() => Take() is NameSyntax { Offset: 0 } name ? name.Name : throw Error("a register expected");

    IEnumerable<OperandSyntax> Elements(int count)
    {
        if (count == 1 && !NextIsVector) return [Take()];
        IReadOnlyList<OperandSyntax> elements = Take() is VectorSyntax vector ? vector.Elements : throw Error("a vector expected");
        return elements.Count == count ? elements : throw Error($"a vector of {count} expected");
    }

    Register Value(OperandSyntax operand, PtxType type, bool wide)
    {
        switch (operand)
        {
            case NameSyntax { Offset: 0 } name when symbols.FindRegister(name.Name) is not null:
                return Find(name.Name, type, wide);
            case NameSyntax { Name: "WARP_SZ", Offset: 0 } when !type.IsFloat() && type.Bytes() >= 4:
                return symbols.Constant(Warp.Size, type);
            case NameSyntax name when symbols.FindVariable(name.Name) is (_, ulong address) && !type.IsFloat() && type.Bytes() >= 4:
                return symbols.Constant(address + (ulong)name.Offset, type);
            case IntegerSyntax integer when type == PtxType.Pred:
                return symbols.Constant(integer.Value == 0 ? 0u : 1u, type);
            case IntegerSyntax integer when !type.IsFloat():
                int bits = 8 * type.Bytes();
                if (integer.Value < -(Int128.One << bits - 1) || integer.Value >= Int128.One << bits) throw Error($"{integer.Value} has more than {bits} bits");
                return symbols.Constant((ulong)integer.Value & ulong.MaxValue >> 64 - bits, bits == 8 ? PtxType.B16 : type);
            case FloatSyntax number when number.Type == type || (type.IsBits() && number.Type.Bytes() == type.Bytes()):
                return symbols.Constant(number.Bits, type);
            case NameSyntax name:
                throw Error($"unknown register or variable {name.Name}");
            default:
                throw Error($"an operand is no .{type.Suffix()}");
        }
    }

    Register Find(string name, PtxType type, bool wide)
    {
        Register register = symbols.FindRegister(name) ?? throw Error($"unknown register {name}");
        if (!(wide ? type.FitsIn(register.Type) : type.Accepts(register.Type))) throw Error($"{name} is a .{register.Type.Suffix()}, not a .{type.Suffix()}");
        return register;
    }

    Register Read(Register register)
    {
        if (!_reads.Contains(register.Number)) _reads.Add(register.Number);
        return register;
    }

    Register Written(string name, PtxType type, bool wide)
    {
        Register register = FindWritable(name, type, wide);
        _writes.Add(register.Number);
        return register;
    }

    Register FindWritable(string name, PtxType type, bool wide) =>
        Block.IsSpecial(name) ? throw Error($"{name} cannot be written") : Find(name, type, wide);
}
