namespace ClipSegNative.Tests.Weights;

/// <summary>Damaged copies of a sound file, the same on every machine.</summary>
static class Mutations
{
    static readonly byte[][] Tokens =
    [
        .. ((string[])["-1", "0", "1e9", "9223372036854775807", "18446744073709551616", "null", "[]", "{}", "\"", "\\ud800", "\n", "{\"a\":", "[[[[[[[["])
            .Select(System.Text.Encoding.UTF8.GetBytes),
        [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0x7F], [0, 0, 0, 0x80], [0xC3, 0x28], [0xED, 0xA0, 0x80],
    ];

    public static IEnumerable<byte[]> Of(byte[] valid, int count, int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            List<byte> bytes = [.. valid];
            for (int edits = random.Next(1, 3); edits > 0; edits--) Edit(bytes, random);
            yield return [.. bytes];
        }
    }

    static void Edit(List<byte> bytes, Random random)
    {
        int at = random.Next(bytes.Count + 1), rest = bytes.Count - at, some = random.Next(Math.Min(rest, 64) + 1);
        byte[] token = Tokens[random.Next(Tokens.Length)];
        switch (random.Next(8))
        {
            case 0 or 1 when rest > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2 when rest > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 3:
                for (int i = 0; i < Math.Min(token.Length, rest); i++) bytes[at + i] = token[i];
                break;
            case 4:
                bytes.InsertRange(at, token);
                break;
            case 5:
                bytes.RemoveRange(at, some);
                break;
            case 6:
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, some));
                break;
            case 7 when random.Next(4) == 0:
                bytes.RemoveRange(at, rest);
                break;
        }
    }
}
