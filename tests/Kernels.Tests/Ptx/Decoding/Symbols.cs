using ClipSegNative.Tests.Kernels.Ptx.Execution;
using ClipSegNative.Tests.Kernels.Ptx.Syntax;

namespace ClipSegNative.Tests.Kernels.Ptx.Decoding;

/// <summary>The names of a kernel and what they stand for: registers, which come and go with their scopes, variables and parameters.</summary>
sealed class Symbols
{
    /// <summary>A whole vector of the host's.</summary>
    const int RegisterAlignment = 32;

    readonly Stack<Dictionary<string, Register>> _scopes = new([[]]);
    readonly Dictionary<string, Register> _specials = [];
    readonly Dictionary<(ulong Bits, int Bytes), Register> _constants = [];
    readonly Dictionary<string, Parameter> _parameters = [];
    readonly Dictionary<string, VariableSyntax> _variables;
    readonly Dictionary<string, ulong> _globals;
    readonly Dictionary<string, int> _shared = [];
    int _registers;

    /// <param name="variables">Of the module.</param>
    /// <param name="globals">Addresses of those in global memory and of constants.</param>
    /// <param name="kernel">Whose.</param>
    public Symbols(IReadOnlyList<VariableSyntax> variables, Dictionary<string, ulong> globals, KernelSyntax kernel)
    {
        _globals = globals;
        _variables = variables.ToDictionary(variable => variable.Name);
        foreach (VariableSyntax parameter in kernel.Parameters)
        {
            int offset = Align(ParameterBytes, parameter.Align);
            _parameters.Add(parameter.Name, new Parameter(parameter.Name, offset, parameter.Bytes));
            ParameterBytes = offset + parameter.Bytes;
        }
        HashSet<string> used = NamesIn(kernel);
        foreach (VariableSyntax variable in kernel.Body.OfType<LocalVariableSyntax>().Select(statement => statement.Variable))
            if (!_variables.TryAdd(variable.Name, variable)) throw new PtxException(variable.Line, variable.Name, "the variable is declared twice");
        PlaceShared([.. _variables.Values.Where(variable => variable.Space == Space.Shared && used.Contains(variable.Name))]);
    }

    public int ParameterBytes { get; private set; }

    public int RegisterBytes { get; private set; }

    public int RegisterCount => _registers;

    public int SharedBytes { get; private set; }

    public IReadOnlyList<Parameter> Parameters => [.. _parameters.Values];

    public IReadOnlyList<(Register, ulong)> Constants => [.. _constants.Select(constant => (constant.Value, constant.Key.Bits))];

    public IReadOnlyList<(string, Register)> Specials => [.. _specials.Select(special => (special.Key, special.Value))];

    public void OpenScope() => _scopes.Push([]);

    public void CloseScope() => _scopes.Pop();

    public void Declare(RegisterSyntax declaration)
    {
        if (declaration.Count is not int count) Declare(declaration, declaration.Name);
        else
        {
            for (int i = 0; i < count; i++) Declare(declaration, declaration.Name + i);
        }
    }

    public Register? FindRegister(string name)
    {
        foreach (Dictionary<string, Register> scope in _scopes)
            if (scope.TryGetValue(name, out Register? register)) return register;
        if (!Block.IsSpecial(name)) return null;
        if (!_specials.TryGetValue(name, out Register? special)) _specials[name] = special = NewRegister(PtxType.U32);
        return special;
    }

    public Parameter? FindParameter(string name) => _parameters.TryGetValue(name, out Parameter parameter) ? parameter : null;

    /// <summary>A variable and its address in its state space.</summary>
    public (VariableSyntax Variable, ulong Address)? FindVariable(string name)
    {
        if (!_variables.TryGetValue(name, out VariableSyntax? variable)) return null;
        return (variable, variable.Space == Space.Shared ? (ulong)_shared[name] : _globals[name]);
    }

    /// <summary>A register that holds the same for all lanes.</summary>
    public Register Constant(ulong bits, PtxType type)
    {
        if (!_constants.TryGetValue((bits, type.Bytes()), out Register? register)) _constants[(bits, type.Bytes())] = register = NewRegister(type);
        return register;
    }

    void Declare(RegisterSyntax declaration, string name)
    {
        if (!_scopes.Peek().TryAdd(name, NewRegister(declaration.Type))) throw new PtxException(declaration.Line, name, "the register is declared twice");
    }

    Register NewRegister(PtxType type)
    {
        int bytes = type == PtxType.Pred ? sizeof(uint) : type.Bytes() * Warp.Size;
        int offset = type == PtxType.Pred ? RegisterBytes : Align(RegisterBytes, RegisterAlignment);
        RegisterBytes = offset + bytes;
        return new Register(_registers++, type, offset);
    }

    void PlaceShared(IReadOnlyList<VariableSyntax> variables)
    {
        foreach (VariableSyntax variable in variables.Where(variable => variable.Bytes > 0))
        {
            int offset = Align(SharedBytes, variable.Align);
            _shared.Add(variable.Name, offset);
            SharedBytes = offset + variable.Bytes;
        }
        VariableSyntax[] dynamic = [.. variables.Where(variable => variable.Bytes == 0)];
        if (dynamic.Length > 0) SharedBytes = Align(SharedBytes, SharedBytes == 0 ? 1 : Math.Max(16, dynamic.Max(variable => variable.Align)));
        foreach (VariableSyntax variable in dynamic) _shared.Add(variable.Name, SharedBytes);
    }

    static HashSet<string> NamesIn(KernelSyntax kernel)
    {
        static IEnumerable<string> Names(OperandSyntax operand) => operand switch
        {
            NameSyntax name => [name.Name],
            AddressSyntax address => Names(address.Base),
            VectorSyntax vector => vector.Elements.SelectMany(Names),
            _ => [],
        };
        return [.. kernel.Body.OfType<InstructionSyntax>().SelectMany(instruction => instruction.Operands).SelectMany(Names)];
    }

    static int Align(int offset, int alignment) => (offset + alignment - 1) & -alignment;
}
