using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ClipSegNative.Training;
using ClipSegNative.Training.Contrast;

namespace ClipSegNative.Cli;

/// <summary>What <c>infer --json</c> says about a picture. Device and times are null in files, which the next run must be able to repeat.</summary>
/// <param name="Image">As named on the command line.</param>
/// <param name="Width">In pixels, upright.</param>
/// <param name="Height">In pixels, upright.</param>
/// <param name="Device">What did the arithmetic.</param>
/// <param name="Milliseconds">Where the time went.</param>
/// <param name="Results">One a phrase, in order.</param>
sealed record PictureLine(string Image, int Width, int Height, string? Device, Timings? Milliseconds, IReadOnlyList<ResultLine> Results);

/// <param name="Decode">Reading, unpacking and resizing; overlaps the work on the pictures before.</param>
/// <param name="Encode">The image tower.</param>
/// <param name="Prompts">All phrases.</param>
sealed record Timings(double Decode, double Encode, double Prompts)
{
    public override string ToString() => $"decode {Decode} ms, encode {Encode} ms, phrases {Prompts} ms";
}

/// <param name="Text">The phrase, or what a picture to look for is called.</param>
/// <param name="Score">Whether it is there at all: of a calibrated model the probability of it, else the highest probability of a pixel.</param>
/// <param name="Present">Of a calibrated model, or with --presence: whether the score suffices; else the mask is empty.</param>
/// <param name="Area">Share of the picture, in [0, 1].</param>
/// <param name="Box">x, y, width, height in pixels, as COCO has it.</param>
/// <param name="Mask">The file, if one was written.</param>
/// <param name="Rle">COCO's run-length encoding.</param>
/// <param name="Dropped">With --min-area: whether the mask was smaller, and therefore emptied.</param>
sealed record ResultLine(string Text, float Score, bool? Present, double Area, int[] Box, string? Mask, RleLine Rle, bool? Dropped);

/// <param name="Size">Height, width.</param>
/// <param name="Counts">Compressed as pycocotools does.</param>
sealed record RleLine(int[] Size, string Counts);

sealed record FailureLine(string Image, string Error);

sealed record TokenLine(string Text, int[] Ids, bool Truncated);

[JsonSerializable(typeof(PictureLine))]
[JsonSerializable(typeof(FailureLine))]
[JsonSerializable(typeof(TokenLine))]
[JsonSerializable(typeof(MachineInfo))]
[JsonSerializable(typeof(DoctorReport))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(MetricsLine))]
[JsonSerializable(typeof(PretrainingLine))]
sealed partial class Lines : JsonSerializerContext
{
    static readonly byte[] NewLine = "\n"u8.ToArray();

    // Not for HTML: letters of all scripts stay readable.
    static readonly Lines Relaxed = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>One object and a line feed.</summary>
    public static void Write<T>(Stream stream, T line)
    {
        stream.Write([.. JsonSerializer.SerializeToUtf8Bytes(line, (JsonTypeInfo<T>)Relaxed.GetTypeInfo(typeof(T))!), .. NewLine]);
        stream.Flush();
    }
}
