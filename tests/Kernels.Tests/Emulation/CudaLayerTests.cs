using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Layers;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>Every layer and model with a backward, recorded on the CUDA backend, its kernels interpreted.</summary>
public sealed class CudaLayerTests
{
    [Theory, MemberData(nameof(LayerTable.Names), MemberType = typeof(LayerTable))]
    public void ForwardAndBackward_Recorded_AgreeWithReference(string name)
    {
        using LayerRun expected = new(LayerTable.Get(name), _ => true), actual = new(LayerTable.Get(name), _ => true, EmulatedDevice.CreateBackend());
        expected.Run();
        actual.Run();
        Difference.Of(expected.Everything(), actual.Everything(), CudaTolerance.Layer);
    }
}
