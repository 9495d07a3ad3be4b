using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Interop;

public class CudaLibrariesTests
{
    [Fact]
    public void Cudnn_WhenAsked_TheOthersAreLoadedBefore()
    {
        FakeMachine machine = Machine("13.1", 13, "13.1.0");
        Assert.True(new CudaLibraries(machine)[CudaLibrary.Cudnn].IsUsable);
        Assert.Equal(["libcuda.so.1", "libcublasLt.so.13", "libcublas.so.13", "libnvrtc.so.13", "libcudnn.so.9"], machine.Loaded);
    }

    [Fact]
    public void CublasLt_NewerThanTheDriver_IsNotLoaded()
    {
        FakeMachine machine = Machine("12.4", 13, "13.1.0");
        Assert.False(new CudaLibraries(machine)[CudaLibrary.CublasLt].IsUsable);
        machine.Libraries["libcublasLt.so.12"] = new("12.4.5", File: "/usr/lib/libcublasLt.so.12");
        Assert.Equal(new Version(12, 4, 5), new CudaLibraries(machine)[CudaLibrary.CublasLt].Version);
    }

    [Fact]
    public void Cublas_OfAnotherReleaseThanCublasLt_IsNotLoaded()
    {
        FakeMachine machine = Machine("13.1", 13, "13.1.0");
        machine.Libraries.Remove("libcublas.so.13");
        machine.Libraries["libcublas.so.12"] = new("12.4.5");
        LibraryFinding found = new CudaLibraries(machine)[CudaLibrary.Cublas];
        Assert.False(found.IsUsable);
        Assert.DoesNotContain("libcublas.so.12", machine.Loaded);
    }

    [Fact]
    public void Cudnn_ForAnotherCuda_IsRefusedWithBothFiles()
    {
        FakeMachine machine = Machine("13.1", 13, "13.1.0");
        machine.Libraries["libcudnn.so.9"] = new("9.13.0", File: "/usr/lib/libcudnn.so.9", BuiltFor: 12);
        var error = Assert.Throws<DeviceException>(() => new CudaLibraries(machine).Require(CudaLibrary.Cudnn));
        Assert.Contains("/usr/lib/libcudnn.so.9 is built for CUDA 12, but cuBLAS is that of CUDA 13", error.Message, StringComparison.Ordinal);
        Assert.Contains(LibrarySearch.Variable, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Require_Nothing_NamesTheLibraryAndTheRemedy(int library)
    {
        var error = Assert.Throws<DeviceException>(() => new CudaLibraries(new FakeMachine()).Require((CudaLibrary)library));
        Assert.StartsWith($"No {((CudaLibrary)library).Title()} was found: install ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith($"in {LibrarySearch.Variable}.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_Twice_LooksOnce()
    {
        FakeMachine machine = Machine("13.1", 13, "13.1.0");
        var libraries = new CudaLibraries(machine);
        Assert.Same(libraries[CudaLibrary.Driver], libraries[CudaLibrary.Driver]);
        Assert.Single(machine.Loaded);
    }

    static FakeMachine Machine(string driver, int release, string version) => new()
    {
        Libraries =
        {
            ["libcuda.so.1"] = new(driver, File: "/usr/lib/libcuda.so.580"),
            [$"libcublasLt.so.{release}"] = new(version, File: $"/usr/lib/libcublasLt.so.{release}"),
            [$"libcublas.so.{release}"] = new(version),
            [$"libnvrtc.so.{release}"] = new(version),
            ["libcudnn.so.9"] = new("9.13.0", BuiltFor: release),
        },
    };
}
