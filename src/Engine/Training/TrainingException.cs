namespace ClipSegNative.Training;

/// <summary>A training run cannot begin or go on. The message is one sentence that says what is wrong and what to do.</summary>
sealed class TrainingException(string message) : Exception(message);
