namespace ClipSegNative.Data.Scenes;

/// <summary>
/// Scenes in which no one attribute tells the target: at their core stand two shapes in each of two colours, so each of the four has a companion of its
/// colour in another shape and one of its shape in another colour. One more object, or two, may join, often a double of one of the four.
/// </summary>
static class SceneComposer
{
    const int Core = 4, MostFurther = 2, Attempts = 200;

    /// <summary>Share of the further objects that are of a kind that is there already, so that phrases of counts and relations are needed.</summary>
    const double Doubles = 0.6;

    /// <summary>Centres keep this share of the sum of both radii apart: objects may hide a part of each other.</summary>
    const float Apart = 0.95f;

    /// <param name="seed">Of the data set.</param>
    /// <param name="index">Of the picture; scenes depend on nothing else.</param>
    public static Scene Compose(ulong seed, int index)
    {
        var random = new SceneRandom(seed, index);
        (SceneShape, SceneColour)[] kinds = Kinds(random);
        while (true)
        {
            if (Placed(kinds, random) is { } objects) return new Scene(objects, random.Next(int.MaxValue));
        }
    }

    static (SceneShape Shape, SceneColour Colour)[] Kinds(SceneRandom random)
    {
        (SceneShape a, SceneShape b) = random.TwoOf<SceneShape>();
        (SceneColour x, SceneColour y) = random.TwoOf<SceneColour>();
        List<(SceneShape, SceneColour)> kinds = [(a, x), (a, y), (b, x), (b, y)];
        int further = random.Next(MostFurther + 1);
        for (int i = 0; i < further; i++) kinds.Add(random.Chance(Doubles) ? kinds[random.Next(Core)] : (random.OneOf<SceneShape>(), random.OneOf<SceneColour>()));
        return [.. kinds];
    }

    /// <summary>Null where no place was found for all of them.</summary>
    static SceneObject[]? Placed((SceneShape Shape, SceneColour Colour)[] kinds, SceneRandom random)
    {
        var placed = new List<SceneObject>();
        foreach ((SceneShape shape, SceneColour colour) in kinds)
        {
            SceneSize size = random.OneOf<SceneSize>();
            var pattern = random.OneOf<ScenePattern>();
            float radius = size == SceneSize.Small ? random.Between(0.078f, 0.094f) : random.Between(0.135f, 0.165f);
            SceneObject? found = null;
            for (int attempt = 0; attempt < Attempts && found is null; attempt++)
            {
                float margin = radius * 1.15f, x = random.Between(margin, 1 - margin), y = random.Between(margin, 1 - margin);
                if (placed.TrueForAll(other => Distance(other, x, y) > Apart * (other.Radius + radius)))
                    found = new SceneObject(shape, colour, pattern, size, x, y, radius, random.Between(-12, 12), random.Between(0.9f, 1.1f), random.Next(int.MaxValue));
            }
            if (found is null) return null;
            placed.Add(found);
        }
        return random.Shuffled(placed);
    }

    static float Distance(SceneObject thing, float x, float y) => MathF.Sqrt((thing.X - x) * (thing.X - x) + (thing.Y - y) * (thing.Y - y));
}
