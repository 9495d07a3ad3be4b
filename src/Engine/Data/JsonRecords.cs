using System.Text.Json;

namespace ClipSegNative.Data;

/// <summary>
/// Cuts a file that is one JSON list into its records without reading it whole: holds one record and what was read ahead.
/// Only brackets, quotes and commas are looked at, so that a broken record seldom takes the next ones with it.
/// </summary>
sealed class JsonRecords
{
    const int FirstBytes = 1 << 16;

    /// <summary>PhraseCut's longest are some hundred KB.</summary>
    const int MaxRecordBytes = 16 << 20;

    readonly FileStream _file;
    byte[] _buffer = new byte[FirstBytes];
    int _start;         // of the record that is being looked for
    int _position;      // what comes before it has been looked at
    int _end;
    int _depth;
    bool _inString, _escaped;
    int _count;
    string? _damage;    // why the records end before the file or the file before the records

    JsonRecords(FileStream file) => _file = file;

    /// <summary>The records of a file in their order. Memory holds one record and the ids seen.</summary>
    /// <param name="path">The file; problems name it as given here.</param>
    /// <param name="noun">What a record is to a reader of problems, as in "task".</param>
    /// <param name="key">The key of its id.</param>
    /// <param name="parse">Makes a value of an object and of what problems call it; refuses by the exceptions of <see cref="JsonFields"/>.</param>
    /// <param name="problems">Gets broken and repeated records and an early end of the file; all these are left out.</param>
    /// <exception cref="DataFileException">The file cannot be opened or read; strict problems.</exception>
    public static IEnumerable<T> Read<T>(string path, string noun, string key, Func<JsonElement, string, T> parse, DataProblems problems) where T : class
    {
        using FileStream file = Reading(path, () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0));
        var records = new JsonRecords(file);
        var seen = new HashSet<string>();
        while (Reading(path, () => records.TryNext(out ReadOnlyMemory<byte> record) ? record : (ReadOnlyMemory<byte>?)null) is { } record)
        {
            string id = $"record {records._count}";
            T? value = null;
            try
            {
                using JsonDocument document = JsonDocument.Parse(record);
                string name = JsonFields.Name(document.RootElement, key);
                id = $"{noun} {name}";
                if (seen.Contains(name)) problems.Skip(DataProblem.DuplicateId, path, id, "stands there already");
                else value = parse(document.RootElement, id);
                seen.Add(name);
            }
            catch (Exception error) when (JsonFields.IsRefusal(error))
            {
                problems.Skip(DataProblem.BrokenRecord, path, id, JsonFields.Refusal(error));
            }
            if (value is not null) yield return value;
        }
        if (records._damage is { } damage) problems.Skip(DataProblem.BrokenFile, path, "the file", damage);
    }

    static T Reading<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataFileException($"{path}: cannot be read ({error.Message.TrimEnd('.')}).", error);
        }
    }

    /// <summary>The bytes between two commas of the list; false where no more can be found.</summary>
    bool TryNext(out ReadOnlyMemory<byte> record)
    {
        record = default;
        if (_depth == 0 && !Enter()) return false;
        do
        {
            while (_position < _end)
            {
                if (!EndsRecord(_buffer[_position++])) continue;
                record = _buffer.AsMemory(_start, _position - 1 - _start);
                _start = _position;
                bool emptyList = _depth == 0 && _count == 0 && record.Span.IndexOfAnyExcept(" \t\r\n"u8) < 0;
                if (emptyList) return Enter();
                _count++;
                return true;
            }
        } while (Fill());
        _damage ??= $"ends within record {_count + 1}: it was cut short";
        return false;
    }

    /// <summary>Steps over the list's opening bracket; false where there is none, or the list has been left already.</summary>
    bool Enter()
    {
        bool first = _position == 0;
        int next = NextVisible();
        if (first && next == '[')
        {
            (_start, _depth) = (_position, 1);
            return true;
        }
        if (first) _damage ??= "does not begin with a JSON list";
        else if (next >= 0) _damage ??= "goes on after the end of its list";
        return false;
    }

    bool EndsRecord(byte value)
    {
        if (_inString)
        {
            if (_escaped) _escaped = false;
            else if (value == '\\') _escaped = true;
            else if (value == '"') _inString = false;
            return false;
        }
        switch (value)
        {
            case (byte)'"':
                _inString = true;
                return false;
            case (byte)'{' or (byte)'[':
                _depth++;
                return false;
            case (byte)'}' or (byte)']':
                return --_depth == 0;
            default:
                return value == ',' && _depth == 1;
        }
    }

    /// <summary>The next byte that is neither white space nor of the byte order mark that some editors leave; -1 at the end of the file.</summary>
    int NextVisible()
    {
        do
        {
            while (_position < _end)
            {
                byte value = _buffer[_position++];
                if (value is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or 0xEF or 0xBB or 0xBF)) return value;
            }
            _start = _position;
        } while (Fill());
        return -1;
    }

    /// <summary>Reads on, behind what is kept of the current record; false where the file ends or the record grows too long.</summary>
    bool Fill()
    {
        if (_end == _buffer.Length)
        {
            int kept = _end - _start;
            if (kept >= MaxRecordBytes)
            {
                _damage = $"has more than {MaxRecordBytes >> 20} MB in record {_count + 1}";
                return false;
            }
            byte[] next = kept > _buffer.Length / 2 ? new byte[2 * _buffer.Length] : _buffer;
            _buffer.AsSpan(_start, kept).CopyTo(next);
            (_buffer, _start, _position, _end) = (next, 0, _position - _start, kept);
        }
        int read = _file.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        return read > 0;
    }
}
