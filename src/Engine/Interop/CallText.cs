using System.Runtime.CompilerServices;

namespace ClipSegNative.Interop;

/// <summary>A native call as an error message shows it, with its arguments. Where the call succeeded nothing is formatted.</summary>
[InterpolatedStringHandler]
ref struct CallText
{
    DefaultInterpolatedStringHandler _text;

    /// <param name="literalLength">Counted by the compiler.</param>
    /// <param name="formattedCount">Counted by the compiler.</param>
    /// <param name="result">Zero for success, as in all of NVIDIA's libraries.</param>
    /// <param name="failed">Whether the rest is evaluated.</param>
    public CallText(int literalLength, int formattedCount, int result, out bool failed)
    {
        failed = result != 0;
        _text = failed ? new(literalLength, formattedCount) : default;
    }

    public void AppendLiteral(string text) => _text.AppendLiteral(text);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string format) => _text.AppendFormatted(value, format);

    public string Finish() => _text.ToStringAndClear();
}
