using System.Diagnostics;

namespace ClipSegNative.Backends.Decorators;

/// <summary>What one kind of operation cost: calls, time, multiply-adds.</summary>
sealed record ProfileLine(string Operation, int Calls, double Milliseconds, double MultiplyAdds)
{
    /// <summary>10⁹ floating-point operations a second, a multiply-add being two; 0 for operations that only move data.</summary>
    public double GigaFlops => Milliseconds > 0 ? 2 * MultiplyAdds / (Milliseconds * 1e6) : 0;
}

/// <summary>Times each operation, waiting for it to end: sums per operation and shape.</summary>
sealed class ProfiledBackend(IBackend inner) : BackendDecorator(inner)
{
    readonly Dictionary<string, ProfileLine> _lines = [];
    long _started;

    /// <summary>Costliest first.</summary>
    public IReadOnlyList<ProfileLine> Lines => [.. _lines.Values.OrderByDescending(line => line.Milliseconds)];

    public void Clear() => _lines.Clear();

    protected override bool Before(in Operation operation)
    {
        _started = Stopwatch.GetTimestamp();
        return true;
    }

    protected override void After(in Operation operation)
    {
        Inner.Synchronize();
        double milliseconds = Stopwatch.GetElapsedTime(_started).TotalMilliseconds;
        string key = $"{operation.Name} {(operation.Reads.IsEmpty ? "" : operation.Reads[0])}{(operation.Writes.IsEmpty ? "" : $" -> {operation.Writes[0]}")}";
        ProfileLine old = _lines.GetValueOrDefault(key) ?? new ProfileLine(key, 0, 0, 0);
        _lines[key] = new ProfileLine(key, old.Calls + 1, old.Milliseconds + milliseconds, old.MultiplyAdds + operation.MultiplyAdds);
    }
}
