using System.CommandLine;
using System.Globalization;
using System.Text;
using ClipSegNative.Cli.Hub;

namespace ClipSegNative.Cli;

/// <summary>weights pull, list, path, verify: published models, fetched from the hub and kept in a cache.</summary>
static class PullCommands
{
    const string HubVariable = "CLIPSEG_HUB", Hub = "https://huggingface.co";

    static readonly string Names = string.Join(", ", HubModel.All.Select(model => model.Name));

    public static Command MakePull(Host host)
    {
        var name = NameArgument();
        var endpoint = new Option<string?>("--endpoint") { Description = $"The hub or a mirror of it; else {HubVariable}, else {Hub}", HelpName = "URL" };
        var revision = new Option<string?>("--revision") { Description = "Branch, tag or commit; else main", HelpName = "REV" };
        Option<int?> timeout = OptionValues.Of<int>(
            "--timeout", "SECONDS", "How long the server may send nothing; else 60", "a whole number from 1 to 3600", TrySeconds);
        var accept = new Option<bool>("--accept-licence", "--accept-license") { Description = "Say that you have read what is known about the licence of the weights" };
        var force = new Option<bool>("--force") { Description = "Fetch it again though it is there" };
        var command = new Command("pull", "Fetches a published model from the Hugging Face hub.") { name, endpoint, revision, timeout, accept, force };
        command.SetAction(parse =>
        {
            HubModel model = HubModel.Find(parse.GetRequiredValue(name));
            string folder = ModelCache.Of(host).PathOf(model);
            Uri server = Endpoint(parse.GetValue(endpoint) ?? host.Setting(HubVariable) ?? Hub);
            if (!parse.GetValue(force) && ModelCache.Of(host).Find(model.Name) is not null)
            {
                host.Error.WriteLine($"{model.Name} is there already: {folder}");
                return (int)ExitCode.Ok;
            }
            host.Error.WriteLine($"{model.Name}, from {new Uri(server, model.Repository)}\n{model.Licence}");
            if (!parse.GetValue(accept) && !Consents(model, host))
            {
                host.Error.WriteLine($"{model.Name} was not fetched.");
                return (int)ExitCode.Failed;
            }
            using var downloader = new Downloader(TimeSpan.FromSeconds(parse.GetValue(timeout) ?? 60));
            PulledModel pulled = new ModelPull(
                model, folder, server, parse.GetValue(revision) ?? "main", downloader, host).RunAsync().GetAwaiter().GetResult();
            foreach (PulledFile file in pulled.Files)
                host.Error.WriteLine($"  {file.Name}, {file.Bytes:N0} bytes, SHA-256 {file.Sha256} ({(file.Promised ? "as the hub says" : "as it came")})");
            host.Error.WriteLine($"{folder}: use it with --model {model.Name}");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    public static Command MakeList(Host host)
    {
        var command = new Command("list", "Lists the models that can be pulled, and where those are that have been.");
        command.SetAction(parse =>
        {
            ModelCache cache = ModelCache.Of(host);
            foreach (HubModel model in HubModel.All)
                parse.InvocationConfiguration.Output.WriteLine($"{model.Name,-24} {model.Repository,-32} {cache.Find(model.Name) ?? "not pulled"}");
            return (int)ExitCode.Ok;
        });
        return command;
    }

    public static Command MakePath(Host host)
    {
        var name = NameArgument();
        var command = new Command("path", "Prints the folder of a pulled model.") { name };
        command.SetAction(parse =>
        {
            parse.InvocationConfiguration.Output.WriteLine(Pulled(parse.GetRequiredValue(name), host));
            return (int)ExitCode.Ok;
        });
        return command;
    }

    public static Command MakeVerify(Host host)
    {
        var name = new Argument<string?>("NAME") { Description = $"{Names}; else all that have been pulled", HelpName = "NAME", Arity = ArgumentArity.ZeroOrOne };
        name.CompletionSources.Add([.. HubModel.All.Select(model => model.Name)]);
        var command = new Command("verify", "Compares the files of pulled models with their recorded sums.") { name };
        command.SetAction(parse =>
        {
            ModelCache cache = ModelCache.Of(host);
            string[] folders = parse.GetValue(name) is { } one ? [Pulled(one, host)] : [.. HubModel.All.Select(model => cache.Find(model.Name)).OfType<string>()];
            foreach (string folder in folders)
            {
                PulledModel model = PulledModel.Read(folder)!;
                model.Verify(folder, host.Interrupted);
                parse.InvocationConfiguration.Output.WriteLine($"{model.Name}: {model.Files.Count} files as recorded");
            }
            return (int)ExitCode.Ok;
        });
        return command;
    }

    static Argument<string> NameArgument()
    {
        var name = new Argument<string>("NAME") { Description = Names, HelpName = "NAME" };
        name.CompletionSources.Add([.. HubModel.All.Select(model => model.Name)]);
        return name;
    }

    static string Pulled(string name, Host host) => ModelCache.Of(host).Find(HubModel.Find(name).Name)
        ?? throw new ModelFileException($"{name} has not been pulled: {CommandLine.Name} weights pull {name}");

    static Uri Endpoint(string text) =>
        Uri.TryCreate(text.EndsWith('/') ? text : $"{text}/", UriKind.Absolute, out Uri? uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
            ? uri
            : throw new UsageException($"the endpoint is '{text}'; it must be a web address, as in {Hub}.");

    static bool TrySeconds(string text, out int seconds) => OptionValues.TryCount(text, 1, out seconds) && seconds <= 3600;

    /// <exception cref="UsageException">Nobody is there to ask.</exception>
    static bool Consents(HubModel model, Host host)
    {
        if (!host.InputIsTerminal || !host.ErrorIsTerminal)
            throw new UsageException($"{model.Name} is fetched once you have read the above: add --accept-licence.");
        host.Error.Write("Fetch it? [y/N] ");
        using var reader = new StreamReader(host.Input, Encoding.UTF8, leaveOpen: true);
        return reader.ReadLine()?.Trim().ToLower(CultureInfo.InvariantCulture) is "y" or "yes";
    }
}
