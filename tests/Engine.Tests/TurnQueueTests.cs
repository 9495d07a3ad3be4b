namespace ClipSegNative.Tests;

public class TurnQueueTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Wait_Taken_ComesInOrder()
    {
        var turns = new TurnQueue();
        turns.Wait(Token);
        var order = new List<int>();
        var tasks = new List<Task>();
        for (int i = 0; i < 6; i++)
        {
            int number = i;
            Task waiting = turns.WaitAsync(Token);
            tasks.Add(Task.Run(async () =>
            {
                await waiting;
                order.Add(number);
                turns.Release();
            }, Token));
        }
        Assert.Empty(order);
        turns.Release();
        await Task.WhenAll(tasks);
        Assert.Equal([0, 1, 2, 3, 4, 5], order);
        turns.Wait(Token);   // nobody holds it
    }

    [Fact]
    public async Task Wait_Cancelled_LeavesTheTurnToTheNext()
    {
        var turns = new TurnQueue();
        using var source = new CancellationTokenSource();
        turns.Wait(Token);
        Task thread = Task.Run(() => turns.Wait(source.Token), Token), task = turns.WaitAsync(source.Token), next = turns.WaitAsync(Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => thread);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.Throws<OperationCanceledException>(() => turns.Wait(source.Token));
        Assert.False(next.IsCompleted);
        turns.Release();
        await next;
    }

    /// <summary>A turn that comes together with the cancellation must neither be lost nor be had by two.</summary>
    [Fact]
    public async Task Wait_CancelledAsTheTurnComes_TurnIsNeitherLostNorDoubled()
    {
        var turns = new TurnQueue();
        int holders = 0;
        for (int round = 0; round < 500; round++)
        {
            using var source = new CancellationTokenSource();
            turns.Wait(Token);
            Task[] callers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
            {
                turns.Wait(source.Token);
                Assert.Equal(1, Interlocked.Increment(ref holders));
                Interlocked.Decrement(ref holders);
                turns.Release();
            }, Token))];
            await Task.WhenAll(Task.Run(turns.Release, Token), Task.Run(source.Cancel, Token));
            foreach (Task caller in callers)
            {
                try { await caller; }
                catch (OperationCanceledException) { }
            }
            turns.Wait(Token);
            turns.Release();
        }
    }
}
