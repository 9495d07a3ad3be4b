using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using ClipSegNative.Tests.Kernels.Ptx.Syntax;

namespace ClipSegNative.Tests.Kernels.Ptx;

/// <summary>PTX, parsed and decoded: the same for all devices and launches, and for threads at the same time.</summary>
sealed class PtxModule
{
    static int VariableCount;

    PtxModule(IReadOnlyDictionary<string, Kernel> kernels, IReadOnlyList<(VariableSyntax, ulong)> variables) => (Kernels, Variables) = (kernels, variables);

    public IReadOnlyDictionary<string, Kernel> Kernels { get; }

    /// <summary>Those in global memory and constants, with their addresses, which no other module gives.</summary>
    public IReadOnlyList<(VariableSyntax Syntax, ulong Address)> Variables { get; }

    /// <param name="source">The text.</param>
    /// <exception cref="PtxException">Something is unknown or wrong.</exception>
    public static PtxModule Parse(string source)
    {
        ModuleSyntax syntax = ModuleParser.Parse(source);
        (VariableSyntax Syntax, ulong Address)[] variables =
        [
            .. syntax.Variables.Where(variable => variable.Space != Space.Shared).Select(variable => (variable, GlobalMemory.VariableAddress(Interlocked.Increment(ref VariableCount)))),
        ];
        Dictionary<string, ulong> addresses = variables.ToDictionary(variable => variable.Syntax.Name, variable => variable.Address);
        Dictionary<string, Kernel> kernels = [];
        foreach (KernelSyntax kernel in syntax.Kernels)
        {
            if (!kernels.TryAdd(kernel.Name, KernelDecoder.Decode(kernel, syntax.Variables, addresses)))
                throw new PtxException(kernel.Line, kernel.Name, "the kernel stands twice");
        }
        return new PtxModule(kernels, variables);
    }
}
