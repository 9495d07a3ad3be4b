namespace ClipSegNative.Tests;

/// <summary>Finds what tests read: the fixtures copied beside the test assembly and, when a machine has it, third-party data.</summary>
static class TestData
{
    /// <summary>Third-party photos and CLIP's vocabulary are not committed: this variable names the folder that holds them.</summary>
    const string DataVariable = "CLIPSEG_TEST_DATA";

    public static string Fixture(params ReadOnlySpan<string> parts) => Path.Combine([AppContext.BaseDirectory, "fixtures", .. parts]);

    /// <summary>A path under the third-party data folder; the calling test is reported as skipped where the folder is not there.</summary>
    public static string ThirdParty(params ReadOnlySpan<string> parts)
    {
        string? root = Environment.GetEnvironmentVariable(DataVariable);
        Assert.SkipWhen(string.IsNullOrEmpty(root), $"{DataVariable} names no folder with the third-party test data.");
        return Path.Combine([root!, .. parts]);
    }
}
