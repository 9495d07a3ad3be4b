using ClipSegNative.Data;

namespace ClipSegNative.Evaluation;

/// <summary>The official subsets that a task's own record decides: number of instances, kind of phrase, size of the target.</summary>
/// <remarks>Left out are those of category and attribute lists, which are data of their own.</remarks>
static class PhraseSubsets
{
    const double SmallShare = 0.02, LargeShare = 0.2;
    const int ManyInstances = 5;

    /// <param name="task">With its instances.</param>
    /// <param name="share">Of the picture that the target covers.</param>
    public static IEnumerable<string> Of(PhraseTask task, double share)
    {
        int instances = task.Instances?.Length ?? 0;
        if (instances == 1) yield return "i_single";
        if (instances is > 1 and < ManyInstances) yield return "i_multi";
        if (instances >= ManyInstances) yield return "i_many";
        yield return share < SmallShare ? "s_small" : share > LargeShare ? "s_large" : "s_mid";
        if (task.Structure is not { } structure) yield break;
        if (structure.Attributes.Length > 0) yield return "p_att";
        if (structure.Relations.Length > 0) yield return "p_rel";
        // The plus: the phrase needs that part to be told from others.
        string? type = structure.Type switch
        {
            "name" => "p_name",
            "attribute" => "p_att+",
            "relation" => "p_rel+",
            "verbose" => "p_verbose",
            _ => null,
        };
        if (type is not null) yield return type;
    }
}
