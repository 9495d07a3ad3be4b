using ClipSegNative.Tensors;
using static ClipSegNative.Weights.MessageText;

namespace ClipSegNative.Weights.PyTorch;

/// <summary>
/// A memory-mapped file of tensors as <c>torch.save</c> or TorchScript wrote it. Opening reads the descriptions of the tensors only; nothing is executed.
/// </summary>
/// <remarks>
/// Dictionaries in dictionaries and modules in modules give names joined with dots; what is no tensor is left out. A tensor whose elements do not lie in
/// their order is gathered when it is read, all others are read in place.
/// </remarks>
sealed class PyTorchFile : IWeightSource
{
    readonly MappedFile _file;
    readonly PyTorchContainer _container;
    readonly Dictionary<string, PickledTensor> _tensors;
    bool _disposed;

    /// <exception cref="ModelFileException">The file cannot be opened, is none of PyTorch's, is damaged, or holds more than tensors in containers.</exception>
    public PyTorchFile(string path)
    {
        Description = path;
        try
        {
            if (!Begins(path)) throw new ModelFileException($"{path}: is neither a safetensors nor a PyTorch file: is this a file of weights?");
            _file = new MappedFile(path);
            _container = new PyTorchContainer(_file, new FileInfo(path).Length);
            _tensors = TensorNames.Of(_container.Root, path);
            foreach ((string name, PickledTensor tensor) in _tensors) Check(name, tensor);
        }
        catch (Exception e)
        {
            _file?.Dispose();
            if (e is IOException or UnauthorizedAccessException) throw new ModelFileException($"{path}: cannot be read: {e.Message}", e);
            throw;
        }
    }

    public string Description { get; }

    public IReadOnlyCollection<string> Names => _tensors.Keys;

    public bool TryFind(string name, out WeightEntry entry)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        entry = default;
        if (!_tensors.TryGetValue(name, out PickledTensor? tensor)) return false;
        ElementType element = ElementType.Of(tensor.Storage.Type);
        if (element.Type is not { } type)
            throw new ModelFileException($"{Description}: '{Shown(name)}' holds {Shown(element.Name)}, which is not read: convert it to F32, F16 or BF16.");
        if (tensor.Extents.Length > Shape.MaxRank) throw TooLarge(name, tensor, $"at most {Shape.MaxRank} dimensions are read");
        if (IsLarge(tensor, element.Bytes)) throw TooLarge(name, tensor, "tensors above 2 GiB are not read");
        var shape = new Shape([.. tensor.Extents.Select(extent => (int)extent)]);
        long begin = _container.Storages[tensor.Storage.Key].Offset + tensor.Offset * element.Bytes;
        entry = IsInOrder(tensor)
            ? new WeightEntry(name, type, shape, _file, begin)
            : new WeightEntry(name, type, shape, new StridedMemory(_file, begin, element.Bytes, shape, tensor.Strides), 0);
        return true;
    }

    public void Dispose()
    {
        _disposed = true;
        _file.Dispose();
    }

    static bool Begins(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        var start = new byte[PyTorchContainer.BeginningBytes];
        return stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && PyTorchContainer.IsBeginning(start);
    }

    /// <summary>A view must lie in its storage and may not show an element twice: nothing then is larger than the file.</summary>
    void Check(string name, PickledTensor tensor)
    {
        long available = tensor.Storage.Elements;
        if (tensor.Strides.Length != tensor.Extents.Length || tensor.Offset > available) throw Outside();
        if (tensor.Extents.Contains(0)) return;
        Int128 elements = 1, last = tensor.Offset;
        for (int axis = 0; axis < tensor.Extents.Length; axis++)
        {
            elements *= tensor.Extents[axis];
            last += (Int128)(tensor.Extents[axis] - 1) * tensor.Strides[axis];
            if (last >= available) throw Outside();
            if (elements > available) throw Refuse("shows elements more than once", "make it contiguous and save it again");
        }
        if (last >= available) throw Outside();   // a scalar

        ModelFileException Outside() => Refuse(
            $"of strides [{string.Join(',', tensor.Strides)}] at {tensor.Offset} lies outside its storage of {available} elements", "the file is damaged");

        ModelFileException Refuse(string problem, string advice) =>
            new($"{Description}: '{Shown(name)}' of shape [{string.Join(',', tensor.Extents)}] {problem}: {advice}.");
    }

    /// <summary>Whether more than 2 GiB lie from the first element to the end of the last.</summary>
    static bool IsLarge(PickledTensor tensor, int elementBytes)
    {
        // Nothing lies there, but the other extents must still be numbers to reckon with.
        if (tensor.Extents.Contains(0)) return tensor.Extents.Where(extent => extent > 0).Aggregate(1.0, (product, extent) => product * extent) > int.MaxValue;
        long last = 0;
        for (int axis = 0; axis < tensor.Extents.Length; axis++) last += (tensor.Extents[axis] - 1) * tensor.Strides[axis];
        return last >= int.MaxValue / elementBytes;
    }

    /// <summary>Row-major without gaps; where an extent is 1, its stride says nothing.</summary>
    static bool IsInOrder(PickledTensor tensor)
    {
        if (tensor.Extents.Contains(0)) return true;
        long expected = 1;
        for (int axis = tensor.Extents.Length - 1; axis >= 0; axis--)
        {
            if (tensor.Extents[axis] != 1 && tensor.Strides[axis] != expected) return false;
            expected *= tensor.Extents[axis];
        }
        return true;
    }

    ModelFileException TooLarge(string name, PickledTensor tensor, string limit) =>
        new($"{Description}: '{Shown(name)}' has shape [{string.Join(',', tensor.Extents)}], {limit}: is this another model?");
}
