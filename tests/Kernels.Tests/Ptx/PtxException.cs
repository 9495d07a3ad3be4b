namespace ClipSegNative.Tests.Kernels.Ptx;

/// <summary>A text that is not PTX, or PTX that the interpreter does not know.</summary>
sealed class PtxException(int line, string text, string problem) : Exception($"Line {line}: {problem}: {text}")
{
    /// <summary>From 1.</summary>
    public int Line => line;

    /// <summary>What stands there.</summary>
    public string Text => text;
}
