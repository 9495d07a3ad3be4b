namespace ClipSegNative.Training;

/// <summary>Who is told what happens in a run.</summary>
interface INewsWatcher
{
    /// <summary>News, in a sentence.</summary>
    void Said(string sentence);

    /// <summary>Something that is wrong but does not end the run, in a sentence.</summary>
    void Warned(string sentence);
}

/// <summary>Who is told how a run goes.</summary>
interface ITrainingWatcher : INewsWatcher
{
    /// <summary>A line of <c>metrics.csv</c>: a step of training, or a validation.</summary>
    void Measured(MetricsLine line);
}
