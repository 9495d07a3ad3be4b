using System.Numerics;
using System.Text.Json;
using ClipSegNative.Models.Clip;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>The sizes of <see cref="ConvDecoder"/>; this project's own keys of config.json.</summary>
sealed record ConvDecoderConfig
{
    const string TypeKey = "decoder_type", TypeName = "conv", TransformerName = "transformer";

    /// <summary>Channels of each stage: first at the token grid, each further one at twice the side of the one before, the last one at the picture's.</summary>
    public required IReadOnlyList<int> Channels { get; init; }

    /// <summary>Groups of the group normalisation; divides every number of channels.</summary>
    public int Groups { get; init; } = 8;

    /// <returns>Null where the file asks for the transformer decoder.</returns>
    /// <exception cref="ModelFileException">A value is out of place.</exception>
    public static ConvDecoderConfig? Read(JsonSection json, ClipVisionConfig vision, int extracted)
    {
        string type = json.Text(TypeKey) ?? TransformerName;
        if (type == TransformerName) return null;
        if (type != TypeName) throw json.Refuse(TypeKey, $"\"{TransformerName}\" or \"{TypeName}\"");
        if (!BitOperations.IsPow2(vision.PatchSize)) throw json.Refuse(TypeKey, $"\"{TransformerName}\", as patch_size {vision.PatchSize} is no power of two");
        int stages = 1 + BitOperations.Log2((uint)vision.PatchSize);
        int[]? channels = json.Integers("conv_channels", ClipLimits.Layers, 1, ClipLimits.Width);
        if (channels?.Length != stages) throw json.Refuse("conv_channels", $"{stages} whole numbers, one a doubling from patches of {vision.PatchSize} to pixels and one for the patches");
        if (extracted > stages) throw json.Refuse("extract_layers", $"at most {stages} layers, one for each of conv_channels");
        var config = new ConvDecoderConfig { Channels = channels };
        config = config with { Groups = json.Integer("conv_groups", config.Groups, 1, ClipLimits.Width) };
        return channels.All(count => count % config.Groups == 0) ? config : throw json.Refuse("conv_groups", $"a divisor of each of conv_channels {string.Join(", ", channels)}");
    }

    /// <summary>Writes the keys into the open object of config.json.</summary>
    public void WriteJson(Utf8JsonWriter json)
    {
        json.WriteString(TypeKey, TypeName);
        json.WriteStartArray("conv_channels");
        foreach (int channels in Channels) json.WriteNumberValue(channels);
        json.WriteEndArray();
        json.WriteNumber("conv_groups", Groups);
    }
}
