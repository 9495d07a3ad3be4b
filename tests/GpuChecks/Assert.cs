using System.Diagnostics.CodeAnalysis;

namespace ClipSegNative.Tests;

/// <summary>What the sources shared with the tests say of xunit's.</summary>
static class Assert
{
    [DoesNotReturn]
    public static void Fail(string message) => throw new CheckFailedException(message);

    public static void Equal(int expected, int actual)
    {
        if (expected != actual) Fail($"{actual} instead of {expected} values.");
    }

    public static void SkipWhen(bool condition, string reason)
    {
        if (condition) Fail(reason);
    }
}

/// <summary>A result is wrong.</summary>
sealed class CheckFailedException(string message) : Exception(message);
