namespace ClipSegNative.Tests.Kernels.Ptx;

/// <summary>The types of PTX, by their suffixes.</summary>
enum PtxType
{
    Pred,
    B8, U8, S8,
    B16, U16, S16, F16, Bf16,
    B32, U32, S32, F32, F16x2, Bf16x2, Tf32,
    B64, U64, S64, F64,
}

static class PtxTypes
{
    static readonly Dictionary<string, PtxType> BySuffix = Enum.GetValues<PtxType>().ToDictionary(type => type.Suffix());

    extension(PtxType type)
    {
        /// <summary>Without its dot.</summary>
        public string Suffix() => type.ToString().ToLowerInvariant();

        /// <summary>In memory and in a register, in bytes. A predicate is no bytes.</summary>
        public int Bytes() => type switch
        {
            PtxType.Pred => 0,
            <= PtxType.S8 => 1,
            <= PtxType.Bf16 => 2,
            <= PtxType.Tf32 => 4,
            _ => 8,
        };

        public bool IsBits() => type is PtxType.B8 or PtxType.B16 or PtxType.B32 or PtxType.B64;

        public bool IsSigned() => type is PtxType.S8 or PtxType.S16 or PtxType.S32 or PtxType.S64;

        /// <summary>Whether it is a number with a fraction, or a pair of such.</summary>
        public bool IsFloat() => type is PtxType.F16 or PtxType.Bf16 or PtxType.F32 or PtxType.F16x2 or PtxType.Bf16x2 or PtxType.Tf32 or PtxType.F64;

        /// <summary>Whether an instruction of this type may have an operand declared as another: of one size, and integers where it wants some.</summary>
        public bool Accepts(PtxType declared)
        {
            if (type == PtxType.Pred || declared == PtxType.Pred) return type == declared;
            if (type.Bytes() != declared.Bytes()) return false;
            return type == declared || type.IsBits() || declared.IsBits() || (!type.IsFloat() && !declared.IsFloat());
        }

        /// <summary>Whether a load, store or conversion of this type may use a register declared as another, which may be wider.</summary>
        public bool FitsIn(PtxType declared) =>
            type.Accepts(declared) || (!type.IsFloat() && !declared.IsFloat() && declared != PtxType.Pred && type != PtxType.Pred && type.Bytes() < declared.Bytes());
    }

    /// <param name="suffix">Without its dot.</param>
    /// <param name="type">Found.</param>
    public static bool TryParse(string suffix, out PtxType type) => BySuffix.TryGetValue(suffix, out type);
}
