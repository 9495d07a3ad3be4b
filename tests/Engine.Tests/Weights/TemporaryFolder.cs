using System.Buffers.Binary;
using System.Text;

namespace ClipSegNative.Tests.Weights;

/// <summary>An empty folder that goes when the test ends, and what weight tests put into it.</summary>
sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Location = Directory.CreateTempSubdirectory("clipseg-weights-").FullName;

    public string Location { get; }

    public string this[string name] => Path.Combine(Location, name);

    public string WriteText(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    /// <summary>A .safetensors file with a header as given.</summary>
    public string WriteSafetensors(string name, string header, params ReadOnlySpan<byte> data)
    {
        File.WriteAllBytes(this[name], Safetensors(header, data));
        return this[name];
    }

    public static byte[] Safetensors(string header, params ReadOnlySpan<byte> data)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        var length = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)text.Length);
        return [.. length, .. text, .. data];
    }

    public void Dispose() => Directory.Delete(Location, recursive: true);
}
