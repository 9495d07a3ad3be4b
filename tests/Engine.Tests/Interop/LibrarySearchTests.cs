using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Interop;

public class LibrarySearchTests
{
    /// <summary>Every place that is looked into for cuBLAS, in the documented order.</summary>
    static readonly string[] Places =
    [
        "/ours/libcublas.so.13",
        "/also/libcublas.so.13",
        "/home/lib64/libcublas.so.13",
        "/home/lib/libcublas.so.13",
        "/path/targets/x86_64-linux/lib/libcublas.so.13",
        "/path/targets/sbsa-linux/lib/libcublas.so.13",
        "/dnn/lib/libcublas.so.13",
        "libcublas.so.13",
        "/venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13",
        "/venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.13",
        "/opt/py/lib/python3.9/dist-packages/nvidia/cublas/lib/libcublas.so.13",
        "/usr/local/cuda/lib64/libcublas.so.13",
        "/usr/local/cuda-13.10/lib64/libcublas.so.13",
        "/usr/local/cuda-13.9/lib64/libcublas.so.13",
        "/usr/local/cuda-12/lib64/libcublas.so.13",
    ];

    static readonly Dictionary<string, string> Variables = new()
    {
        [LibrarySearch.Variable] = "/ours:/also",
        ["CUDA_HOME"] = "/home",
        ["CUDA_PATH"] = "/path",
        ["CUDNN_PATH"] = "/dnn",
        ["VIRTUAL_ENV"] = "/venv",
        ["PATH"] = "/sbin:/opt/py/bin:/venv/bin",
    };

    public static TheoryData<int> Counts => [.. Enumerable.Range(0, Places.Length)];

    [Theory, MemberData(nameof(Counts))]
    public void Find_SeveralPlacesHaveIt_TheFirstInOrderIsTaken(int absent)
    {
        var machine = new FakeMachine
        {
            Variables = Variables,
            // Given backwards, so that the order is the search's.
            Libraries = Places.Skip(absent).Reverse().ToDictionary(place => place, place => new FakeLibrary(File: $"/usr/lib/{place}.0")),
        };
        (nint handle, string? file, _) = new LibrarySearch(machine).Find(CudaLibrary.Cublas, CudaLibraryNames.Majors);
        Assert.NotEqual(0, handle);
        Assert.Equal(Places[absent].StartsWith('/') ? Places[absent] : "/usr/lib/libcublas.so.13.0", file);
    }

    [Fact]
    public void Find_SeveralReleasesInAPlace_TheNewestIsTaken()
    {
        var machine = new FakeMachine
        {
            Variables = { [LibrarySearch.Variable] = "/ours" },
            Libraries = { ["/ours/libcublasLt.so.11"] = new(), ["/ours/libcublasLt.so.12"] = new() },
        };
        Assert.Equal("/ours/libcublasLt.so.12", new LibrarySearch(machine).Find(CudaLibrary.CublasLt, CudaLibraryNames.Majors).File);
        Assert.Equal("/ours/libcublasLt.so.11", new LibrarySearch(machine).Find(CudaLibrary.CublasLt, [11]).File);
    }

    [Fact]
    public void Find_FileCannotBeLoaded_TheNextIsTakenAndTheReasonKept()
    {
        var machine = new FakeMachine
        {
            Variables = { [LibrarySearch.Variable] = "/absent:/bare:/ours" },
            Libraries = { ["/bare/readme"] = new(), ["/ours/libcudnn.so.9"] = new(Broken: "wrong ELF class"), ["libcudnn.so.9"] = new() },
        };
        (_, string? file, IReadOnlyList<LibraryAttempt> attempts) = new LibrarySearch(machine).Find(CudaLibrary.Cudnn, CudaLibraryNames.Majors);
        Assert.Equal("libcudnn.so.9", file);
        Assert.Equal(
            [
                new(LibrarySearch.Variable, "/absent", "there is no such folder"),
                new(LibrarySearch.Variable, "/bare", "holds none of libcudnn.so.9"),
                new(LibrarySearch.Variable, "/ours/libcudnn.so.9", "wrong ELF class"),
            ],
            attempts);
    }

    [Fact]
    public void Find_NothingAnywhere_EveryPlaceSaysWhy()
    {
        (nint handle, string? file, IReadOnlyList<LibraryAttempt> attempts) = new LibrarySearch(new FakeMachine()).Find(CudaLibrary.Driver, CudaLibraryNames.Majors);
        Assert.Equal(0, handle);
        Assert.Null(file);
        Assert.Equal(["libcuda.so.1", "libcuda.so", "/usr/local/nvidia/lib64", "/usr/lib/wsl/lib"], attempts.Select(attempt => attempt.Path));
    }

    [Fact]
    public void Find_CudnnInItsOwnWheel_IsFound()
    {
        var machine = new FakeMachine
        {
            Variables = { ["VIRTUAL_ENV"] = "/venv" },
            Libraries = { ["/venv/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9"] = new() },
        };
        Assert.NotNull(new LibrarySearch(machine).Find(CudaLibrary.Cudnn, CudaLibraryNames.Majors).File);
    }

    [Fact]
    public void Find_OnWindows_UsesItsNamesAndFolders()
    {
        var machine = new FakeMachine
        {
            IsWindows = true,
            Variables = { ["CUDA_PATH"] = "/toolkit" },
            Libraries = { [Path.Combine("/toolkit", "bin/x64", "cublasLt64_13.dll")] = new() },
        };
        Assert.NotNull(new LibrarySearch(machine).Find(CudaLibrary.CublasLt, CudaLibraryNames.Majors).File);
        Assert.Equal(["nvrtc64_130_0.dll", "nvrtc64_120_0.dll", "nvrtc64_112_0.dll"], CudaLibrary.Nvrtc.Files(CudaLibraryNames.Majors, windows: true));
        Assert.Equal(["cudnn64_9.dll"], CudaLibrary.Cudnn.Files(CudaLibraryNames.Majors, windows: true));
    }
}
