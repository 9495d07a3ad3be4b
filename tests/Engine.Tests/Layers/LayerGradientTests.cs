namespace ClipSegNative.Tests.Layers;

/// <summary>The gradient law, layer by layer: right, added to where it is a parameter's, overwritten where it is an activation's, nowhere to be found where it is frozen.</summary>
public sealed class LayerGradientTests
{
    [Theory, MemberData(nameof(LayerTable.Names), MemberType = typeof(LayerTable))]
    public void Backward_EveryLayer_AgreesWithDifferences(string name)
    {
        using var run = new LayerRun(LayerTable.Get(name), _ => true);
        run.Run();
        run.CheckAgainstDifferences();
    }

    [Theory, MemberData(nameof(LayerTable.Names), MemberType = typeof(LayerTable))]
    public void Backward_Twice_DoublesParametersGradientsOnly(string name)
    {
        using var run = new LayerRun(LayerTable.Get(name), _ => true);
        run.Run();
        (Dictionary<string, double[]> once, double[][] inputs) = (run.ParameterGradients(), run.InputGradients());
        run.Run();
        Assert.Equal(inputs, run.InputGradients());
        foreach ((string parameter, double[] gradients) in run.ParameterGradients())
            Assert.All(gradients.Zip(once[parameter]), pair => Assert.Equal(2 * pair.Second, pair.First, 1e-9));
    }

    [Theory, MemberData(nameof(LayerTable.Names), MemberType = typeof(LayerTable))]
    public void Backward_SomeFrozen_OthersGradientsAreTheSame(string name)
    {
        LayerCase layer = LayerTable.Get(name);
        using var all = new LayerRun(layer, _ => true);
        all.Run();
        string[] names = [.. layer.Parameters.Select(parameter => parameter.Name)];
        for (int rest = 0; rest < 2; rest++)
        {
            using var some = new LayerRun(layer, parameter => Array.IndexOf(names, parameter) % 2 == rest);
            some.Run();
            Assert.Equal(all.InputGradients(), some.InputGradients());
            Dictionary<string, double[]> gradients = some.ParameterGradients();
            Assert.Equal((names.Length + 1 - rest) / 2, gradients.Count);
            Assert.All(gradients, pair => Assert.Equal(all.ParameterGradients()[pair.Key], pair.Value));
        }
    }

    [Theory, MemberData(nameof(LayerTable.Names), MemberType = typeof(LayerTable))]
    public void Backward_AllFrozen_HasNoStorageButLetsTheGradientPass(string name)
    {
        using LayerRun all = new(LayerTable.Get(name), _ => true), none = new(LayerTable.Get(name), _ => false);
        all.Run();
        none.Run();
        Assert.Null(none.Parameters.Trained);
        Assert.All(LayerTable.Get(name).Parameters, parameter => Assert.True(none.Parameters.Gradient(parameter.Name, (int)parameter.Shape.Elements).IsAbsent));
        Assert.Equal(all.InputGradients(), none.InputGradients());
    }
}
