using static ClipSegNative.Weights.MessageText;

namespace ClipSegNative.Weights.PyTorch;

/// <summary>What a pickle may do with the values on its stack.</summary>
ref partial struct PickleReader
{
    const string Rebuild = "torch._utils";

    readonly void Append(object?[] values)
    {
        if (Top() is not List<object?> list) throw Refuse("appends to what is no list");
        list.AddRange(values);
    }

    readonly void SetItems(object?[] values)
    {
        if (Top() is not PickledDictionary dictionary || values.Length % 2 != 0) throw Refuse("sets items of what is no dictionary");
        for (int i = 0; i < values.Length; i += 2) dictionary.Items.Add((values[i], values[i + 1]));
    }

    readonly PickledGlobal StackGlobal(object?[] values) =>
        values is [string module, string name] ? new PickledGlobal(module, name) : throw Refuse("names a class by what is no text");

    /// <summary>The reference to bytes outside: ('storage', class, key, device, elements) and, in old files, a view, which must be None.</summary>
    readonly PickledStorage Storage(object? reference)
    {
        if (reference is not object?[] { Length: 5 or 6 } parts
            || parts is not ["storage", PickledGlobal { Module: "torch" or "torch.cuda" } type, string key, _, long elements, ..]
            || elements < 0 || parts.ElementAtOrDefault(5) is not null)
            throw Refuse("refers to bytes in a way that is not read");
        var storage = new PickledStorage(type.Name, key, elements);
        if (!_storages.TryAdd(key, storage) && _storages[key] != storage) throw Refuse($"describes storage '{Shown(key)}' in two ways");
        return storage;
    }

    /// <summary>Calls that only put tensors and containers together; their meaning is PyTorch's, their work is done here.</summary>
    readonly object? Call(object?[] call)
    {
        if (call is not [PickledGlobal function, object?[] arguments]) throw Refuse("calls what is no function");
        switch ((function.Module, function.Name))
        {
            case ("collections", "OrderedDict") when arguments.Length == 0:
                return new PickledDictionary();
            case (Rebuild, "_rebuild_tensor" or "_rebuild_tensor_v2") when arguments is [PickledStorage storage, long offset, var extents, var strides, ..]:
                if (offset < 0) throw Refuse("holds a tensor at a negative offset");
                return new PickledTensor(storage, offset, Sizes(extents), Sizes(strides));
            case (Rebuild, "_rebuild_parameter") when arguments is [PickledTensor tensor, ..]:
                return tensor;
            case ("torch", "Size") when arguments is [object?[] sizes]:
                return sizes;
            case ("torch.jit._pickle", "build_intlist" or "build_doublelist" or "build_boollist" or "build_tensorlist") when arguments is [List<object?> list]:
                return list;
            case ("torch.jit._pickle", "restore_type_tag") when arguments is [var value, string]:
                return value;
            default:
                throw Refuse($"wants {Shown(function.Module)}.{Shown(function.Name)} called, but only tensors in containers are read and nothing is executed");
        }
    }

    readonly PickledDictionary NewModule(object?[] call) => call switch
    {
        [PickledGlobal { IsScriptClass: true }, object?[] { Length: 0 }] => new PickledDictionary(isModule: true),
        [PickledGlobal type, _] => throw Refuse($"holds a {Shown(type.Module)}.{Shown(type.Name)}, but only tensors in containers are read"),
        _ => throw Refuse("makes an object of what is no class"),
    };

    /// <summary>A module's state is its attributes; that of an OrderedDict is notes of PyTorch's about versions.</summary>
    void Build(object? state)
    {
        if (Top() is not PickledDictionary target || state is not PickledDictionary attributes) throw Refuse("gives a state to what has none");
        if (target == attributes) throw Refuse("gives an object itself as its state");
        if (!target.IsModule) return;
        Step(attributes.Items.Count);
        target.Items.AddRange(attributes.Items);
    }

    readonly long[] Sizes(object? value)
    {
        if (value is not object?[] tuple || tuple.Length > MaxExtents || tuple.Any(size => size is not (long and >= 0)))
            throw Refuse($"holds a tensor whose sizes are not up to {MaxExtents} whole numbers of 0 or more");
        return [.. tuple.Select(size => (long)size!)];
    }
}
