using System.Globalization;

namespace ClipSegNative.Tests.Kernels.Ptx.Syntax;

/// <summary>Tokens one by one, and the small pieces of grammar that everything is made of.</summary>
sealed class TokenReader(string source)
{
    readonly List<Token> _tokens = Lexer.Tokens(source);
    int _next;

    public Token Peek => _tokens[_next];

    public bool AtEnd => Peek.Kind == TokenKind.End;

    public Token Take() => AtEnd ? throw Error("the text ends too early") : _tokens[_next++];

    public bool Accept(string text)
    {
        if (!Peek.Is(text)) return false;
        _next++;
        return true;
    }

    public void Expect(string text)
    {
        if (!Accept(text)) throw Error($"'{text}' expected instead of '{Peek.Text}'");
    }

    /// <summary>A word that is neither a directive nor a number.</summary>
    public string Name()
    {
        if (AtEnd) throw Error("the text ends too early");
        if (Peek.Kind != TokenKind.Word || Peek.Text[0] == '.' || char.IsAsciiDigit(Peek.Text[0])) throw Error($"a name expected instead of '{Peek.Text}'");
        return Take().Text;
    }

    /// <summary>Whether a colon follows the next word: it is a label.</summary>
    public bool AtLabel => Peek.Kind == TokenKind.Word && _tokens[_next + 1].Is(":");

    /// <summary>A type with its dot.</summary>
    public PtxType Type()
    {
        if (!PtxTypes.TryParse(Peek.Text.TrimStart('.'), out PtxType type) || Peek.Text[0] != '.') throw Error($"a type expected instead of '{Peek.Text}'");
        Take();
        return type;
    }

    /// <summary>A number of things, or of bytes.</summary>
    public int Count()
    {
        Int128 value = Integer();
        return value >= 0 && value <= int.MaxValue ? (int)value : throw Error($"{value} is out of range");
    }

    /// <summary>A decimal or hexadecimal integer, with or without a sign.</summary>
    public Int128 Integer()
    {
        bool negative = Accept("-");
        string text = Peek.Text;
        string digits = text.EndsWith('U') ? text[..^1] : text;
        bool known = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, null, out ulong value)
            : ulong.TryParse(digits, NumberStyles.None, null, out value);
        if (Peek.Kind != TokenKind.Word || !known) throw Error($"an integer expected instead of '{text}'");
        Take();
        return negative ? -(Int128)value : value;
    }

    /// <summary>An integer, or a float given by its bits as 0f3F800000 or 0d3FF0000000000000.</summary>
    public OperandSyntax Number()
    {
        string text = Peek.Text;
        if (text.Length < 2 || text[0] != '0' || char.ToLowerInvariant(text[1]) is not ('f' or 'd')) return new IntegerSyntax(Integer());
        PtxType type = char.ToLowerInvariant(text[1]) == 'f' ? PtxType.F32 : PtxType.F64;
        if (text.Length != 2 + 2 * type.Bytes() || !ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, null, out ulong bits))
            throw Error($"'{text}' is no float");
        Take();
        return new FloatSyntax(type, bits);
    }

    public PtxException Error(string problem) => new(Peek.Line, LineText(), problem);

    /// <summary>The source from a token up to the one before the next, on one line.</summary>
    public string TextFrom(Token first)
    {
        Token last = _tokens[_next - 1];
        return string.Join(' ', source[first.Position..(last.Position + last.Text.Length)].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    string LineText()
    {
        int position = Math.Min(Peek.Position, source.Length);
        int start = position == 0 ? 0 : source.LastIndexOf('\n', position - 1) + 1;
        int end = source.IndexOf('\n', position);
        return source[start..(end < 0 ? source.Length : end)].Trim();
    }
}
