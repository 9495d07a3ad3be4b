using ClipSegNative.Backends;
using ClipSegNative.Training;

namespace ClipSegNative.Cli;

/// <summary>train: teaches a decoder on frozen CLIP towers; the run folder is a model folder.</summary>
sealed class TrainCommand(Host host) : RunCommand<TrainingSettings>(host, "train", "Trains a decoder on frozen CLIP towers.", TrainOptions.Create()), IHasNotes
{
    public string Notes => """
        Each setting is also a key of --config with _ for -, and an environment variable, as in
        CLIPSEG_LEARNING_RATE. The command line wins, then the environment, then the file.

        The run folder is a model folder: infer --model RUN. It also gets run.json (the settings),
        metrics.csv, events for TensorBoard, samples/ and last.safetensors, from which --resume goes
        on to the same weights as if it had never stopped. Ctrl-C saves it.

        """;

    protected override void Run(TrainingSettings settings, string folder, RunTalk talk)
    {
        settings = settings.WithFullPaths();
        OrRefuse(settings.Check);
        var run = new RunFolder(folder);
        using IBackend backend = Open(settings.Device, settings.Threads, settings.Arithmetic);
        var phrases = TrainingPhrases.Read(settings, talk.Problem);
        OrRefuse(() => Prepare(run, settings));
        using var trainer = new Trainer(settings, run, phrases, backend, new Watcher(talk));
        talk.Said($"{settings.Decoder} decoder: {trainer.TrainedParameters:N0} parameters trained, {trainer.FrozenParameters:N0} frozen; "
            + $"{phrases.Training.EpochLength:N0} phrases, steps {trainer.State.Step + 1} to {trainer.Steps}; {backend.Description}");
        Train(folder, trainer.Steps - trainer.State.Step, talk, trainer.Run, () => trainer.State.Step, () => $"{Outcome(trainer)}; try: {CommandLine.Name} infer PICTURE -t PHRASE --model {folder}");
        talk.Conclude(phrases.Problems);
    }

    void Prepare(RunFolder run, TrainingSettings settings)
    {
        lock (Host.Writing)
        {
            Host.Interrupted.ThrowIfCancellationRequested();
            run.Prepare(settings, Documents(settings, settings.Threads));
        }
    }

    static string Outcome(Trainer trainer) => trainer.State.BestStep > 0
        ? FormattableString.Invariant($"{trainer.State.Step} steps, best validation IoU {trainer.State.BestScore:0.000} at step {trainer.State.BestStep}")
        : $"{trainer.State.Step} steps";

    sealed class Watcher(RunTalk talk) : ITrainingWatcher
    {
        public void Measured(MetricsLine line)
        {
            talk.Measured(line);
            if (line.Split == MetricsLine.Train)
                talk.Progress?.Advance(FormattableString.Invariant($"loss {line.Loss:0.0000}, IoU {line.Iou:0.000}, {line.ImagesPerSecond:0.0} images/s, "));
        }

        public void Said(string sentence) => talk.Said(sentence);

        public void Warned(string sentence) => talk.Warned(sentence);
    }
}
