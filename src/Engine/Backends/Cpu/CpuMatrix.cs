using System.Runtime.InteropServices;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>How the weights of a matrix are kept.</summary>
enum WeightFormat
{
    F32,

    /// <summary>Widened to float32 when they are multiplied.</summary>
    F16,

    /// <summary>bfloat16, two inputs of one output side by side.</summary>
    Bf16,

    /// <summary>Signed bytes, four inputs of one output side by side, and a scale and a sum for each output; pairs are at most <see cref="Int8.MostPair"/>.</summary>
    Int8Signed,

    /// <summary>As <see cref="Int8Signed"/>, without a bound for pairs, and raised by 128.</summary>
    Int8Raised,
}

/// <summary>
/// Weights as the microkernel reads them: panels of adjacent outputs, [outputs / width][inputs / group][width][group], the last panel padded with zeros,
/// and inputs to a whole group.
/// </summary>
sealed unsafe class CpuMatrix : PackedMatrix
{
    /// <summary>To be raised whenever what is written here describes something else than before: files of packed weights of another version are made anew.</summary>
    public const int LayoutVersion = 1;

    readonly CpuMemory _memory;

    /// <param name="outputs">Rows of the weight.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="panelWidth">Outputs side by side.</param>
    /// <param name="format">How the weights are kept.</param>
    /// <param name="packed">Where they lie already; null for new memory.</param>
    public CpuMatrix(int outputs, int inputs, int panelWidth, WeightFormat format = WeightFormat.F32, void* packed = null) : base(outputs, inputs)
    {
        (Group, int size) = format switch
        {
            WeightFormat.F16 => (1, sizeof(ushort)),
            WeightFormat.Bf16 => (2, sizeof(ushort)),
            WeightFormat.Int8Signed or WeightFormat.Int8Raised => (4, sizeof(byte)),
            _ => (1, sizeof(float)),
        };
        Format = format;
        PanelWidth = panelWidth;
        Panels = (outputs + panelWidth - 1) / panelWidth;
        Depth = (inputs + Group - 1) / Group * Group;
        PanelBytes = (long)Depth * panelWidth * size;
        bool scaled = format is WeightFormat.Int8Signed or WeightFormat.Int8Raised;
        long body = Panels * PanelBytes;
        long bytes = body + (scaled ? (long)Panels * panelWidth * (sizeof(float) + sizeof(int)) : 0);
        _memory = packed == null ? new CpuMemory(bytes) : new CpuMemory(packed, bytes);
        Scales = scaled ? (float*)(_memory.Pointer + body) : null;
        Sums = scaled ? (int*)(Scales + Panels * panelWidth) : null;
        if (packed != null) return;
        if (scaled) NativeMemory.Clear(Scales, (nuint)(_memory.Bytes - body));
        if (Depth != inputs) NativeMemory.Clear(_memory.Pointer, (nuint)_memory.Bytes);
        else if (outputs % panelWidth != 0) NativeMemory.Clear(Panel<byte>(Panels - 1), (nuint)PanelBytes);
    }

    public WeightFormat Format { get; }

    public int PanelWidth { get; }

    public int Panels { get; }

    public long PanelBytes { get; }

    /// <summary>Inputs that lie side by side.</summary>
    public int Group { get; }

    /// <summary>Inputs with those that fill the last group.</summary>
    public int Depth { get; }

    /// <summary>What the bytes of each output stand for; null where the weights are no bytes. 0 for outputs that fill the last panel.</summary>
    public float* Scales { get; }

    /// <summary>Of the weights of each output as bytes, not raised; null where they are no bytes.</summary>
    public int* Sums { get; }

    /// <summary>A weight was too large for its format, or not finite.</summary>
    public bool Overflowed { get; set; }

    public override long Bytes => _memory.Bytes;

    public override ReadOnlySpan<byte> Contents => new(_memory.Pointer, checked((int)_memory.Bytes));

    public float* Panel(int index) => Panel<float>(index);

    public T* Panel<T>(int index) where T : unmanaged => (T*)(_memory.Pointer + index * PanelBytes);

    public override void Dispose() => _memory.Dispose();
}
