namespace ClipSegNative.Tests.Kernels.Ptx.Syntax;

enum TokenKind
{
    /// <summary>A name, register, directive, opcode with its modifiers, or number.</summary>
    Word,

    /// <summary>One character.</summary>
    Punctuation,

    /// <summary>Between quotation marks.</summary>
    String,

    End,
}

/// <param name="Kind">What it is.</param>
/// <param name="Text">As it stands in the source.</param>
/// <param name="Line">From 1.</param>
/// <param name="Position">Of its first character in the source.</param>
readonly record struct Token(TokenKind Kind, string Text, int Line, int Position)
{
    public bool Is(string text) => Kind != TokenKind.String && Text == text;
}
