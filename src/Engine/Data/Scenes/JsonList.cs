using System.Text.Json;

namespace ClipSegNative.Data.Scenes;

/// <summary>A JSON list of any length, written to a file beside its place and moved there when it is whole.</summary>
sealed class JsonList : IDisposable
{
    const int FlushedAt = 1 << 16;

    readonly string _path;
    readonly FileStream _stream;
    readonly Utf8JsonWriter _json;
    bool _complete;

    public JsonList(string path)
    {
        _path = path;
        _stream = File.Create(Unfinished);
        _json = new Utf8JsonWriter(_stream);
        _json.WriteStartArray();
    }

    /// <summary>Takes the next element.</summary>
    public Utf8JsonWriter Json
    {
        get
        {
            if (_json.BytesPending > FlushedAt) _json.Flush();
            return _json;
        }
    }

    string Unfinished => $"{_path}.tmp";

    /// <summary>The list is whole; without this, disposing removes it.</summary>
    public void Complete() => _complete = true;

    public void Dispose()
    {
        if (_complete) _json.WriteEndArray();
        else _json.Reset();
        _json.Dispose();
        _stream.Dispose();
        if (_complete) File.Move(Unfinished, _path, overwrite: true);
        else File.Delete(Unfinished);
    }
}
