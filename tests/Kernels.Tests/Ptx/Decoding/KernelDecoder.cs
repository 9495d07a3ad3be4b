using ClipSegNative.Tests.Kernels.Ptx.Execution;
using ClipSegNative.Tests.Kernels.Ptx.Instructions;
using ClipSegNative.Tests.Kernels.Ptx.Syntax;

namespace ClipSegNative.Tests.Kernels.Ptx.Decoding;

/// <summary>A kernel's syntax into instructions that can be executed.</summary>
sealed class KernelDecoder
{
    readonly KernelSyntax _kernel;
    readonly Symbols _symbols;
    readonly List<Instruction> _code = [];
    readonly List<InstructionReader> _readers = [];
    readonly Dictionary<string, int> _labels = [];

    KernelDecoder(KernelSyntax kernel, Symbols symbols) => (_kernel, _symbols) = (kernel, symbols);

    /// <param name="kernel">What to decode.</param>
    /// <param name="variables">Of its module.</param>
    /// <param name="globals">Addresses of those in global memory and of constants.</param>
    /// <exception cref="PtxException">Something is unknown or wrong.</exception>
    public static Kernel Decode(KernelSyntax kernel, IReadOnlyList<VariableSyntax> variables, Dictionary<string, ulong> globals) =>
        new KernelDecoder(kernel, new Symbols(variables, globals, kernel)).Decode();

    Kernel Decode()
    {
        foreach (StatementSyntax statement in _kernel.Body)
        {
            switch (statement)
            {
                case ScopeSyntax { Opens: true }: _symbols.OpenScope(); break;
                case ScopeSyntax: _symbols.CloseScope(); break;
                case RegisterSyntax registers: _symbols.Declare(registers); break;
                case LabelSyntax label:
                    if (!_labels.TryAdd(label.Name, _code.Count)) throw new PtxException(label.Line, label.Name, "the label stands twice");
                    break;
                case InstructionSyntax instruction: Add(instruction); break;
            }
        }
        if (_code.Count == 0 || _code[^1] is not { Flow: Flow.Exit or Flow.Branch, Guard: null })
            throw new PtxException(_kernel.Line, _kernel.Name, "the kernel does not end with ret");
        SetTargets();
        return new Kernel
        {
            Name = _kernel.Name,
            Code = [.. _code],
            Parameters = _symbols.Parameters,
            ParameterBytes = _symbols.ParameterBytes,
            RegisterBytes = _symbols.RegisterBytes,
            RegisterCount = _symbols.RegisterCount,
            Constants = _symbols.Constants,
            Specials = _symbols.Specials,
            SharedBytes = _symbols.SharedBytes,
            MaxThreads = _kernel.MaxThreads,
            ExactThreads = _kernel.ExactThreads,
            SharedGranule = _readers.Select(reader => reader.SharedAccess).Where(bytes => bytes > 0).Append(4).Min(),
            HasGlobalAtomics = _readers.Exists(reader => reader.IsGlobalAtomic),
        };
    }

    void Add(InstructionSyntax syntax)
    {
        InstructionReader reader = new(syntax, _symbols);
        if (!Opcodes.TryGet(syntax.Opcode, out Decoder? decode)) throw reader.Error($"unknown opcode {syntax.Opcode}");
        LaneOperation operation = decode(reader);
        reader.Finish();
        Register? guard = null;
        if (syntax.Guard is not null)
        {
            guard = _symbols.FindRegister(syntax.Guard.Register);
            if (guard?.Type != PtxType.Pred) throw reader.Error($"{syntax.Guard.Register} is no predicate");
        }
        _readers.Add(reader);
        _code.Add(new Instruction
        {
            Line = syntax.Line,
            Text = syntax.Text,
            Execute = operation,
            Flow = reader.Flow,
            Guard = guard,
            GuardNegated = syntax.Guard?.Negated ?? false,
            Reads = reader.Reads,
            Writes = reader.Writes,
            Members = reader.Members,
        });
    }

    void SetTargets()
    {
        for (int i = 0; i < _code.Count; i++)
        {
            if (_readers[i].Label is not string label) continue;
            if (!_labels.TryGetValue(label, out int target)) throw _readers[i].Error($"unknown label {label}");
            if (target == _code.Count) throw _readers[i].Error($"nothing stands behind the label {label}");
            _code[i].Target = target;
        }
    }
}
