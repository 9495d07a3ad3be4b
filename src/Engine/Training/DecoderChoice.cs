using System.Numerics;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Training;

/// <summary>Which decoder the settings mean, on which towers.</summary>
static class DecoderChoice
{
    const string Base = "base";

    static readonly Dictionary<string, string> TransformerSizes = new()
    {
        ["small"] = "clipseg-rd16",
        [Base] = "clipseg-rd64-refined",
        ["large"] = "clipseg-rd128-refined",
    };

    static readonly Dictionary<string, string> ConvSizes = new()
    {
        ["small"] = "clipseg-conv-small",
        [Base] = "clipseg-conv-base",
        ["large"] = "clipseg-conv-large",
    };

    /// <summary>
    /// The towers' sizes from <see cref="TrainingSettings.Clip"/>, a CLIP or CLIPSeg; the decoder's from the preset that is named, else from the model to
    /// start from. Of a plain CLIP, the decoder reads the outputs a quarter, half and three quarters up, as the published models do.
    /// </summary>
    /// <exception cref="ModelFileException">A config.json is missing or broken.</exception>
    /// <exception cref="TrainingException">There is no such preset, or it is the other kind of decoder.</exception>
    public static ClipSegConfig Configure(TrainingSettings settings)
    {
        ClipConfig towers = ClipConfig.Read(settings.Clip);
        ClipSegConfig? whole = ClipSegConfig.Describes(settings.Clip) ? ClipSegConfig.Read(settings.Clip) : null;
        ClipSegConfig decoder = settings.Size is { } size ? Preset(settings.Decoder, size)
            : settings.Init is { } init ? ClipSegConfig.Read(init)
            : whole is not null && Kind(whole) == settings.Decoder ? whole
            : Preset(settings.Decoder, Base);
        if (Kind(decoder) != settings.Decoder)
            throw new TrainingException($"{settings.Size ?? settings.Init} has a {Kind(decoder)} decoder, but --decoder is {settings.Decoder}: name one of that kind.");
        int layers = towers.Vision.Layers;
        if (settings.ExtractLayers is [.., var last] && last >= layers) throw new TrainingException($"--extract names block {last}, but the image tower has blocks 0 to {layers - 1}.");
        return Fit(decoder, towers.Vision.PatchSize) with
        {
            Text = towers.Text,
            Vision = towers.Vision,
            ProjectionSize = towers.ProjectionSize,
            ExtractLayers = settings.ExtractLayers ?? whole?.ExtractLayers ?? [layers / 4, layers / 2, 3 * layers / 4],
        };
    }

    /// <summary>
    /// The published sizes are for patches of 16 pixels. With others, the convolutional decoder keeps its finest stages, so that a pixel costs the same;
    /// the refined upsampler, which makes (patch / 4)² of a patch, gives way to the simple one.
    /// </summary>
    static ClipSegConfig Fit(ClipSegConfig decoder, int patch)
    {
        if (decoder.Conv is null) return patch / 4 * (patch / 4) == patch ? decoder : decoder with { ComplexUpsampler = false };
        int surplus = decoder.Conv.Channels.Count - 1 - BitOperations.Log2((uint)patch);
        return surplus <= 0 ? decoder : decoder with { Conv = decoder.Conv with { Channels = [.. decoder.Conv.Channels.Skip(surplus)] } };
    }

    static string Kind(ClipSegConfig config) => config.Conv is null ? "transformer" : "conv";

    static ClipSegConfig Preset(string decoder, string size)
    {
        string name = (decoder == "conv" ? ConvSizes : TransformerSizes).GetValueOrDefault(size, size);
        return ClipSegConfig.Presets.TryGetValue(name, out ClipSegConfig? preset)
            ? preset
            : throw new TrainingException($"there is no size or preset '{size}'; there are {string.Join(", ", TransformerSizes.Keys.Concat(ClipSegConfig.Presets.Keys))}.");
    }
}
