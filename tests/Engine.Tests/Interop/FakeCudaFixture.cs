using System.Runtime.InteropServices;
using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Interop;

/// <summary>Binds this process's imports to the stand-in, which remains for its life: a real device has its own tests (docs/gpu-checks.md).</summary>
public sealed unsafe class FakeCudaFixture : IDisposable
{
    readonly Dictionary<string, nint> _exports = [];
    CudaContext? _context;

    internal CudaContext Context
    {
        get
        {
            if (_context is null)
            {
                Environment.SetEnvironmentVariable(LibrarySearch.Variable, FakeCuda.Folder);
                _context = CudaContext.Open(0);
            }
            return _context;
        }
    }

    /// <summary>The calls that were made in <paramref name="action"/>.</summary>
    public string[] Calls(Action action)
    {
        ((delegate* unmanaged<void>)Export("fake_forget"))();
        action();
        return Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)Export("fake_calls"))())!.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Makes every call of that name in <paramref name="action"/> return <paramref name="code"/>.</summary>
    /// <returns>The calls that were made in it.</returns>
    public string[] WithFailure(string name, int code, Action action)
    {
        string[] calls = Calls(() =>
        {
            nint text = Marshal.StringToCoTaskMemUTF8(name);
            ((delegate* unmanaged<byte*, int, void>)Export("fake_fail"))((byte*)text, code);
            Marshal.FreeCoTaskMem(text);
            action();
        });
        Calls(() => { });
        return calls;
    }

    /// <summary>The message when a call fails.</summary>
    public string Failure(string name, int code, Action action)
    {
        string message = "";
        WithFailure(name, code, () => message = Assert.Throws<DeviceException>(action).Message);
        return message;
    }

    public void Dispose() => _context?.Dispose();

    nint Export(string name)
    {
        _ = Context;
        if (!_exports.TryGetValue(name, out nint export)) _exports[name] = export = NativeLibrary.GetExport(CudaLibraries.Shared.Require(CudaLibrary.Driver), name);
        return export;
    }
}

/// <summary>One test at a time: they share the stand-in's list of calls.</summary>
[CollectionDefinition(Name)]
public sealed class FakeCudaTests : ICollectionFixture<FakeCudaFixture>
{
    public const string Name = "fake CUDA";
}
