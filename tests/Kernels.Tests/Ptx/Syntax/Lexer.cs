namespace ClipSegNative.Tests.Kernels.Ptx.Syntax;

/// <summary>PTX as words, punctuation and strings, without white space and comments.</summary>
static class Lexer
{
    const string PunctuationCharacters = ",;{}[]()@!|<>=+-:";

    /// <exception cref="PtxException">There is a character that PTX does not have, or a comment or string without an end.</exception>
    public static List<Token> Tokens(string source)
    {
        List<Token> tokens = [];
        int line = 1;
        for (int at = 0; at < source.Length;)
        {
            char c = source[at];
            if (c == '\n') line++;
            if (char.IsWhiteSpace(c))
            {
                at++;
                continue;
            }
            int end = CommentEnd(source, at, line);
            if (end > at)
            {
                line += source.AsSpan(at, end - at).Count('\n');
                at = end;
                continue;
            }
            Token token = Next(source, at, line);
            tokens.Add(token);
            at += token.Text.Length;
        }
        tokens.Add(new Token(TokenKind.End, "", line, source.Length));
        return tokens;
    }

    static int CommentEnd(string source, int start, int line)
    {
        if (source.AsSpan(start).StartsWith("//"))
        {
            int newLine = source.IndexOf('\n', start);
            return newLine < 0 ? source.Length : newLine;
        }
        if (!source.AsSpan(start).StartsWith("/*")) return start;
        int close = source.IndexOf("*/", start + 2, StringComparison.Ordinal);
        if (close < 0) throw new PtxException(line, "/*", "a comment does not end");
        return close + 2;
    }

    static Token Next(string source, int start, int line)
    {
        char c = source[start];
        if (IsWordCharacter(c)) return new Token(TokenKind.Word, source[start..WordEnd(source, start)], line, start);
        if (PunctuationCharacters.Contains(c)) return new Token(TokenKind.Punctuation, c.ToString(), line, start);
        if (c == '"')
        {
            int close = source.IndexOfAny(['"', '\n'], start + 1);
            if (close < 0 || source[close] == '\n') throw new PtxException(line, "\"", "a string does not end");
            return new Token(TokenKind.String, source[start..(close + 1)], line, start);
        }
        throw new PtxException(line, c.ToString(), "PTX has no such character");
    }

    static int WordEnd(string source, int start)
    {
        int end = start;
        while (end < source.Length)
        {
            if (IsWordCharacter(source[end])) end++;
            // As in ld.global.L2::128B; one colon alone ends a label.
            else if (source.AsSpan(end).StartsWith("::")) end += 2;
            else break;
        }
        return end;
    }

    static bool IsWordCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '%' or '.';
}
