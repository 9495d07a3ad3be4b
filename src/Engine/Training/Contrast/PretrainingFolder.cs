using System.Globalization;
using ClipSegNative.Data;
using ClipSegNative.Layers;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Training.Contrast;

/// <summary>The folder of a run, which is a CLIP's model folder in Hugging Face's layout at the same time. See docs/formats.md.</summary>
/// <param name="path">Made by <see cref="Prepare"/>.</param>
sealed class PretrainingFolder(string path)
{
    const string FirstMoments = "moments.first.", SecondMoments = "moments.second.", StepKey = "step";

    public string Location => path;

    string Model => Path.Combine(path, WeightFiles.Single);

    /// <summary>Weights, moments and step: all that the run's future depends on.</summary>
    string Last => Path.Combine(path, RunFolder.LastName);

    /// <summary>Writes the settings, then, where that has not been done, learns the vocabulary and makes the folder a model with random weights.</summary>
    /// <param name="settings">Checked.</param>
    /// <param name="pictures">What the vocabulary is learnt from.</param>
    /// <param name="documents">Files about the run.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void Prepare(PretrainingSettings settings, IReadOnlyList<CaptionedPicture> pictures, params ReadOnlySpan<(string Name, Action<Stream> Write)> documents)
    {
        Directory.CreateDirectory(path);
        foreach (string left in Directory.EnumerateFiles(path, ".*.tmp")) File.Delete(left);   // of a write that was killed
        foreach ((string name, Action<Stream> write) in documents) AtomicFile.Write(Path.Combine(path, name), write);
        if (File.Exists(Model)) return;
        IEnumerable<string> captions = pictures.SelectMany(picture => picture.Captions.Concat(picture.Regions.SelectMany(region => region.Captions)));
        int tokens = ClipVocabulary.WriteMerges(path, VocabularyLearner.Learn(captions.SelectMany(CaptionForms.Of), settings.Vocabulary));
        ClipConfig config = settings.Configure(tokens);
        AtomicFile.Write(Path.Combine(path, PreprocessorConfig.FileName), new PreprocessorConfig { Width = settings.WorkingSize, Height = settings.WorkingSize }.WriteJson);
        AtomicFile.Write(Path.Combine(path, ClipConfig.FileName), config.WriteJson);
        WriteModel([.. ClipTensors.All(config.Text, config.Vision, config.ProjectionSize).Select(tensor =>
            new WeightToWrite(tensor.Name, tensor.Shape, values => InitialWeights.Fill(values, tensor.Name, tensor.Shape, config, settings.Seed)))]);   // last: from now on this is a model
    }

    public ClipConfig ReadConfig() => ClipConfig.Read(path);

    public IWeightSource OpenModel() => new PrefixedWeights(WeightFiles.Open(path));

    /// <summary>The checkpoint first: should the model's file not follow, the run goes on from the newer one all the same.</summary>
    public void Save(ClipTraining clip, long step)
    {
        IReadOnlyList<WeightToWrite> weights = clip.Tensors(ParameterBlock.Weights);
        SafetensorsWriter.Write(
            Last,
            [.. weights, .. clip.Tensors(ParameterBlock.FirstMoments, FirstMoments), .. clip.Tensors(ParameterBlock.SecondMoments, SecondMoments)],
            new Dictionary<string, string> { [StepKey] = step.ToString(CultureInfo.InvariantCulture) });
        WriteModel(weights);
    }

    /// <returns>Steps done; 0 where there is no checkpoint.</returns>
    /// <exception cref="ModelFileException">The file is damaged, is no checkpoint, or belongs to another model.</exception>
    public long Restore(ClipTraining clip)
    {
        if (!File.Exists(Last)) return 0;
        using var file = new SafetensorsFile(Last);
        clip.Restore(ParameterBlock.Weights, file);
        clip.Restore(ParameterBlock.FirstMoments, file, FirstMoments);
        clip.Restore(ParameterBlock.SecondMoments, file, SecondMoments);
        return TrainingState.Number<long>(file, StepKey);
    }

    /// <summary>A plain CLIP's files have no prefix before the towers' names.</summary>
    void WriteModel(IReadOnlyList<WeightToWrite> weights) =>
        SafetensorsWriter.Write(Model, [.. weights.Select(weight => weight with { Name = weight.Name[PrefixedWeights.Towers.Length..] })]);
}
