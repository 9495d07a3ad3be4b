using ClipSegNative.Backends.Decorators;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Planning;

/// <summary>Runs nothing; notes between which operations each storage is in use. Reading what nothing has written is an error.</summary>
sealed class LifetimeTracer(IBackend inner, IReadOnlySet<Storage> ours, IReadOnlySet<Storage> kept) : BackendDecorator(inner)
{
    readonly Dictionary<Storage, (int Born, int LastUse)> _lives = [];
    int _step;

    public int Steps => _step;

    public IReadOnlyDictionary<Storage, (int Born, int LastUse)> Lives => _lives;

    protected override bool Before(in Operation operation)
    {
        foreach (Tensor read in operation.Reads)
        {
            if (read.IsAbsent || !ours.Contains(read.Storage)) continue;
            if (!kept.Contains(read.Storage) && !_lives.ContainsKey(read.Storage))
                throw new InvalidOperationException($"{operation.Name} (operation {_step}) reads {read}, which nothing has written.");
            Touch(read.Storage);
        }
        foreach (Tensor write in operation.Writes)
            if (!write.IsAbsent && ours.Contains(write.Storage)) Touch(write.Storage);
        _step++;
        return false;
    }

    void Touch(Storage storage) =>
        _lives[storage] = (_lives.TryGetValue(storage, out (int Born, int LastUse) life) ? life.Born : _step, _step);
}
