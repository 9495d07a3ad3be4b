namespace ClipSegNative.Data.Scenes;

/// <summary>Draws that depend on the data set's seed and a number alone, on every platform (SplitMix64, Steele et al. 2014).</summary>
sealed class SceneRandom(ulong seed, int index)
{
    ulong _state = Mixed(seed) ^ Mixed((ulong)index + 1);

    public int Next(int below) => (int)(NextBits() % (ulong)below);

    public bool Chance(double probability) => NextUnit() < probability;

    public float Between(float least, float most) => (float)(least + (most - least) * NextUnit());

    public T OneOf<T>() where T : struct, Enum => OneOf(Enum.GetValues<T>());

    public T OneOf<T>(IReadOnlyList<T> values) => values[Next(values.Count)];

    /// <summary>Two that differ.</summary>
    public (T First, T Second) TwoOf<T>() where T : struct, Enum
    {
        T[] values = Enum.GetValues<T>();
        int first = Next(values.Length), second = Next(values.Length - 1);
        return (values[first], values[second < first ? second : second + 1]);
    }

    public T[] Shuffled<T>(IEnumerable<T> values)
    {
        T[] shuffled = [.. values];
        for (int i = shuffled.Length - 1; i > 0; i--)
        {
            int other = Next(i + 1);
            (shuffled[i], shuffled[other]) = (shuffled[other], shuffled[i]);
        }
        return shuffled;
    }

    double NextUnit() => (NextBits() >> 11) * (1.0 / (1L << 53));

    ulong NextBits() => Mixed(_state += 0x9E3779B97F4A7C15);

    static ulong Mixed(ulong bits)
    {
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}
