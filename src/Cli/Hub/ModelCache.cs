namespace ClipSegNative.Cli.Hub;

/// <summary>Where pulled models lie: one folder each, named as the model.</summary>
sealed class ModelCache(string folder)
{
    public const string Variable = "CLIPSEG_HOME";

    /// <summary><c>CLIPSEG_HOME</c>, else this system's folder for what can be fetched again.</summary>
    public static ModelCache Of(Host host) =>
        new(Path.Combine(host.Setting(Variable) ?? Path.Combine(SystemFolder(host), CommandLine.Name), "models"));

    public string PathOf(HubModel model) => Path.Combine(folder, model.Name);

    /// <summary>The folder of a model that has come whole; null for any other name.</summary>
    public string? Find(string name) =>
        HubModel.All.Where(model => model.Name == name).Select(PathOf).FirstOrDefault(path => File.Exists(Path.Combine(path, PulledModel.FileName)));

    static string SystemFolder(Host host)
    {
        if (OperatingSystem.IsWindows()) return Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        string home = host.Setting("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches") : host.Setting("XDG_CACHE_HOME") ?? Path.Combine(home, ".cache");
    }
}
