using ClipSegNative.Backends;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models;

/// <summary>A forward pass for fixed sizes, planned and recorded: fill the inputs, run, read the outputs.</summary>
sealed class Plan : IDisposable
{
    readonly Arena _arena;
    readonly IReplay _replay;
    Tensor[] _outputs = [];

    /// <param name="backend">The device to run on.</param>
    /// <param name="inputs">Reserves what the caller will fill.</param>
    /// <param name="layers">Constructs the layers in execution order and returns the pass from those inputs to the outputs.</param>
    public Plan(IBackend backend, Func<Arena, Tensor[]> inputs, Func<Arena, Func<Tensor[], Tensor[]>> layers)
    {
        _arena = new Arena(backend);
        Inputs = inputs(_arena);
        Func<Tensor[], Tensor[]> forward = layers(_arena);
        try
        {
            _replay = _arena.Capture(() =>
            {
                _outputs = forward(Inputs);
                foreach (Tensor output in _outputs) _arena.Retain(output);
            });
        }
        catch
        {
            _arena.Dispose();   // the device may be out of memory: whoever asked goes on with what there is
            throw;
        }
    }

    public Tensor[] Inputs { get; }

    /// <summary>Valid from one run to the next.</summary>
    public ReadOnlySpan<Tensor> Outputs => _outputs;

    /// <summary>Device memory of the pass beyond the weights.</summary>
    public long Bytes => _arena.Bytes;

    public void Run(CancellationToken cancellation = default) => _replay.Run(cancellation);

    public void Dispose() => _arena.Dispose();
}
