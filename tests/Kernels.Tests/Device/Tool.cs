using System.Diagnostics;

namespace ClipSegNative.Tests.Device;

/// <summary>What a program said.</summary>
/// <param name="Code">Its exit code.</param>
/// <param name="Text">Output and error stream together, in the order they came.</param>
sealed record ToolResult(int Code, string Text);

/// <summary>Finds and runs programs of the CUDA toolkit.</summary>
static class Tool
{
    /// <summary>On <c>PATH</c>, in the toolkit that <c>CUDA_HOME</c> or <c>CUDA_PATH</c> names, else in <c>/usr/local/cuda</c>; null where it is in none.</summary>
    public static string? Find(string name, Func<string, string?> variable)
    {
        IEnumerable<string> folders =
        [
            .. (variable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
            .. from root in (string?[])[variable("CUDA_HOME"), variable("CUDA_PATH"), "/usr/local/cuda"] where !string.IsNullOrEmpty(root) select Path.Combine(root, "bin"),
        ];
        return folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }

    public static ToolResult Run(string file, IEnumerable<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var text = new System.Text.StringBuilder();
        process.OutputDataReceived += Add;
        process.ErrorDataReceived += Add;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return new(process.ExitCode, $"{text}");

        void Add(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is null) return;
            lock (text) text.AppendLine(line.Data);
        }
    }
}
