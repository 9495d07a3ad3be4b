using ClipSegNative.Weights;

namespace ClipSegNative;

/// <summary>The models that lie in <c>weights</c> beside the program. A build may come without them.</summary>
/// <param name="programFolder">Where the program lies, whatever folder it was started from.</param>
sealed class ShippedModels(string programFolder)
{
    public const string DefaultName = "clipseg-scenes", ConvName = "clipseg-scenes-conv";

    const string FolderName = "weights";

    public static readonly string[] Names = [DefaultName, ConvName];

    public static ShippedModels OfThisProgram { get; } = new(AppContext.BaseDirectory);

    /// <summary>Where the default model lies, or would.</summary>
    public string Default => PathOf(DefaultName);

    /// <summary>The folder of a model that is there; null for any other name.</summary>
    public string? Find(string name) => Names.Contains(name) && File.Exists(Path.Combine(PathOf(name), WeightFiles.Single)) ? PathOf(name) : null;

    string PathOf(string name) => Path.Combine(programFolder, FolderName, name);
}
