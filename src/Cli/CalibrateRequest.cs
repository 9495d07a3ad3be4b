using ClipSegNative.Calibration;

namespace ClipSegNative.Cli;

/// <summary>What <c>calibrate</c> was asked for.</summary>
sealed record CalibrateRequest
{
    /// <summary>Null for the environment's.</summary>
    public string? Model { get; init; }

    /// <summary>Annotation files; phrases without polygons name nothing.</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>Annotation files of phrases that nearly name something.</summary>
    public required IReadOnlyList<string> NearMisses { get; init; }

    public required string Images { get; init; }

    /// <summary>Share of the picture, below which targets are left out.</summary>
    public double MinArea { get; init; }

    public CalibrationFloors Floors { get; init; } = new();

    public bool Json { get; init; }

    public bool Quiet { get; init; }

    public SegmenterOptions Segmenter { get; init; } = new();
}
