using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace ClipSegNative.Tests.Device;

/// <summary>What ptxas made of one kernel.</summary>
/// <param name="File">The PTX file's name.</param>
/// <param name="Sha256">Of its bytes: which kernels these figures are of.</param>
/// <param name="Architecture">As in <c>sm_90</c>.</param>
/// <param name="Kernel">The entry's name.</param>
/// <param name="Registers">Of a thread; at most 255.</param>
/// <param name="Stack">Bytes of a thread's local memory.</param>
/// <param name="SpillStores">Bytes written because registers ran out.</param>
/// <param name="SpillLoads">Bytes read back.</param>
/// <param name="Shared">Static shared memory of a block, in bytes.</param>
sealed record PtxasKernel(string File, string Sha256, string Architecture, string Kernel, int Registers, int Stack, int SpillStores, int SpillLoads, int Shared)
{
    public bool Spills => Stack > 0 || SpillStores > 0 || SpillLoads > 0;
}

/// <summary>Reads what <c>ptxas -v</c> prints, and the list <c>ptxas-verified.tsv</c> made of it.</summary>
static partial class PtxasReport
{
    const string Header = "file\tsha256\tarchitecture\tkernel\tregisters\tstack\tspill_stores\tspill_loads\tshared";

    /// <param name="file">The PTX file's name.</param>
    /// <param name="ptx">Its bytes.</param>
    /// <param name="text">ptxas's words on it.</param>
    /// <exception cref="FormatException">A kernel has no line of registers or of spills: this ptxas prints something else.</exception>
    public static IReadOnlyList<PtxasKernel> Parse(string file, ReadOnlySpan<byte> ptx, string text)
    {
        string sum = Convert.ToHexStringLower(SHA256.HashData(ptx));
        var kernels = new List<PtxasKernel>();
        Match[] entries = [.. Entry().Matches(text)];
        for (int i = 0; i < entries.Length; i++)
        {
            string name = entries[i].Groups["kernel"].Value;
            string words = text[entries[i].Index..(i + 1 < entries.Length ? entries[i + 1].Index : text.Length)];
            (Match frame, Match used) = (Frame().Match(words), Used().Match(words));
            if (!frame.Success || !used.Success) throw new FormatException($"ptxas said nothing of the registers or spills of {name}:\n{words}");
            kernels.Add(new(
                file, sum, entries[i].Groups["architecture"].Value, name, Number(used, "registers"), Number(frame, "stack"), Number(frame, "stores"), Number(frame, "loads"),
                Number(Shared().Match(words), "shared")));
        }
        return kernels;
    }

    /// <summary>One line a kernel, by file and name.</summary>
    public static string Write(IEnumerable<PtxasKernel> kernels) => string.Join('\n', kernels
        .OrderBy(kernel => kernel.File, StringComparer.Ordinal).ThenBy(kernel => kernel.Kernel, StringComparer.Ordinal)
        .Select(k => $"{k.File}\t{k.Sha256}\t{k.Architecture}\t{k.Kernel}\t{k.Registers}\t{k.Stack}\t{k.SpillStores}\t{k.SpillLoads}\t{k.Shared}")
        .Prepend(Header)) + "\n";

    /// <exception cref="FormatException">It is another kind of file.</exception>
    public static IReadOnlyList<PtxasKernel> Read(string list)
    {
        string[] lines = list.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0 || lines[0] != Header) throw new FormatException($"The list must begin with the line: {Header}");
        return
        [
            .. from line in lines.Skip(1)
               let f = line.Split('\t')
               select new PtxasKernel(f[0], f[1], f[2], f[3], Whole(f[4]), Whole(f[5]), Whole(f[6]), Whole(f[7]), Whole(f[8])),
        ];
    }

    static int Number(Match match, string group) => match.Success ? Whole(match.Groups[group].Value) : 0;

    static int Whole(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"Compiling entry function '(?<kernel>\w+)' for '(?<architecture>\w+)'")]
    private static partial Regex Entry();

    [GeneratedRegex(@"(?<stack>\d+) bytes stack frame, (?<stores>\d+) bytes spill stores, (?<loads>\d+) bytes spill loads")]
    private static partial Regex Frame();

    [GeneratedRegex(@"Used (?<registers>\d+) registers")]
    private static partial Regex Used();

    [GeneratedRegex(@"(?<shared>\d+) bytes smem")]
    private static partial Regex Shared();
}
