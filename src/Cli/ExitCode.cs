namespace ClipSegNative.Cli;

/// <summary>What the process tells its caller; <c>--help</c> lists them.</summary>
enum ExitCode
{
    Ok = 0,
    Failed = 1,
    Usage = 2,
    SomeInputsFailed = 3,
    Device = 4,
    ModelFile = 5,

    /// <summary>128 + SIGINT, as shells have it.</summary>
    Interrupted = 130,
}

static class ExitCodes
{
    public const string Help = """
        Exit codes:
          0    done
          1    failed
          2    wrong usage
          3    some inputs failed: each is reported, the rest is done
          4    the device cannot be used
          5    a model file is missing or cannot be used
          130  interrupted

        """;
}

/// <summary>The command line asks for what cannot be. The message is one sentence.</summary>
sealed class UsageException(string message) : Exception(message);
