using ClipSegNative.Interop;

namespace ClipSegNative.Backends.Cuda;

/// <summary>
/// Copies to the device beside its work, on a stream of their own. Two events keep them apart: one behind the copies, before who reads them; one behind
/// who has read, before the copies that overwrite it.
/// </summary>
sealed class CopiesAhead : IDisposable
{
    readonly CudaStream _work, _copies;
    readonly CudaEvent _arrived, _used;
    readonly PinnedStaging? _staging;

    /// <param name="context">Of the stream.</param>
    /// <param name="work">What reads the copies; all that it has been given so far comes before them.</param>
    public CopiesAhead(CudaContext context, CudaStream work)
    {
        (_work, _copies) = (work, CudaStream.Create(context));
        (_arrived, _used) = (CudaEvent.Create(context, timed: false), CudaEvent.Create(context, timed: false));
        _staging = PinnedStaging.TryCreate(context, _copies);
        HoldBack();
    }

    /// <summary>The source may be changed once the call returns.</summary>
    public void Copy(ulong destination, ReadOnlySpan<byte> source)
    {
        if (_staging is null) _copies.CopyToDevice(destination, source);
        else _staging.CopyToDevice(destination, source);
    }

    /// <inheritdoc cref="ICudaRuntime.UseCopies"/>
    public void Use(Action queue)
    {
        _arrived.Record(_copies);
        _work.Wait(_arrived);
        queue();
        HoldBack();
    }

    /// <summary>After the last copy.</summary>
    public void Dispose()
    {
        _staging?.Dispose();
        _arrived.Dispose();
        _used.Dispose();
        _copies.Dispose();
    }

    void HoldBack()
    {
        _used.Record(_work);
        _copies.Wait(_used);
    }
}
