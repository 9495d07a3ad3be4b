using ClipSegNative.Training;

namespace ClipSegNative.Cli.Recipes;

/// <summary>What a stage waits for.</summary>
enum StageState
{
    ToDo,

    /// <summary>It was cut off, and goes on from there.</summary>
    Begun,
    Done,
}

/// <summary>Runs the stages of a recipe, each as the command it is. What is finished stays so; what was cut off goes on.</summary>
/// <param name="folder">Full path of all results.</param>
/// <param name="stages">In order.</param>
/// <param name="host">The process.</param>
sealed class RecipeRun(string folder, IReadOnlyList<Stage> stages, Host host)
{
    const string StampFolder = "stages";

    readonly IReadOnlyDictionary<string, string> _keys = StageStamp.Keys(stages);

    /// <summary>How far a stage is: a change of its command, or of one that it needs, makes it new.</summary>
    public StageState StateOf(Stage stage)
    {
        if (StampOf(stage) is not { } stamp || stamp.Key != _keys[stage.Name]) return StageState.ToDo;
        if (stamp.Finished && Path.Exists(stage.Makes)) return StageState.Done;
        // Settings are what the run folder gets first; without them there is nothing to go on with.
        return stage.Resume is not null && File.Exists(new RunFolder(stage.Makes).Settings) ? StageState.Begun : StageState.ToDo;
    }

    public StageStamp? StampOf(Stage stage) => StageStamp.Read(PathOf(stage));

    /// <summary>A line a stage.</summary>
    public void WritePlan(TextWriter words)
    {
        foreach ((int i, Stage stage) in stages.Index())
        {
            string state = StateOf(stage) switch
            {
                StageState.Done => FormattableString.Invariant($"done ({StampOf(stage)!.Seconds:0} s)"),
                StageState.Begun => "begun",
                _ => "to do",
            };
            words.WriteLine($"{i + 1,3}/{stages.Count} {stage.Name}: {state}: {CommandLine.Name} {stage.Shown}");
        }
    }

    /// <exception cref="IOException">The folder cannot be written to.</exception>
    /// <exception cref="OperationCanceledException">Interrupted between two stages.</exception>
    public ExitCode Run()
    {
        Directory.CreateDirectory(Path.Combine(folder, StampFolder));
        foreach ((int i, Stage stage) in stages.Index())
        {
            host.Interrupted.ThrowIfCancellationRequested();
            StageState state = StateOf(stage);
            if (state == StageState.Done) continue;
            host.Error.WriteLine($"== {i + 1}/{stages.Count} {stage.Name}: {CommandLine.Name} {stage.Shown}");
            ExitCode code = Run(stage, state);
            if (code == ExitCode.Ok) continue;
            host.Error.WriteLine($"error: stage '{stage.Name}' ended with exit code {(int)code}; the same command goes on from here.");
            return code;
        }
        return ExitCode.Ok;
    }

    ExitCode Run(Stage stage, StageState state)
    {
        string stamp = PathOf(stage);
        if (state == StageState.ToDo) Remove(stage.Makes);
        double before = state == StageState.Begun ? StampOf(stage)!.Seconds : 0;
        long started = host.Clock.GetTimestamp();
        Note(finished: false);   // before the work, so that what is cut off is known by it
        Directory.CreateDirectory(Path.GetDirectoryName(stage.Makes)!);
        using var output = new MemoryStream();
        var code = (ExitCode)CommandLine.Run(state == StageState.Begun ? stage.Resume! : stage.Arguments, host.Writes(output));
        if (code == ExitCode.Ok && stage.Scores) lock (host.Writing) AtomicFile.Write(stage.Makes, stream => stream.Write(output.GetBuffer().AsSpan(0, (int)output.Length)));
        Note(finished: code == ExitCode.Ok);
        return code;

        void Note(bool finished)
        {
            lock (host.Writing) new StageStamp(_keys[stage.Name], stage.Shown, before + host.Clock.GetElapsedTime(started).TotalSeconds, finished).Write(stamp);
        }
    }

    /// <summary>What an earlier run with other numbers left: only below the recipe's own folder.</summary>
    void Remove(string path)
    {
        if (!path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new UsageException($"the recipe makes {path}, which is not below {folder}.");
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        else if (File.Exists(path)) File.Delete(path);
    }

    string PathOf(Stage stage) => Path.Combine(folder, StampFolder, $"{stage.Name}.json");
}
