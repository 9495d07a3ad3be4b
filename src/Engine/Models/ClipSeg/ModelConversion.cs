using ClipSegNative.Models.Clip;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>
/// A model in any form that is read, to be written in Hugging Face's: a CLIPSeg, a plain CLIP, or a decoder beside the CLIP it was trained on.
/// </summary>
sealed class ModelConversion : IDisposable
{
    const float LargestHalf = 65_504;

    readonly IWeightSource _weights;
    readonly (string Name, Shape Shape)[] _tensors;

    ModelConversion(IWeightSource weights, ClipConfig clip, ClipSegConfig? clipSeg)
    {
        (_weights, Clip, ClipSeg) = (weights, clip, clipSeg);
        _tensors = [.. clipSeg is null ? ClipTensors.All(clip.Text, clip.Vision, clip.ProjectionSize) : ClipSegTensors.All(clipSeg)];
        if (clipSeg is not null) ClipSegTensors.Verify(weights, clipSeg);
        else ClipTensors.Verify(weights, _tensors);
    }

    public ClipConfig Clip { get; }

    /// <summary>Null for a plain CLIP.</summary>
    public ClipSegConfig? ClipSeg { get; }

    /// <summary>Tensors of the file that the model does not have, under the names they have there.</summary>
    public IEnumerable<string> Ignored => _weights.Names.Except(_tensors.Select(tensor => tensor.Name));

    public IEnumerable<(string Name, Shape Shape)> Tensors => _tensors;

    /// <param name="model">A model folder or a file of weights.</param>
    /// <param name="clip">For a decoder alone: the same of the CLIP it was trained on.</param>
    /// <param name="extractLayers">For a decoder without config.json; null for those of the published models.</param>
    /// <exception cref="ModelFileException">A file is missing or damaged, or what was given is no whole model.</exception>
    public static ModelConversion Open(string model, string? clip, IReadOnlyList<int>? extractLayers)
    {
        IWeightSource weights = OpenPart(model, out bool foreign);
        IWeightSource whole = weights;
        try
        {
            bool decoder = weights.Names.Any(name => name.StartsWith(PrefixedWeights.Decoder, StringComparison.Ordinal)), towers = HasTowers(weights);
            if (!decoder && !towers) throw Refuse(weights, "holds neither CLIP's towers nor a CLIPSeg decoder: is this the right file?");
            if (towers && clip is not null) throw Refuse(weights, $"holds a CLIP of its own: leave out {clip}.");
            if (!towers && clip is null) throw Refuse(weights, "holds a decoder without the CLIP that it was trained on: name that too (--clip).");
            bool foreignTowers = foreign;
            if (clip is not null)
            {
                IWeightSource other = OpenPart(clip, out foreignTowers);
                whole = new JoinedWeights(weights, other);
                if (!HasTowers(other)) throw Refuse(other, "holds no CLIP: name a folder or file that does.");
            }
            if (decoder && !foreign)
            {
                ClipSegConfig config = ClipSegConfig.Read(WeightFiles.FolderOf(model));
                return new ModelConversion(whole, new ClipConfig(config.Text, config.Vision, config.ProjectionSize), config);
            }
            ClipConfig clipConfig = foreignTowers ? ClipConfig.FromShapes(whole) : ClipConfig.Read(WeightFiles.FolderOf(clip ?? model));
            return new ModelConversion(whole, clipConfig, decoder ? ClipSegConfig.FromShapes(whole, clipConfig, extractLayers) : null);
        }
        catch
        {
            whole.Dispose();
            throw;
        }
    }

    /// <summary>Writes <c>model.safetensors</c>, <c>config.json</c> and, for a CLIPSeg, <c>preprocessor_config.json</c>.</summary>
    /// <param name="folder">Made where it is missing; files of these names are replaced.</param>
    /// <param name="preprocessing">Of a CLIPSeg.</param>
    /// <param name="halve">F16 for every tensor; else F16 stays so and everything else is F32.</param>
    /// <param name="cancellation">Stops between two tensors; no half-written file is left.</param>
    /// <exception cref="ModelFileException">A value does not fit F16.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void WriteFolder(string folder, PreprocessorConfig preprocessing, bool halve, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        WriteWeights(Path.Combine(folder, WeightFiles.Single), halve, cancellation);
        AtomicFile.Write(Path.Combine(folder, ClipConfig.FileName), ClipSeg is null ? Clip.WriteJson : ClipSeg.WriteJson);
        if (ClipSeg is not null) AtomicFile.Write(Path.Combine(folder, PreprocessorConfig.FileName), preprocessing.WriteJson);
    }

    /// <summary>As <see cref="WriteFolder"/>, the weights alone.</summary>
    public void WriteWeights(string file, bool halve, CancellationToken cancellation) => SafetensorsWriter.Write(file, [.. _tensors.Select(tensor =>
    {
        _weights.TryFind(tensor.Name, out WeightEntry entry);
        DType type = halve || entry.Type == DType.F16 ? DType.F16 : DType.F32;
        // A plain CLIP's tensors have no prefix in Hugging Face's files.
        string name = ClipSeg is null ? tensor.Name[PrefixedWeights.Towers.Length..] : tensor.Name;
        return new WeightToWrite(name, entry.Shape, values =>
        {
            cancellation.ThrowIfCancellationRequested();
            entry.ToSingle(values);
            if (type == DType.F16 && entry.Type != DType.F16) CheckHalves(entry.Name, values);
        }, type);
    })]);

    public void Dispose() => _weights.Dispose();

    /// <param name="path">A model folder or a file of weights.</param>
    /// <param name="foreign">Whether it is spelled as files without a configuration are.</param>
    static IWeightSource OpenPart(string path, out bool foreign)
    {
        IWeightSource source = WeightFiles.Open(path);
        foreign = source is ForeignNames;
        return foreign ? source : new PrefixedWeights(source);
    }

    static bool HasTowers(IWeightSource weights) => weights.Names.Any(name => name.StartsWith(ClipTensors.Vision, StringComparison.Ordinal));

    static ModelFileException Refuse(IWeightSource source, string problem) => new($"{source.Description}: {problem}");

    void CheckHalves(string name, ReadOnlySpan<float> values)
    {
        foreach (float value in values)
            if (float.IsFinite(value) && Math.Abs(value) > LargestHalf)
                throw Refuse(_weights, $"'{name}' holds {value}, but F16 ends at {LargestHalf}: write it without --f16.");
    }
}
