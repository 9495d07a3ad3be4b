using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;

namespace ClipSegNative.Tests.Backends;

public sealed class CpuBackendTests(CpuBackends backends) : IClassFixture<CpuBackends>
{
    /// <summary>The contract's "never allocate", once scratch memory has grown and the runtime has made what it makes on first use.</summary>
    [Theory, MemberData(nameof(OpTable.OperationNames), MemberType = typeof(OpTable))]
    public void Operation_Repeated_AllocatesNothing(string operation)
    {
        IBackend backend = backends.Get($"{CpuInstructionSets.Best} x2");
        foreach (OpCase op in OpTable.All.Where(op => op.Operation == operation))
        {
            using var space = new OpWorkspace(backend, op.Name);
            Action<IBackend> enqueue = op.Build(space);
            long allocated = Allocations.Of(() => enqueue(backend));
            Assert.True(allocated == 0, $"{op} allocated {allocated} bytes.");
        }
    }

    /// <summary>No two threads share a sum, so their number cannot change a bit.</summary>
    [Theory, MemberData(nameof(OpTable.OperationNames), MemberType = typeof(OpTable))]
    public void Operation_MoreThreads_SameBits(string operation)
    {
        foreach (OpCase op in OpTable.All.Where(op => op.Operation == operation))
            Assert.Equal(op.Run(backends.Get($"{CpuInstructionSets.Best} x1")), op.Run(backends.Get($"{CpuInstructionSets.Best} x3")));
    }

    [Fact]
    public void GatherRows_IndexOutsideTheTable_IsRefused()
    {
        IBackend backend = backends.Get("Portable x1");
        using var space = new OpWorkspace(backend, nameof(CpuBackendTests));
        Tensor table = space.Random(4, 3), y = space.Output(1, 3);
        foreach (int index in new[] { -1, 4 })
        {
            Tensor indices = space.Indices(index);
            Assert.Throws<ArgumentOutOfRangeException>(() => backend.GatherRows(table, indices, y));
            Assert.Throws<ArgumentOutOfRangeException>(() => backend.GatherRowsBackward(y, indices, table));
        }
    }

    [Fact]
    public void Transfer_OfAnotherLength_IsRefused()
    {
        IBackend backend = backends.Get("Portable x1");
        using var space = new OpWorkspace(backend, nameof(CpuBackendTests));
        Tensor x = space.Random(4, 3);
        Assert.Throws<ArgumentException>(() => backend.Upload(new float[11], x));
        Assert.Throws<ArgumentException>(() => backend.Download(x, new float[13]));
        Assert.Throws<ArgumentException>(() => backend.Upload(new int[12], x));
    }

    [Fact]
    public void Dispose_Twice_IsHarmless()
    {
        IBackend backend = CpuBackend.Create(threads: 2);
        backend.Dispose();
        backend.Dispose();
    }

    [Fact]
    public void Memory_UsedAfterDispose_IsRefused()
    {
        using IBackend backend = CpuBackend.Create(threads: 1);
        var storage = new Storage(DType.F32, 4);
        DeviceMemory memory = backend.Allocate(16);
        storage.Bind(memory, 0);
        memory.Dispose();
        memory.Dispose();
        var x = new Tensor(storage, 0, new Shape(4), 4);
        Assert.Throws<ObjectDisposedException>(() => backend.Download(x, new float[4]));
    }

    [Fact]
    public void PitchFor_AnySize_HoldsItsColumns()
    {
        IBackend backend = backends.Get("Portable x1");
        for (int columns = 1; columns < 5000; columns++) Assert.True(backend.PitchFor(columns) >= columns);
    }
}
