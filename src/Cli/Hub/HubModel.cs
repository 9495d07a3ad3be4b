namespace ClipSegNative.Cli.Hub;

/// <summary>A model that <c>weights pull</c> knows.</summary>
/// <param name="Name">As users name it.</param>
/// <param name="Repository">On the hub.</param>
/// <param name="Licence">What is known about the right to use the weights; shown before anything is fetched.</param>
sealed record HubModel(string Name, string Repository, string Licence)
{
    const string AuthorsWeights =
        "The authors' licence (MIT) covers their code only; about the weights they have said no more than that they are for research. "
        + "The hub's copy is reported to be marked Apache-2.0, which was not checked. Whether you may use them is yours to find out.";

    const string OpenAiWeights =
        "OpenAI's licence (MIT) is that of the code; nothing separate about the weights is known here. "
        + "OpenAI's model card speaks of research and leaves deployed uses out of its scope: read it first.";

    /// <summary>Files besides the weights: they make a model folder.</summary>
    public static IReadOnlyList<string> SmallFiles { get; } = ["config.json", "preprocessor_config.json", "vocab.json", "merges.txt"];

    public static IReadOnlyList<HubModel> All { get; } =
    [
        new("clipseg-rd64-refined", "CIDAS/clipseg-rd64-refined", AuthorsWeights),
        new("clipseg-rd64", "CIDAS/clipseg-rd64", AuthorsWeights),
        new("clip-vit-base-patch16", "openai/clip-vit-base-patch16", OpenAiWeights),
        new("clip-vit-base-patch32", "openai/clip-vit-base-patch32", OpenAiWeights),
    ];

    /// <exception cref="UsageException">There is no such model; the message names those there are.</exception>
    public static HubModel Find(string name) => All.FirstOrDefault(model => model.Name == name)
        ?? throw new UsageException($"there is no model '{name}' to pull; there are {string.Join(", ", All.Select(model => model.Name))}.");
}
