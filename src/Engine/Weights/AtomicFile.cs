namespace ClipSegNative.Weights;

/// <summary>Writes a file that readers see whole or not at all.</summary>
static class AtomicFile
{
    /// <summary>Writes beside the target, flushes to the disk, then renames over it; deletes the temporary file where writing fails.</summary>
    /// <param name="path">The target; an existing file is replaced.</param>
    /// <param name="expectedBytes">Reserved up front, so that a full disk is noticed before the work is done; 0 reserves nothing.</param>
    /// <param name="write">Writes the content.</param>
    public static void Write(string path, long expectedBytes, Action<Stream> write)
    {
        string target = Path.GetFullPath(path);
        string temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Path.GetRandomFileName()}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                PreallocationSize = expectedBytes,
            }))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
