namespace ClipSegNative.Weights;

/// <summary>A stranger's text made fit for a message of one line.</summary>
static class MessageText
{
    public const int MostCharacters = 120;

    public static string Shown(string text)
    {
        string cut = text.Length > MostCharacters ? $"{text.AsSpan(0, MostCharacters)}…" : text;
        return string.Create(cut.Length, cut, static (shown, source) =>
        {
            for (int i = 0; i < shown.Length; i++) shown[i] = IsFit(source[i]) ? source[i] : '?';
        });
    }

    /// <summary>Not control characters nor Unicode's line and paragraph separators; halves of characters that the cut parted neither.</summary>
    static bool IsFit(char c) => !char.IsControl(c) && !char.IsSurrogate(c) && c is not ('\u2028' or '\u2029');
}
