namespace ClipSegNative.Tests.Weights.PyTorch;

/// <summary>Writes the sequence of pickles that <c>torch.save</c> made before version 1.6.</summary>
static class LegacyFile
{
    static readonly byte[] Number = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.'];

    public static byte[] Write(byte[] pickle, params ReadOnlySpan<(string Key, long Elements, byte[] Bytes)> storages)
    {
        TorchPickle keys = new TorchPickle().Raw((byte)']').Mark();
        List<byte> data = [];
        foreach ((string key, long elements, byte[] bytes) in storages)
        {
            keys.Text(key);
            data.AddRange([.. ZipFile.Wide(elements), .. bytes]);
        }
        return [.. Start(1001, littleEndian: true), .. pickle, .. keys.Raw((byte)'e').Done(), .. data];
    }

    public static byte[] Start(long version, bool littleEndian) =>
    [
        .. Number,
        .. new TorchPickle().Integer(version).Done(),
        .. new TorchPickle().Raw((byte)'}').Mark().Text("little_endian").Raw((byte)(littleEndian ? 0x88 : 0x89), (byte)'u').Done(),
    ];
}
