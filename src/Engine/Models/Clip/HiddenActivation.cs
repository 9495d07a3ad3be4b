using ClipSegNative.Weights;

namespace ClipSegNative.Models.Clip;

/// <summary>The non-linearity between the two linear maps of a tower's blocks; <c>gelu</c> is the exact, erf one.</summary>
enum HiddenActivation
{
    QuickGelu,
    Gelu,
    Relu,
}

static class HiddenActivations
{
    /// <summary>As <c>hidden_act</c> spells it.</summary>
    public static string Spelling(this HiddenActivation activation) => activation switch
    {
        HiddenActivation.QuickGelu => "quick_gelu",
        HiddenActivation.Gelu => "gelu",
        HiddenActivation.Relu => "relu",
        _ => throw new ArgumentOutOfRangeException(nameof(activation)),
    };

    public static HiddenActivation Read(JsonSection json, string key) => json.Text(key) switch
    {
        null or "quick_gelu" => HiddenActivation.QuickGelu,
        "gelu" => HiddenActivation.Gelu,
        "relu" => HiddenActivation.Relu,
        _ => throw json.Refuse(key, "quick_gelu, gelu or relu"),
    };
}
