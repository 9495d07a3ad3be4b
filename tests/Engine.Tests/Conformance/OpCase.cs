using ClipSegNative.Backends;
using ClipSegNative.Tests.Reference;

namespace ClipSegNative.Tests.Conformance;

/// <summary>One operation on one set of sizes.</summary>
/// <param name="Operation">The method of <see cref="IBackend"/> it is about.</param>
/// <param name="Detail">Sizes and options; with the operation, the case's name and the seed of its inputs.</param>
/// <param name="Tolerance">How far float32 arithmetic may lie from the reference.</param>
/// <param name="Build">Makes the tensors and returns what to enqueue.</param>
sealed record OpCase(string Operation, string Detail, Tolerance Tolerance, Func<OpWorkspace, Action<IBackend>> Build)
{
    readonly Lazy<float[]> _expected = new(() => RunOn(Operation, Detail, Build, new ReferenceBackend(), enqueue => enqueue()));

    public string Name => $"{Operation} {Detail}";

    /// <summary>Inputs that magnify rounding, reported apart from the operation's ordinary errors; empty for ordinary ones.</summary>
    public string Regime { get; init; } = "";

    /// <summary>What the reference computes.</summary>
    public float[] Expected => _expected.Value;

    /// <param name="device">Holds the tensors.</param>
    /// <param name="through">What the operation is called on, where that is not the device itself.</param>
    public float[] Run(IBackend device, IBackend? through = null) => RunOn(Operation, Detail, Build, device, enqueue => enqueue(), through);

    /// <summary>As <see cref="Run"/>, by what the device recorded.</summary>
    public float[] Replay(IBackend device) => RunOn(Operation, Detail, Build, device, enqueue =>
    {
        using IReplay replay = device.Capture(enqueue);
        replay.Run();
    });

    public override string ToString() => Name;

    static float[] RunOn(string operation, string detail, Func<OpWorkspace, Action<IBackend>> build, IBackend device, Action<Action> run, IBackend? through = null)
    {
        using var workspace = new OpWorkspace(device, $"{operation} {detail}");
        Action<IBackend> enqueue = build(workspace);
        run(() => enqueue(through ?? device));
        device.Synchronize();
        workspace.CheckSurroundings();
        return workspace.Results();
    }
}
