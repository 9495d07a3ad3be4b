namespace ClipSegNative.Tests.Kernels.Ptx.Syntax;

/// <summary>The statements of a kernel, from its brace to the one that closes it.</summary>
sealed class BodyParser(TokenReader tokens)
{
    readonly List<StatementSyntax> _statements = [];

    public IReadOnlyList<StatementSyntax> Parse()
    {
        tokens.Expect("{");
        for (int depth = 1; depth > 0;)
        {
            int line = tokens.Peek.Line;
            if (tokens.Accept("{"))
            {
                depth++;
                _statements.Add(new ScopeSyntax(line, Opens: true));
            }
            else if (tokens.Accept("}"))
            {
                depth--;
                if (depth > 0) _statements.Add(new ScopeSyntax(line, Opens: false));
            }
            // Inline assembly that ends with a semicolon is followed by another.
            else if (!tokens.Accept(";")) Statement();
        }
        return _statements;
    }

    void Statement()
    {
        Token first = tokens.Peek;
        if (tokens.AtLabel)
        {
            _statements.Add(new LabelSyntax(first.Line, tokens.Name()));
            tokens.Expect(":");
        }
        else if (first.Is(".reg")) Registers();
        else if (first.Is(".shared")) _statements.Add(new LocalVariableSyntax(ModuleParser.Variable(tokens, dynamic: false)));
        else if (first.Is(".pragma"))
        {
            tokens.Take();
            if (tokens.Take() is not { Kind: TokenKind.String, Text: "\"nounroll\"" }) throw tokens.Error("unknown pragma");
            tokens.Expect(";");
        }
        else if (first.Is(".local")) throw tokens.Error("local memory is not interpreted: index arrays by constants");
        else _statements.Add(Instruction());
    }

    void Registers()
    {
        int line = tokens.Take().Line;
        PtxType type = tokens.Type();
        if (type == PtxType.Pred || type.Bytes() >= 2)
        {
            do
            {
                string name = tokens.Name();
                int? count = null;
                if (tokens.Accept("<"))
                {
                    count = tokens.Count();
                    tokens.Expect(">");
                }
                _statements.Add(new RegisterSyntax(line, type, name, count));
            }
            while (tokens.Accept(","));
            tokens.Expect(";");
        }
        else throw tokens.Error("a register has at least 16 bits");
    }

    InstructionSyntax Instruction()
    {
        Token first = tokens.Peek;
        GuardSyntax? guard = null;
        if (tokens.Accept("@"))
        {
            bool negated = tokens.Accept("!");
            guard = new GuardSyntax(tokens.Name(), negated);
        }
        string[] opcode = tokens.Name().Split('.');
        List<OperandSyntax> operands = [];
        while (!tokens.Peek.Is(";"))
        {
            if (operands.Count > 0) tokens.Expect(",");
            operands.Add(Operand());
        }
        string text = tokens.TextFrom(first);
        tokens.Expect(";");
        return new InstructionSyntax(first.Line, text, guard, opcode[0], opcode[1..], operands);
    }

    OperandSyntax Operand()
    {
        if (tokens.Accept("{"))
        {
            List<OperandSyntax> elements = [];
            do elements.Add(Operand());
            while (tokens.Accept(","));
            tokens.Expect("}");
            return new VectorSyntax(elements);
        }
        if (tokens.Accept("["))
        {
            OperandSyntax address = IsNumber() ? tokens.Number() : new NameSyntax(tokens.Name());
            long offset = Offset();
            tokens.Expect("]");
            return new AddressSyntax(address, offset);
        }
        if (tokens.Accept("!")) return new NotSyntax(tokens.Name());
        if (IsNumber()) return tokens.Number();
        string name = tokens.Name();
        return tokens.Accept("|") ? new PairSyntax(name, tokens.Name()) : new NameSyntax(name, Offset());
    }

    bool IsNumber() => tokens.Peek.Is("-") || char.IsAsciiDigit(tokens.Peek.Text[0]);

    /// <summary>Both +-8 and -8 are written.</summary>
    long Offset() => tokens.Accept("+") || tokens.Peek.Is("-") ? (long)tokens.Integer() : 0;
}
