using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Text;
using ClipSegNative.Backends;
using ClipSegNative.Data;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Training;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli.Study;

/// <summary>
/// Trains and scores what a plan still lacks. All runs on one kind of tower read the same features, computed once; several runs go on at once, each on one
/// thread, which on few cores is faster than one run on all of them, as a small decoder's operations are too short to divide.
/// </summary>
/// <param name="plan">With full paths.</param>
/// <param name="folder">Begun.</param>
/// <param name="data">Of the plan.</param>
/// <param name="jobs">Runs at once.</param>
/// <param name="host">Is told how it goes.</param>
/// <param name="quiet">Only of warnings.</param>
sealed class StudySession(StudyPlan plan, StudyFolder folder, StudyData data, int jobs, Host host, bool quiet)
{
    const ulong RandomTowerSeed = 1;
    const long Megabyte = 1 << 20;

    /// <exception cref="OperationCanceledException">Interrupted; the same command goes on.</exception>
    /// <exception cref="TrainingException">A run failed, or its settings ask for what cannot be.</exception>
    /// <exception cref="ModelFileException">The towers cannot be used.</exception>
    public void Run()
    {
        foreach (IGrouping<string, StudyRun> group in plan.Runs.Where(run => folder.Result(run) is null).GroupBy(run => run.Tower))
        {
            string clip = group.Key == StudyPlan.Trained ? plan.Clip : folder.RandomClip;
            // The weights are its last file.
            if (group.Key == StudyPlan.Random && !File.Exists(Path.Combine(clip, WeightFiles.Single))) RandomClip.Write(plan.Clip, clip, RandomTowerSeed);
            using IBackend backend = Segmenter.OpenDevice(new SegmenterOptions { Threads = jobs });
            using FrozenTowers towers = OpenTowers(group.First(), clip, backend);
            Encode(towers, group.Key);
            Train([.. group], clip, towers);
        }
    }

    /// <summary>The side at which masks are compared: the model's working size.</summary>
    public static int Side(StudyFolder folder) => PreprocessorConfig.Read(folder.Towers(StudyPlan.Trained).Location).Width;

    FrozenTowers OpenTowers(StudyRun run, string clip, IBackend backend)
    {
        RunFolder home = folder.Towers(run.Tower);
        TrainingSettings settings = plan.Settings(run, clip);
        home.Prepare(settings);
        ClipSegConfig config = home.ReadConfig();
        PreprocessorConfig preprocessing = PreprocessorConfig.Read(home.Location);
        long floats = (1L + FrozenTowers.GridOf(preprocessing, config, clip).Cells) * config.Vision.HiddenSize * config.ExtractLayers.Count;
        int megabytes = (int)(data.Pictures * (floats * sizeof(float) + FeatureFile.SlotOverhead) / Megabyte) + 1;
        using var weights = new PrefixedWeights(home.OpenModel());
        return new FrozenTowers(backend, config, weights, preprocessing, home, settings with { FeatureCache = megabytes, FeatureCacheDisk = megabytes });
    }

    /// <summary>Every picture goes through the tower here, so that the runs that follow do not wait for each other.</summary>
    void Encode(FrozenTowers towers, string tower)
    {
        PreprocessorConfig preprocessing = PreprocessorConfig.Read(folder.Towers(tower).Location);
        float[] condition = new float[folder.Towers(tower).ReadConfig().ProjectionSize];
        Progress.Run(host, data.Pictures, $"pictures ({tower} tower)", quiet, progress =>
        {
            var seen = new HashSet<string>();
            foreach (PhraseData phrases in data.All)
            {
                var sampler = new PhraseSampler(phrases, new SamplerOptions { Negatives = 0, Crop = TrainingCrop.None });
                var options = new SampleLoaderOptions { Workers = 1, NeedsPixels = spec => !towers.Knows(spec) };
                var loader = new SampleLoader(sampler, () => Segmenter.Preprocessor(preprocessing, preprocessing.Width, preprocessing.Height), options, data.Problems);
                foreach (TrainingSample sample in loader.Read(0, sampler.EpochLength, host.Interrupted))
                {
                    using (sample)
                    {
                        towers.Condition(sample.Spec, condition, host.Interrupted);
                        towers.Features(sample, loader, _ => { }, host.Interrupted);
                        if (seen.Add(sample.Spec.Sample.Picture.Path)) progress.Advance();
                    }
                }
            }
        });
    }

    void Train(IReadOnlyList<StudyRun> runs, string clip, FrozenTowers towers) => Progress.Run(host, (int)(runs.Count * plan.Steps), "steps", quiet, progress =>
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = jobs, CancellationToken = host.Interrupted };
        try
        {
            Parallel.ForEach(Partitioner.Create(runs, EnumerablePartitionerOptions.NoBuffering), options, run => Train(run, clip, towers, new Watcher(run, progress, quiet)));
        }
        catch (AggregateException errors)
        {
            ExceptionDispatchInfo.Throw(errors.InnerExceptions.FirstOrDefault(error => error is not OperationCanceledException) ?? errors.InnerExceptions[0]);
        }
    });

    void Train(StudyRun run, string clip, FrozenTowers towers, Watcher watcher)
    {
        RunFolder home = folder.Run(run);
        TrainingSettings settings = plan.Settings(run, clip);
        home.Prepare(settings, [(RunFolder.SettingsName, stream => stream.Write(Encoding.UTF8.GetBytes(TrainOptions.Create().ToJson(settings).ToJsonString())))]);
        using IBackend backend = Segmenter.OpenDevice(new SegmenterOptions { Threads = 1 });
        using var trainer = new Trainer(settings, home, TrainingPhrases.Of(settings, data.Training, data.Curve, data.Problems), backend, watcher, towers);
        trainer.Run(host.Interrupted);
        Dictionary<string, SetScore> sets = Score(run, trainer, home);
        trainer.KeepLast();
        folder.Write(new RunResult
        {
            Run = run,
            Parameters = trainer.TrainedParameters,
            MillisecondsAStep = LossCurve.MillisecondsAStep(home, settings.PhrasesAStep),
            Curve = LossCurve.Read(home),
            Sets = sets,
        });
        File.Delete(home.Last);   // only now: until the result is there, the run is scored again from it
        watcher.Ended(sets);
    }

    Dictionary<string, SetScore> Score(StudyRun run, Trainer trainer, RunFolder home)
    {
        bool shown = run.Seed == plan.Seeds[0] && run.Size == plan.Sizes[^1];
        ILookup<string, StudyExample> examples = StudyExamples.Of(data).Where(_ => shown).ToLookup(example => example.Set);
        var scores = new Dictionary<string, SetScore>();
        foreach ((string name, PhraseData phrases) in data.Sets)
        {
            var scorer = new SetScorer();
            trainer.Predict(
                phrases,
                (sample, probabilities) =>
                {
                    scorer.Add(probabilities, sample.Target);
                    if (examples[name].FirstOrDefault(example => example.Sample == sample.Spec.Sample) is { } example)
                        StudyExamples.Write(example.PathIn(home), probabilities, Side(folder));
                },
                host.Interrupted);
            scores[name] = scorer.Conclude();
        }
        return scores;
    }

    /// <summary>Of one of several runs.</summary>
    sealed class Watcher(StudyRun run, Progress progress, bool quiet) : ITrainingWatcher
    {
        bool _warned;

        public void Measured(MetricsLine line)
        {
            if (line.Split == MetricsLine.Train) lock (progress) progress.Advance();
        }

        /// <summary>Validations stand in the run's own files.</summary>
        public void Said(string sentence)
        {
        }

        /// <summary>Only the first time: a run that has collapsed says so at every validation.</summary>
        public void Warned(string sentence)
        {
            if (_warned) return;
            _warned = true;
            lock (progress) progress.Say($"warning: {run.Name}: {sentence}");
        }

        public void Ended(Dictionary<string, SetScore> sets)
        {
            if (quiet) return;
            string scores = string.Join(", ", sets.Where(set => set.Value.Targets > 0).Select(set => FormattableString.Invariant($"{set.Key} {set.Value.Iou[SetScore.Half]:0.000}")));
            lock (progress) progress.Say($"{run.Name}: IoU {scores}");
        }
    }
}
