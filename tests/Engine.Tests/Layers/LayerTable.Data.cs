namespace ClipSegNative.Tests.Layers;

static partial class LayerTable
{
    public static TheoryData<string> Names => [.. All.Select(layer => layer.Name)];
}
