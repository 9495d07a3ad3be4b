using ClipSegNative.Imaging;

namespace ClipSegNative.Data;

/// <summary>A picture and what may be said of it.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Captions">Of all of it.</param>
/// <param name="Regions">Parts with captions of their own; may be none.</param>
sealed record CaptionedPicture(string Path, IReadOnlyList<string> Captions, IReadOnlyList<CaptionedRegion> Regions);

/// <summary>A part of a picture.</summary>
/// <param name="Box">In pixels of the picture as stored.</param>
/// <param name="Captions">All that may be said of it: a caption of other parts that stands here too is true of both.</param>
/// <param name="Attributes">What a probe asks, as in colour: red; may be empty.</param>
sealed record CaptionedRegion(PixelBox Box, IReadOnlyList<string> Captions, IReadOnlyDictionary<string, string> Attributes);
