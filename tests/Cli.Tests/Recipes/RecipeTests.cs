using ClipSegNative.Cli.Recipes;

namespace ClipSegNative.Cli.Tests.Recipes;

public class RecipeTests
{
    static readonly string Folder = Path.Combine(Path.GetTempPath(), "a folder");

    [Fact]
    public void Expand_NumbersAndCases_FillEveryPlace()
    {
        Recipe recipe = Recipe.Parse(
            """
            {
              "numbers": { "count": 5, "more": "--size 96 --flip" },  // a comment
              "quick": { "count": 2 },
              "stages": [{ "name": "make.{kind}", "run": "data {kind} --out {out}/{kind} --count {count} --seed {seed}7 {more}", "makes": "{out}/{kind}", "each": { "kind": ["a", "b"] } }],
            }
            """,
            "test");
        IReadOnlyList<Stage> stages = recipe.Expand(Folder, seed: 3, quick: false);
        Assert.Equal(["make.a", "make.b"], stages.Select(stage => stage.Name));
        Assert.Equal(["data", "b", "--out", Path.Combine(Folder, "b"), "--count", "5", "--seed", "37", "--size", "96", "--flip"], stages[1].Arguments);
        Assert.Equal(Path.Combine(Folder, "b"), stages[1].Makes);
        Assert.Equal("data b --out DIR/b --count 5 --seed 37 --size 96 --flip", stages[1].Shown);
        Assert.Contains("--count 2", recipe.Expand(Folder, 3, quick: true)[0].Shown, StringComparison.Ordinal);
        Recipe other = Recipe.Parse("""{ "numbers": { "count": 9 } }""", "other");
        Assert.Contains("--count 9", recipe.With(other).Expand(Folder, 3, quick: false)[0].Shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""{ "number": {} }""")]
    [InlineData("""{ "stages": [{ "name": "a", "run": "info {what}", "makes": "{out}/a" }] }""")]
    [InlineData("""{ "stages": [{ "name": "a", "run": "info", "makes": "{out}/a" }, { "name": "a", "run": "info", "makes": "{out}/b" }] }""")]
    public void Recipe_ThatMakesNoSense_IsRefused(string text) =>
        Assert.Throws<UsageException>(() => Recipe.Parse(text, "test").Expand(Folder, 1, quick: false));

    /// <summary>What is tuned for one decoder leaves the other one's results alone.</summary>
    [Fact]
    public void BuiltIn_AChangedNumber_ChangesTheKeysOfWhatDependsOnIt()
    {
        Recipe recipe = Recipe.Parse(Recipe.BuiltIn, "built in");
        Assert.Equal(["scenes.train", "scenes.val", "scenes.test"], Expand(recipe).Take(3).Select(stage => stage.Name));
        string[] conv = Changed("conv"), floors = Changed("floors"), scenes = Changed("train_scenes");
        Assert.NotEmpty(conv);
        Assert.All(conv, name => Assert.Contains("conv", name, StringComparison.Ordinal));
        Assert.Contains("scores.conv.seen.large", conv);
        Assert.DoesNotContain(floors, name => name.StartsWith("train", StringComparison.Ordinal) || name.StartsWith("convert", StringComparison.Ordinal));
        Assert.Contains("scores.transformer.negative.large", floors);
        string[] untrained = ["scenes.val", "scenes.test", "scenes.tune", "scores.colour", "scores.background", "scores.foreground"];
        Assert.Equal(Expand(recipe).Select(stage => stage.Name).Where(name => !untrained.Any(other => name.StartsWith(other, StringComparison.Ordinal))), scenes);

        string[] Changed(string number)
        {
            IReadOnlyDictionary<string, string> before = StageStamp.Keys(Expand(recipe));
            Recipe other = recipe.With(Recipe.Parse($$"""{ "numbers": { "{{number}}": "7" } }""", "other"));
            return [.. StageStamp.Keys(Expand(other)).Where(pair => before[pair.Key] != pair.Value).Select(pair => pair.Key)];
        }
    }

    static IReadOnlyList<Stage> Expand(Recipe recipe) => recipe.Expand(Folder, 1, quick: false);
}
