using ClipSegNative.Backends;

namespace ClipSegNative;

/// <summary>Which device does the arithmetic.</summary>
public enum DeviceKind
{
    /// <summary>The best that has proven itself: the CPU, until the CUDA backend has run on a device.</summary>
    Auto,

    /// <summary>Managed SIMD; always there.</summary>
    Cpu,

    /// <summary>An NVIDIA GPU. Untried: the backend for it has run in an interpreter only (docs/gpu-checks.md).</summary>
    Cuda,
}

/// <summary>How a <see cref="Segmenter"/> is set up.</summary>
public sealed record SegmenterOptions
{
    /// <summary>The device; <see cref="DeviceKind.Auto"/> unless said otherwise.</summary>
    public DeviceKind Device { get; init; }

    /// <summary>Which of the GPUs, from 0, as the driver numbers those it shows.</summary>
    public int DeviceOrdinal { get; init; }

    /// <summary>CPU threads, 1 or more, the calling one included; null for one a core.</summary>
    public int? Threads { get; init; }

    /// <summary>What products are computed in; <see cref="Precision.Fp32"/> unless said otherwise. Where the CPU cannot, <see cref="Segmenter.PrecisionWarning"/> tells.</summary>
    public Precision Precision { get; init; }

    /// <summary>Working size in pixels, each side a multiple of the model's patch size and at most 4096; null for the size in <c>preprocessor_config.json</c> (352 x 352 for CLIPSeg).</summary>
    public (int Width, int Height)? WorkingSize { get; init; }

    /// <summary>
    /// Whether <see cref="Segmenter.Like"/> is wanted, true unless said otherwise. The last blocks of the image tower serve it alone: 58 MB of the
    /// published models.
    /// </summary>
    public bool ImagePrompts { get; init; } = true;

    /// <summary>
    /// A folder for files of packed weights, as large as the weights, one for each model and precision: written by the first load, mapped by later ones, which
    /// then take little time, and whose weights are memory that processes share. A file that does not fit is made anew, and
    /// <see cref="Segmenter.PackedWeightsWarning"/> says so. On the CPU only. Null for none.
    /// </summary>
    public string? PackedWeights { get; init; }

    /// <summary>How many phrases' text embeddings are remembered, 2 KiB each. 1 or more.</summary>
    public int TextCacheSize { get; init; } = 4096;

    /// <summary>Checks shapes, aliasing and finite values after every operation. Slow: for finding out which operation breaks.</summary>
    internal bool Check { get; init; }

    /// <summary>Times every operation, for <see cref="Segmenter.Profile"/>.</summary>
    internal bool Profile { get; init; }

    /// <summary>Forces one of the CPU paths, for tests and comparisons: "avx512", "avx2" or "portable"; null for the best one.</summary>
    internal string? CpuPath { get; init; }

    /// <summary>Makes the device instead of all that: for tests.</summary>
    internal Func<IBackend>? Backend { get; init; }

    /// <summary>Computes in <see cref="Precision"/> on any processor, however slowly: to measure its error.</summary>
    internal bool EmulatePrecision { get; init; }
}
