using System.Runtime.InteropServices;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Layers;

/// <summary>Weights of given names and shapes in memory: gains near 1, everything else of mean 0. A name has the same values in every source.</summary>
sealed class RandomWeightSource(IEnumerable<(string Name, Shape Shape)> parameters) : IWeightSource
{
    const double Spread = 0.3;

    readonly Dictionary<string, WeightEntry> _entries = parameters.ToDictionary(
        parameter => parameter.Name, parameter => new WeightEntry(parameter.Name, DType.F32, parameter.Shape, new Memory(parameter.Name, parameter.Shape), 0));

    public string Description => "random weights";

    public IReadOnlyCollection<string> Names => _entries.Keys;

    public bool TryFind(string name, out WeightEntry entry) => _entries.TryGetValue(name, out entry);

    public IEnumerable<WeightToWrite> ToWrite() => _entries.Values.Select(entry => new WeightToWrite(entry.Name, entry.Shape, entry.Singles().ToArray()));

    public void Dispose() { }

    sealed class Memory : IWeightMemory
    {
        readonly float[] _values;

        public Memory(string name, Shape shape)
        {
            _values = new float[shape.Elements];
            bool isGain = shape.Rank == 1 && name.EndsWith(".weight", StringComparison.Ordinal);
            NormalNumbers.Fill(_values, NormalNumbers.Stream(seed: 3, name), isGain ? 1 : 0, Spread);
        }

        public string Description => "random weights";

        public ReadOnlySpan<byte> Slice(long offset, int length) => MemoryMarshal.AsBytes(_values.AsSpan()).Slice((int)offset, length);
    }
}
