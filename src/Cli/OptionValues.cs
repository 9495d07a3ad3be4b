using System.CommandLine;
using System.Globalization;

namespace ClipSegNative.Cli;

/// <summary>How option values are spelled, on the command line and in the environment.</summary>
static class OptionValues
{
    public const string DeviceVariable = "CLIPSEG_DEVICE";

    public const string ThreadsVariable = "CLIPSEG_THREADS", ThreadsValues = "a whole number from 1 to 1024";

    public const string PrecisionVariable = "CLIPSEG_PRECISION", PackedWeightsVariable = "CLIPSEG_PACKED_WEIGHTS";

    public static readonly string PrecisionValues = string.Join(" or ", Enum.GetValues<Precision>().Select(Precisions.Name));

    public delegate bool TryRead<T>(string text, out T value);

    /// <summary>An option whose value is read by hand, so that a wrong one is answered with what is right.</summary>
    public static Option<T?> Of<T>(string name, string helpName, string description, string expected, TryRead<T> read) where T : struct => new(name)
    {
        Description = description,
        HelpName = helpName,
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = result =>
        {
            if (read(result.Tokens[^1].Value, out T value)) return value;
            result.AddError($"{name} is '{result.Tokens[^1].Value}'; it must be {expected}.");
            return null;
        },
    };

    public static Option<DeviceChoice?> Device() =>
        Of<DeviceChoice>("--device", "DEVICE", $"{DeviceChoice.Values}; else {DeviceVariable}, else auto", DeviceChoice.Values, DeviceChoice.TryRead)
        .Suggesting("auto", "cpu", "cuda");

    public static Option<int?> Threads() =>
        Of<int>("--threads", "N", $"CPU threads; else {ThreadsVariable}, else one a core", ThreadsValues, TryThreads);

    public static Option<Precision?> Precision() => Of<Precision>(
        "--precision", "PRECISION", $"What the model computes in: {PrecisionValues}; else {PrecisionVariable}, else fp32", PrecisionValues, TryPrecision)
        .Suggesting([.. Enum.GetValues<Precision>().Select(Precisions.Name)]);

    public static Option<string?> PackedWeights() => new("--packed-weights")
    {
        Description = $"Keep the weights in this folder as the CPU multiplies them, so that later starts are quick; else {PackedWeightsVariable}, else they are packed at every start",
        HelpName = "DIR",
    };

    /// <summary>Null for what the model says.</summary>
    public static Option<float?> Threshold() => Of<float>(
        "--threshold", "T", $"Probability above which a pixel counts as found; else the model's own, of most models {Segmentation.DefaultThreshold}",
        "a number between 0 and 1", TryThreshold);

    /// <summary>Null for what the model says, 0 for off.</summary>
    public static Option<float?> Presence() => Of<float>(
        "--presence", "P|off", "Score (is the thing there at all?) below which a mask is empty; else the model's own, of most models off", "a number from 0 to 1, or off", TryPresence)
        .Suggesting("off");

    public static Option<T?> Suggesting<T>(this Option<T?> option, params string[] values) where T : struct
    {
        option.CompletionSources.Clear();   // the names of an enum, as C# spells them
        option.CompletionSources.Add(values);
        return option;
    }

    /// <summary>The command line wins over the environment.</summary>
    public static T? OrSetting<T>(this T? given, Host host, string variable, string expected, TryRead<T> read) where T : struct
    {
        if (given is not null || host.Setting(variable) is not { } text) return given;
        return read(text, out T value) ? value : throw new UsageException($"{variable} is '{text}'; it must be {expected}.");
    }

    public static DeviceChoice Device(DeviceChoice? given, Host host) => given.OrSetting(host, DeviceVariable, DeviceChoice.Values, DeviceChoice.TryRead) ?? default;

    /// <summary>Null for one a core.</summary>
    public static int? Threads(int? given, Host host) => given.OrSetting<int>(host, ThreadsVariable, ThreadsValues, TryThreads);

    public static Precision Precision(Precision? given, Host host) => given.OrSetting(host, PrecisionVariable, PrecisionValues, TryPrecision) ?? default;

    public static bool TryPrecision(string text, out Precision precision)
    {
        foreach (Precision known in Enum.GetValues<Precision>())
        {
            precision = known;
            if (known.Name() == text) return true;
        }
        precision = default;
        return false;
    }

    public static bool TryThreads(string text, out int threads) => TryCount(text, 1, out threads) && threads <= 1024;

    public static bool TryThreshold(string text, out float threshold) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out threshold) && threshold > 0 && threshold < 1;

    public static bool TryPresence(string text, out float score)
    {
        score = 0;
        if (text == "off") return true;
        bool fits = TryShare(text, out double share);
        score = (float)share;
        return fits;
    }

    public static bool TryShare(string text, out double share) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out share) && share >= 0 && share <= 1;

    public static bool TrySize(string text, out (int Width, int Height) size)
    {
        size = default;
        string[] sides = text.Split('x', 'X');
        return sides.Length == 2 && TryCount(sides[0], 1, out size.Width) && TryCount(sides[1], 1, out size.Height);
    }

    public static bool TryCount(string text, int least, out int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count >= least;
}
