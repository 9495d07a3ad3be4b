namespace ClipSegNative.Data.Scenes;

/// <summary>The phrases of one scene, by the files they go to.</summary>
sealed record ScenePhrases(
    IReadOnlyList<ScenePhrase> Seen, IReadOnlyList<ScenePhrase> Unseen, IReadOnlyList<ScenePhrase> UnseenShapes, IReadOnlyList<ScenePhrase> Relations,
    IReadOnlyList<ScenePhrase> Negative, IReadOnlyList<ScenePhrase> NearMiss);

/// <summary>
/// Makes phrases that are as hard as they look: each target has a companion of its colour in another shape, and one of its shape in another colour.
/// </summary>
sealed class PhraseMaker
{
    const int MostSeen = 2;

    /// <summary>Share of the scenes with nothing to tell apart that get a relation all the same, which then says nothing new.</summary>
    const double NeedlessRelations = 0.1;

    readonly Scene _scene;
    readonly IReadOnlyList<SceneObject> _objects;
    readonly SceneRandom _random;

    PhraseMaker(Scene scene) => (_scene, _objects, _random) = (scene, scene.Objects, new SceneRandom((ulong)scene.Seed, 2));

    public static ScenePhrases Make(Scene scene)
    {
        var maker = new PhraseMaker(scene);
        ScenePhrase[] seen = maker.Positives(HeldOut.IsSeen, MostSeen);
        return new ScenePhrases(
            seen,
            maker.Positives(HeldOut.IsUnseen, 1),
            maker.Positives(thing => HeldOut.Is(thing.Shape), 1),
            maker.Relation() is { } relation ? [relation] : [],
            maker.Absent() is { } absent ? [absent] : [],
            maker.NearMiss() is { } near ? [near] : []);
    }

    /// <summary>Phrases all of whose targets are of the kind, about different objects.</summary>
    ScenePhrase[] Positives(Predicate<SceneObject> isKind, int most)
    {
        var phrases = new List<ScenePhrase>();
        foreach (SceneObject thing in _random.Shuffled(_objects.Where(HasBothDistractors)))
        {
            SceneQuery query = Query(thing);
            int[] targets = Targets(query);
            if (phrases.Count < most && targets.All(target => isKind(_objects[target])) && phrases.TrueForAll(phrase => !phrase.Targets.SequenceEqual(targets)))
                phrases.Add(new ScenePhrase(targets.Length > 1 && _random.Chance(0.5) ? SceneWords.Counted(targets.Length, query.Noun) : Article(query.Noun), query, targets));
        }
        return [.. phrases];
    }

    /// <summary>One of several objects of a kind, told by where it stands from a third that is the only one of its own.</summary>
    ScenePhrase? Relation() => Relation(needed: true) ?? (_random.Chance(NeedlessRelations) ? Relation(needed: false) : null);

    ScenePhrase? Relation(bool needed)
    {
        foreach (SceneObject thing in _random.Shuffled(_objects.Where(HeldOut.IsSeen)))
        {
            var query = new SceneQuery(null, thing.Colour, null, thing.Shape);
            int[] alike = Targets(query);
            if (alike.Length > 1 != needed || !alike.All(target => HeldOut.IsSeen(_objects[target]))) continue;
            foreach (SceneObject anchor in _random.Shuffled(SceneRelations.Anchors(_scene, thing).Where(HeldOut.IsSeen)))
            {
                foreach ((string predicate, Func<SceneObject, float> distance) in _random.Shuffled(SceneRelations.Sides(anchor)))
                {
                    float[] distances = [.. alike.Select(target => distance(_objects[target]))];
                    int[] targets = [.. alike.Where((_, i) => distances[i] > 0)];
                    if (targets.Length == 1 && distances.All(value => Math.Abs(value) >= SceneRelations.Clear))
                        return new ScenePhrase(SceneRelations.Text(thing, predicate, anchor), query, targets, (predicate, SceneRelations.Kind(anchor)));
                }
            }
        }
        return null;
    }

    /// <summary>A thing of which neither the colour nor the shape is in the picture.</summary>
    ScenePhrase? Absent()
    {
        SceneColour[] colours = [.. Enum.GetValues<SceneColour>().Where(colour => _objects.All(thing => thing.Colour != colour))];
        SceneShape[] shapes = [.. Enum.GetValues<SceneShape>().Where(shape => !HeldOut.Is(shape) && _objects.All(thing => thing.Shape != shape))];
        (SceneColour, SceneShape)[] pairs = [.. colours.SelectMany(colour => shapes.Where(shape => !HeldOut.Is(colour, shape)).Select(shape => (colour, shape)))];
        if (pairs.Length == 0) return null;
        (SceneColour colour, SceneShape shape) = _random.OneOf(pairs);
        ScenePattern[] patterns = [.. Enum.GetValues<ScenePattern>().Where(pattern => !HeldOut.Is(pattern, shape))];
        return Absent(new SceneQuery(Some<SceneSize>(0.25), colour, _random.Chance(0.3) ? _random.OneOf(patterns) : null, shape));
    }

    /// <summary>A thing that is there but for one attribute: mostly of another shape or another colour, sometimes of another pattern.</summary>
    ScenePhrase? NearMiss()
    {
        foreach (SceneObject thing in _random.Shuffled(_objects.Where(HeldOut.IsSeen)))
        {
            for (int attempt = 0; attempt < 20; attempt++)
            {
                double kind = _random.Between(0, 1);
                SceneQuery query = kind < 0.45 ? Query(thing) with { Shape = _random.OneOf<SceneShape>() }
                    : kind < 0.9 ? Query(thing) with { Colour = _random.OneOf<SceneColour>() }
                    : Query(thing) with { Pattern = _random.OneOf<ScenePattern>() };
                if (IsSeen(query) && Targets(query).Length == 0) return Absent(query);
            }
        }
        return null;
    }

    ScenePhrase Absent(SceneQuery query) => new(Article(query.Noun), query, []);

    static bool IsSeen(SceneQuery query) =>
        !HeldOut.Is(query.Shape!.Value) && !HeldOut.Is(query.Colour!.Value, query.Shape.Value) && !(query.Pattern is { } pattern && HeldOut.Is(pattern, query.Shape.Value));

    /// <summary>Colour and shape, often more.</summary>
    SceneQuery Query(SceneObject thing) => new(
        _random.Chance(0.25) ? thing.Size : null, thing.Colour, _random.Chance(0.3) ? thing.Pattern : null, thing.Shape);

    int[] Targets(SceneQuery query) => [.. Enumerable.Range(0, _objects.Count).Where(i => query.IsTrueOf(_objects[i]))];

    bool HasBothDistractors(SceneObject thing) =>
        _objects.Any(other => other.Colour == thing.Colour && other.Shape != thing.Shape) && _objects.Any(other => other.Shape == thing.Shape && other.Colour != thing.Colour);

    T? Some<T>(double probability) where T : struct, Enum => _random.Chance(probability) ? _random.OneOf<T>() : null;

    string Article(string noun) => _random.Next(4) switch { 0 => $"the {noun}", 1 => noun, _ => SceneWords.WithArticle(noun) };
}
