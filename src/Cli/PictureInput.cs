namespace ClipSegNative.Cli;

/// <summary>One picture to read.</summary>
/// <param name="Name">As messages and JSON name it.</param>
/// <param name="Path">Null for standard input.</param>
/// <param name="Below">The folder it lies in, seen from the folder or pattern that was given; empty for the same.</param>
/// <param name="Error">Why it cannot even be tried.</param>
sealed record PictureInput(string Name, string? Path, string Below = "", string? Error = null)
{
    /// <summary>The spelling of standard input and output.</summary>
    public const string Pipe = "-";

    public bool IsPipe => Path is null && Error is null;

    public string FileName => Path is null ? "stdin" : System.IO.Path.GetFileName(Path);
}
