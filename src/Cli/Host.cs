namespace ClipSegNative.Cli;

/// <summary>All that a command touches of the process it runs in, so that tests can be that process.</summary>
sealed class Host(Stream input, Stream output, TextWriter error, CancellationToken interrupted)
{
    public Stream Input => input;

    /// <summary>For data only; words go to <see cref="Error"/>.</summary>
    public Stream Output => output;

    public TextWriter Error => error;

    public CancellationToken Interrupted => interrupted;

    public bool InputIsTerminal { get; init; }

    public bool ErrorIsTerminal { get; init; }

    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The models that come with the program.</summary>
    public ShippedModels Shipped { get; init; } = ShippedModels.OfThisProgram;

    /// <summary>Held while a file is written: whoever ends the process takes it first, so that none stays half-written.</summary>
    public Lock Writing { get; private init; } = new();

    /// <summary>This process, for a command that another one calls and reads.</summary>
    /// <param name="into">Gets its data.</param>
    public Host Writes(Stream into) => new(input, into, error, interrupted)
    {
        ErrorIsTerminal = ErrorIsTerminal,
        InputIsTerminal = InputIsTerminal,
        Variable = Variable,
        Clock = Clock,
        Shipped = Shipped,
        Writing = Writing,
    };

    /// <summary>An environment variable; null where it is not set or blank.</summary>
    public string? Setting(string name) => Variable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;
}
