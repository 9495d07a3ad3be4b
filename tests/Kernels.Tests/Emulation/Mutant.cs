using System.Text;
using System.Text.RegularExpressions;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests.Kernels.Ptx;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>A mistake that somebody might make in a kernel.</summary>
/// <param name="Kernel">Where.</param>
/// <param name="Mistake">One of <see cref="Mistakes"/>.</param>
/// <param name="Occurrence">Which of the places in the kernel where it could be made, from 0.</param>
sealed record Mutant(string Kernel, string Mistake, int Occurrence)
{
    /// <summary>What is replaced, by what.</summary>
    static readonly Dictionary<string, (Regex Place, string Replacement)> Mistakes = new()
    {
        ["barrier forgotten"] = (new(@"bar\.sync\s+0;"), ""),
        ["warp barrier forgotten"] = (new(@"bar\.warp\.sync\s+-1;"), ""),
        ["bound off by one"] = (new(@"setp\.(?:ge|lt)\.u32"), "setp.BOUND.u32"),
        ["reduction step twice"] = (new(@"(shfl\.sync\.bfly\.b32\s+%\w+, %\w+), 8,"), "$1, 16,"),
        ["sum with the wrong sign"] = (new(@"add\.f32"), "sub.f32"),
        ["product forgotten"] = (new(@"mul\.lo\.s64(\s+%rd\d+, %rd\d+), %rd\d+;"), "mov.u64$1;"),
        ["result not stored"] = (new(@"st\.global\.f32\s+\[.*;"), ""),
        ["scale forgotten"] = (new(@"mul\.f32(\s+%f\d+, %f\d+), %f\d+;"), "mov.f32$1;"),
    };

    /// <summary>All shipped kernels, this one with its mistake.</summary>
    public PtxModule[] Modules()
    {
        string wrong = CudaKernels.ModuleOf(Kernel);
        return [.. CudaKernels.Modules.Select(module => module == wrong ? PtxModule.Parse(Apply(Text(module))) : EmulatedDevice.Module(module))];
    }

    string Apply(string text)
    {
        int start = text.IndexOf($".entry {Kernel}(", StringComparison.Ordinal), end = text.IndexOf("\n}", start, StringComparison.Ordinal);
        (Regex place, string replacement) = Mistakes[Mistake];
        MatchCollection places = place.Matches(text[start..end]);
        Assert.True(Occurrence < places.Count, $"{Kernel} has only {places.Count} places for '{Mistake}'.");
        Match match = places[Occurrence];
        string bound = match.Value.Contains("ge", StringComparison.Ordinal) ? "gt" : "le";
        string mistaken = match.Result(replacement).Replace("BOUND", bound, StringComparison.Ordinal);
        return string.Concat(text.AsSpan(0, start + match.Index), mistaken, text.AsSpan(start + match.Index + match.Length));
    }

    static string Text(string module) => Encoding.ASCII.GetString(CudaKernels.Ptx(module));
}
