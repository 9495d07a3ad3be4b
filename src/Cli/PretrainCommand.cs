using ClipSegNative.Backends;
using ClipSegNative.Data;
using ClipSegNative.Training.Contrast;

namespace ClipSegNative.Cli;

/// <summary>pretrain: teaches a small CLIP from pictures and captions; the run folder is a CLIP model folder, which train --clip takes.</summary>
sealed class PretrainCommand(Host host) : RunCommand<PretrainingSettings>(host, "pretrain", "Trains a small CLIP from pictures and their captions.", new SettingOptions<PretrainingSettings>(Table, PretrainingJson.Default.PretrainingSettings)), IHasNotes
{
    static readonly SettingHelp[] Table =
    [
        new("data", "captions.json", "Pictures and what may be said of them and of their parts, as data scenes writes it; or its folder"),
        new("images", "DIR", "The pictures; else the folder images beside the captions"),
        new("val", "captions.json", "Pictures that are only probed; else those learnt from"),
        new("val_images", "DIR", "Their pictures; else the folder images beside them"),
        new("working_size", "PX", "Side that pictures are resized to"),
        new("patch", "PX", "Side of a patch"),
        new("width", "N", "Channels of the image tower"),
        new("layers", "N", "Its blocks"),
        new("heads", "N", "Its attention heads"),
        new("text_width", "N", "Channels of the text tower"),
        new("text_layers", "N", "Its blocks"),
        new("text_heads", "N", "Its attention heads"),
        new("projection", "N", "Length of the vectors that both towers end in"),
        new("context", "N", "The most tokens of a caption"),
        new("vocabulary", "N", "The most tokens of the vocabulary, which is learnt from the captions"),
        new("steps", "N", "Optimiser steps, those on crops included"),
        new("crop_steps", "N", "The first so many steps see regions cut out, those after them whole pictures"),
        new("crops", "N", "Regions cut out a step"),
        new("crop_size", "PX", "Side of a crop, on the scale of the working size"),
        new("batch", "N", "Pictures a step"),
        new("pairs", "N", "Pairs of a region and a caption a step"),
        new("learning_rate", "R", "Highest learning rate of AdamW"),
        new("warm_up", "N", "Steps in which the learning rate rises"),
        new("min_learning_rate", "R", "Where its cosine ends"),
        new("weight_decay", "R", "Of every parameter"),
        new("clip_norm", "R", "Longer gradients are shortened to this; 0: never"),
        new("seed", "N", "The same seed gives the same weights"),
        new("limit", "N", "Only the first so many pictures"),
        new("strict", "", "Stop at the first broken record instead of leaving it out"),
        new("probe_every", "N", "Steps from one probe to the next"),
        new("probe_pictures", "N", "Pictures that a probe looks at"),
        new("save_every", "N", "Steps from one checkpoint to the next"),
        new("device", "DEVICE", DeviceChoice.Values),
        new("threads", "N", "CPU threads; else one a core"),
    ];

    public string Notes => """
        Settings come as those of train do: from --config, CLIPSEG_ variables and options.

        The run folder is a CLIP in Hugging Face's layout: train --clip RUN. Where probes.json stands
        beside the captions, the probe says for each attribute how often the phrase nearest to a
        region is the right one. --resume goes on to the same weights as if it had never stopped.

        """;

    protected override void Run(PretrainingSettings settings, string folder, RunTalk talk)
    {
        settings = settings.WithFullPaths();
        OrRefuse(settings.Check);
        var run = new PretrainingFolder(folder);
        using IBackend backend = Open(settings.Device, settings.Threads);
        var problems = new DataProblems(settings.Strict, talk.Problem);
        IReadOnlyList<CaptionedPicture> pictures = CaptionFile.Read(settings.Data, settings.Images, problems);
        if (settings.Limit > 0) pictures = [.. pictures.Take(settings.Limit)];
        IReadOnlyList<CaptionedPicture> probed = settings.Val is { } val ? CaptionFile.Read(val, settings.ValImages, problems) : pictures;
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> probes = CaptionFile.ReadProbes(settings.Val ?? settings.Data);
        lock (Host.Writing)
        {
            Host.Interrupted.ThrowIfCancellationRequested();
            run.Prepare(settings, pictures, Documents(settings, settings.Threads));
        }
        using var trainer = new Pretrainer(settings, run, pictures, probed, probes, backend, new Watcher(talk));
        talk.Said($"CLIP: {trainer.ParameterCount:N0} parameters; {pictures.Count:N0} pictures, steps {trainer.Step + 1} to {settings.Steps}; {backend.Description}");
        Train(folder, settings.Steps - trainer.Step, talk, trainer.Run, () => trainer.Step, () => $"{trainer.Step} steps; a decoder on it: {CommandLine.Name} train --clip {folder}");
        talk.Conclude(problems);
    }

    sealed class Watcher(RunTalk talk) : IPretrainingWatcher
    {
        public void Measured(PretrainingLine line)
        {
            talk.Measured(line);
            talk.Progress?.Advance(FormattableString.Invariant($"{line.Stage}: loss {line.Loss:0.0000}, {line.PairsPerSecond:0} pairs/s, "));
        }

        public void Said(string sentence) => talk.Said(sentence);

        public void Warned(string sentence) => talk.Warned(sentence);
    }
}
