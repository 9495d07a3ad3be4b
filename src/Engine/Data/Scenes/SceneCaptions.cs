namespace ClipSegNative.Data.Scenes;

/// <summary>What may be said of a scene and of its parts, for contrastive training.</summary>
static class SceneCaptions
{
    /// <summary>All that is ever said of an object and true of this one.</summary>
    public static IEnumerable<string> Of(Scene scene, SceneObject thing)
    {
        foreach (string caption in Attributes(thing)) yield return caption;
        int alike = scene.Objects.Count(thing.IsKind);
        if (alike > 1) yield return SceneWords.Counted(alike, SceneRelations.Kind(thing));
        foreach (SceneObject anchor in SceneRelations.Anchors(scene, thing))
            foreach ((string predicate, Func<SceneObject, float> distance) in SceneRelations.Sides(anchor))
                if (distance(thing) >= SceneRelations.Clear) yield return SceneRelations.Text(thing, predicate, anchor);
    }

    /// <summary>Every subset of the attributes, with the shape or "thing".</summary>
    static IEnumerable<string> Attributes(SceneObject thing)
    {
        const int Size = 1, Colour = 2, Pattern = 4, Shape = 8, All = 16;
        for (int named = 1; named < All; named++)
        {
            yield return SceneWords.WithArticle(SceneWords.Noun(
                (named & Size) != 0 ? thing.Size : null,
                (named & Colour) != 0 ? thing.Colour : null,
                (named & Pattern) != 0 ? thing.Pattern : null,
                (named & Shape) != 0 ? thing.Shape : null));
        }
    }

    /// <summary>Names the kinds in some order: "two red stars, a blue ring and a green heart".</summary>
    public static string Of(Scene scene)
    {
        var random = new SceneRandom((ulong)scene.Seed, 3);
        string[] parts = [.. random.Shuffled(scene.Objects.GroupBy(thing => (thing.Colour, thing.Shape)))
            .Select(kind => SceneWords.Counted(kind.Count(), SceneRelations.Kind(kind.First())))];
        return $"{string.Join(", ", parts[..^1])} and {parts[^1]}";
    }
}
