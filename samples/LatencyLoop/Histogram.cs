namespace LatencyLoop;

/// <summary>Times of one step, told as percentiles and as bars, two buckets for each doubling.</summary>
sealed class Histogram(string name)
{
    const int MaxBar = 40;

    readonly List<double> _milliseconds = [];

    public int Count => _milliseconds.Count;

    public void Add(TimeSpan time) => _milliseconds.Add(time.TotalMilliseconds);

    public void Write(TextWriter output)
    {
        if (Count == 0)
        {
            output.WriteLine($"{name}: no frame");
            return;
        }
        _milliseconds.Sort();
        output.WriteLine($"{name}: {Count} frames, p50 {Percentile(50):0.00} ms, p95 {Percentile(95):0.00} ms, p99 {Percentile(99):0.00} ms, worst {_milliseconds[^1]:0.00} ms");
        ILookup<int, double> buckets = _milliseconds.ToLookup(Bucket);
        int first = Bucket(_milliseconds[0]), last = Bucket(_milliseconds[^1]), most = buckets.Max(bucket => bucket.Count());
        for (int bucket = first; bucket <= last; bucket++)
        {
            int count = buckets[bucket].Count();
            string bar = new('#', (count * MaxBar + most - 1) / most);
            output.WriteLine($"  {Math.Pow(2, bucket / 2.0),9:0.00} - {Math.Pow(2, (bucket + 1) / 2.0),9:0.00} ms {count,6} {bar}");
        }
    }

    /// <summary>The smallest time that this share of all frames does not exceed (nearest rank).</summary>
    double Percentile(int percent) => _milliseconds[Math.Max(0, (Count * percent + 99) / 100 - 1)];

    static int Bucket(double milliseconds) => (int)Math.Floor(2 * Math.Log2(Math.Max(milliseconds, 1e-6)));
}
