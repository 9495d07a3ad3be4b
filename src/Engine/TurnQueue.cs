namespace ClipSegNative;

/// <summary>
/// One caller at a time, in the order in which they came; waiting takes a thread or a task, and ends when it is cancelled. Waiting allocates nothing
/// on a thread that has waited before.
/// </summary>
/// <remarks>Each waits for a semaphore of its own: one shared by all lets latecomers overtake, and wakes everyone when one is cancelled.</remarks>
sealed class TurnQueue
{
    [ThreadStatic]
    static SemaphoreSlim? TicketOfThread;

    readonly Lock _lock = new();
    readonly List<SemaphoreSlim> _waiting = [];
    bool _taken;

    /// <exception cref="OperationCanceledException">The turn is not taken then.</exception>
    public void Wait(CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        SemaphoreSlim ticket = TicketOfThread ??= new SemaphoreSlim(0);
        if (!MustWait(ticket)) return;
        try { ticket.Wait(cancellation); }
        catch
        {
            Leave(ticket);
            throw;
        }
    }

    /// <inheritdoc cref="Wait"/>
    public async Task WaitAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var ticket = new SemaphoreSlim(0);
        if (!MustWait(ticket)) return;
        try { await ticket.WaitAsync(cancellation).ConfigureAwait(false); }
        catch
        {
            Leave(ticket);
            throw;
        }
    }

    /// <summary>Ends the turn, which another thread than its taker may do.</summary>
    public void Release()
    {
        lock (_lock)
        {
            if (_waiting.Count == 0)
            {
                _taken = false;
                return;
            }
            _waiting[0].Release();
            _waiting.RemoveAt(0);
        }
    }

    bool MustWait(SemaphoreSlim ticket)
    {
        lock (_lock)
        {
            if (_taken)
            {
                _waiting.Add(ticket);
                return true;
            }
            _taken = true;
            return false;
        }
    }

    void Leave(SemaphoreSlim ticket)
    {
        lock (_lock)
            if (_waiting.Remove(ticket)) return;
        // The turn came just when the wait was cancelled: it is taken and passed on.
        ticket.Wait();
        Release();
    }
}
