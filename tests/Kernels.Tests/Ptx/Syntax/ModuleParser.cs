using System.Buffers.Binary;

namespace ClipSegNative.Tests.Kernels.Ptx.Syntax;

/// <summary>PTX into syntax: what a compiler emits for kernels without functions, local memory or debug information.</summary>
sealed class ModuleParser
{
    readonly TokenReader _tokens;
    readonly List<VariableSyntax> _variables = [];
    readonly List<KernelSyntax> _kernels = [];

    ModuleParser(string source) => _tokens = new TokenReader(source);

    /// <exception cref="PtxException">Something is unknown or wrong.</exception>
    public static ModuleSyntax Parse(string source)
    {
        ModuleParser parser = new(source);
        parser.Header();
        while (!parser._tokens.AtEnd) parser.Declaration();
        return new ModuleSyntax(parser._variables, parser._kernels);
    }

    void Header()
    {
        _tokens.Expect(".version");
        _tokens.Take();
        _tokens.Expect(".target");
        string target = _tokens.Name();
        if (!target.StartsWith("sm_", StringComparison.Ordinal)) throw _tokens.Error($"'{target}' is no target");
        _tokens.Expect(".address_size");
        if (_tokens.Count() != 64) throw _tokens.Error("addresses must have 64 bits");
    }

    void Declaration()
    {
        bool dynamic = _tokens.Accept(".extern");
        if (!dynamic && !_tokens.Accept(".visible")) _tokens.Accept(".weak");
        if (!dynamic && _tokens.Accept(".entry"))
        {
            _kernels.Add(Kernel());
            return;
        }
        VariableSyntax variable = Variable(_tokens, dynamic);
        if (dynamic && variable.Space != Space.Shared) throw _tokens.Error("only shared memory is given by the launch");
        _variables.Add(variable);
    }

    KernelSyntax Kernel()
    {
        int line = _tokens.Peek.Line;
        string name = _tokens.Name();
        List<VariableSyntax> parameters = [];
        _tokens.Expect("(");
        while (!_tokens.Accept(")"))
        {
            if (parameters.Count > 0) _tokens.Expect(",");
            parameters.Add(Parameter());
        }
        int? threads = null;
        bool exact = false;
        while (!_tokens.Peek.Is("{"))
        {
            switch (_tokens.Take().Text)
            {
                case ".maxntid": threads = Threads(); break;
                case ".reqntid": (threads, exact) = (Threads(), true); break;
                case ".minnctapersm" or ".maxnreg": _tokens.Count(); break;
                case string other: throw _tokens.Error($"unknown directive '{other}'");
            }
        }
        return new KernelSyntax(line, name, parameters, threads, exact, new BodyParser(_tokens).Parse());
    }

    int Threads()
    {
        int threads = _tokens.Count();
        while (_tokens.Accept(",")) threads *= _tokens.Count();
        return threads;
    }

    VariableSyntax Parameter()
    {
        int line = _tokens.Peek.Line;
        _tokens.Expect(".param");
        int? align = Align(_tokens);
        PtxType type = _tokens.Type();
        string name = _tokens.Name();
        int bytes = type.Bytes();
        if (_tokens.Accept("["))
        {
            bytes *= _tokens.Count();
            _tokens.Expect("]");
        }
        return new VariableSyntax(line, Space.Param, name, type, align ?? type.Bytes(), bytes, null);
    }

    /// <summary>From the state space to the semicolon.</summary>
    public static VariableSyntax Variable(TokenReader tokens, bool dynamic)
    {
        int line = tokens.Peek.Line;
        string directive = tokens.Peek.Text;
        Space space = directive switch
        {
            ".global" => Space.Global,
            ".const" => Space.Const,
            ".shared" => Space.Shared,
            _ => throw tokens.Error($"unknown directive '{directive}'"),
        };
        tokens.Take();
        int? align = Align(tokens);
        PtxType type = tokens.Type();
        string name = tokens.Name();
        int bytes = type.Bytes();
        bool sized = true;
        while (tokens.Accept("["))
        {
            sized = !tokens.Accept("]");
            if (!sized) break;
            bytes *= tokens.Count();
            tokens.Expect("]");
        }
        if (sized == dynamic) throw tokens.Error(dynamic ? "a variable of the launch's size has no size of its own" : "the variable needs a size");
        byte[]? initial = tokens.Accept("=") ? Initial(tokens, type, bytes) : null;
        if (initial is not null && space == Space.Shared) throw tokens.Error("shared memory cannot be initialised");
        tokens.Expect(";");
        return new VariableSyntax(line, space, name, type, align ?? type.Bytes(), sized ? bytes : 0, initial);
    }

    static int? Align(TokenReader tokens)
    {
        if (!tokens.Accept(".align")) return null;
        int align = tokens.Count();
        return int.IsPow2(align) ? align : throw tokens.Error($"an alignment of {align} is no power of two");
    }

    /// <summary>What the list leaves out is zero.</summary>
    static byte[] Initial(TokenReader tokens, PtxType type, int bytes)
    {
        byte[] data = new byte[bytes];
        int at = 0;
        void Element()
        {
            if (at + type.Bytes() > bytes) throw tokens.Error("there are more values than elements");
            ulong bits = tokens.Number() switch
            {
                IntegerSyntax integer => (ulong)integer.Value,
                FloatSyntax number => number.Bits,
                _ => throw tokens.Error("a number expected"),
            };
            Span<byte> word = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(word, bits);
            word[..type.Bytes()].CopyTo(data.AsSpan(at));
            at += type.Bytes();
        }
        if (!tokens.Accept("{"))
        {
            Element();
            return data;
        }
        do Element();
        while (tokens.Accept(","));
        tokens.Expect("}");
        return data;
    }
}
