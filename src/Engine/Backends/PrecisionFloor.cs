namespace ClipSegNative.Backends;

/// <summary>How far below float32 a device may go with a product when it was asked for a lower precision.</summary>
enum PrecisionFloor
{
    /// <summary>As far as it was asked.</summary>
    None,

    /// <summary>Not below 16 bits: where int8 was asked for, weights are kept in F16.</summary>
    SixteenBits,

    /// <summary>Not at all.</summary>
    Float32,
}
