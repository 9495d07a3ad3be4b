using System.Text;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Collects the largest difference of every operation on every path and writes them as a table beside the test assembly.</summary>
public sealed class ErrorReport : IDisposable
{
    readonly Dictionary<(string Operation, string Path), Difference> _largest = [];

    internal void Add(string operation, string path, Difference difference) =>
        _largest[(operation, path)] = _largest.GetValueOrDefault((operation, path)).Or(difference);

    public void Dispose()
    {
        string[] paths = [.. _largest.Keys.Select(key => key.Path).Distinct().Order()];
        var table = new StringBuilder("| operation |");
        foreach (string path in paths) table.Append($" {path}: absolute | scaled | of allowance |");
        table.Append("\n|---|").Insert(table.Length, "---|---|---|", paths.Length).Append('\n');
        foreach (string operation in _largest.Keys.Select(key => key.Operation).Distinct().Order())
        {
            table.Append($"| {operation} |");
            foreach (string path in paths)
            {
                Difference worst = _largest.GetValueOrDefault((operation, path));
                table.Append($" {worst.Absolute:0.0e+0} | {worst.Scaled:0.0e+0} | {worst.Share:P0} |");
            }
            table.Append('\n');
        }
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, "conformance-errors.md"), table.ToString());
    }
}
