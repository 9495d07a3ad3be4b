using ClipSegNative.Backends;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.Clip;

/// <summary>How <c>hidden_act</c> spells the functions between the two linear maps of a tower's blocks.</summary>
static class HiddenActivations
{
    public static string Spelling(this Activation activation) => activation switch
    {
        Activation.QuickGelu => "quick_gelu",
        Activation.Gelu => "gelu",
        Activation.Relu => "relu",
        _ => throw new ArgumentOutOfRangeException(nameof(activation)),
    };

    public static Activation Read(JsonSection json, string key) => json.Text(key) switch
    {
        null or "quick_gelu" => Activation.QuickGelu,
        "gelu" => Activation.Gelu,
        "relu" => Activation.Relu,
        _ => throw json.Refuse(key, "quick_gelu, gelu or relu"),
    };
}
