namespace ClipSegNative;

/// <summary>Files that appear whole or not at all: readers never see a half-written one, and a failed write leaves the old one as it was.</summary>
static class AtomicFile
{
    /// <summary>Writes to a temporary file in the same folder, then moves it over <paramref name="path"/>.</summary>
    /// <param name="path">The file to make or replace; its folder must be there.</param>
    /// <param name="write">Writes the whole content. When it throws, the temporary file is deleted and the error goes on.</param>
    /// <param name="expectedBytes">For large files: reserved up front, so that a full disk is noticed before the work is done, and flushed to the disk.</param>
    /// <exception cref="IOException">The folder is missing, the disk is full or <paramref name="path"/> is a folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public static void Write(string path, Action<Stream> write, long expectedBytes = 0)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full) ?? throw new IOException($"{path} is a folder.");
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"the folder {folder} does not exist.");
        if (Directory.Exists(full)) throw new IOException($"{path} is a folder.");

        // Same folder: a move between file systems would be a copy, which is not atomic.
        string temporary = Path.Combine(folder, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.tmp");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 1 << 16, PreallocationSize = expectedBytes };
            using (var stream = new FileStream(temporary, options))
            {
                write(stream);
                if (expectedBytes > 0) stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
