using System.Runtime.Intrinsics;
using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>
/// Quotients, roots and transcendental functions. Where a device approximates (to one or two units in the last place) the result here is the
/// nearest float or its neighbour.
/// </summary>
static class FloatInstructions
{
    public static Dictionary<string, Decoder> Table { get; } = new()
    {
        ["div"] = Divide,
        ["sqrt"] = SquareRoot,
        ["rcp"] = Reciprocal,
        ["rsqrt"] = reader => Approximate<ReciprocalSquareRoot>(reader),
        ["ex2"] = reader => Approximate<PowerOfTwo>(reader),
        ["lg2"] = reader => Approximate<LogarithmToTwo>(reader),
        ["sin"] = reader => Approximate<Sine>(reader),
        ["cos"] = reader => Approximate<Cosine>(reader),
        ["tanh"] = reader => Approximate<HyperbolicTangent>(reader),
        ["copysign"] = CopySign,
    };

    static LaneOperation Divide(InstructionReader reader)
    {
        if (reader.Maybe("rn", "approx", "full") is null) return IntegerInstructions.Divide(reader, reader.Type(U16, S16, U32, S32, U64, S64));
        (PtxType type, bool flushed) = FloatType(reader);
        (Register d, Register a, Register b) = (reader.Destination(type), reader.Source(type), reader.Source(type));
        if (flushed) return Lanes.Binary<FlushedBinary<Divide>, float>(d, a, b);
        return type == F32 ? Lanes.Binary<Divide, float>(d, a, b) : Lanes.Binary<Divide, double>(d, a, b);
    }

    static LaneOperation SquareRoot(InstructionReader reader)
    {
        reader.OneOf("rn", "approx");
        (PtxType type, bool flushed) = FloatType(reader);
        return Unary<SquareRoot>(reader, type, flushed);
    }

    static LaneOperation Reciprocal(InstructionReader reader)
    {
        reader.OneOf("rn", "approx");
        (PtxType type, bool flushed) = FloatType(reader);
        return Unary<OneOver>(reader, type, flushed);
    }

    static LaneOperation Approximate<TOperation>(InstructionReader reader) where TOperation : IUnary
    {
        reader.Expect("approx");
        bool flushed = reader.Flag("ftz");
        reader.Type(F32);
        return Unary<TOperation>(reader, F32, flushed);
    }

    static (PtxType Type, bool Flushed) FloatType(InstructionReader reader)
    {
        bool flushed = reader.Flag("ftz");
        return (flushed ? reader.Type(F32) : reader.Type(F32, F64), flushed);
    }

    static LaneOperation Unary<TOperation>(InstructionReader reader, PtxType type, bool flushed) where TOperation : IUnary
    {
        (Register d, Register a) = (reader.Destination(type), reader.Source(type));
        if (flushed) return Lanes.Unary<FlushedUnary<TOperation>, float>(d, a);
        return type == F32 ? Lanes.Unary<TOperation, float>(d, a) : Lanes.Unary<TOperation, double>(d, a);
    }

    /// <summary>The first operand's sign, the second's magnitude.</summary>
    static LaneOperation CopySign(InstructionReader reader)
    {
        PtxType type = reader.Type(F32, F64);
        (Register d, Register a, Register b) = (reader.Destination(type), reader.Source(type), reader.Source(type));
        return type == F32 ? Lanes.Map<float, float, float>(d, a, b, (x, y) => float.CopySign(y, x)) : Lanes.Map<double, double, double>(d, a, b, (x, y) => double.CopySign(y, x));
    }

    readonly struct OneOver : IUnary
    {
        public static Vector256<T> Apply<T>(Vector256<T> a) => Vector256<T>.One / a;
    }

    readonly struct ReciprocalSquareRoot : IUnary
    {
        public static Vector256<T> Apply<T>(Vector256<T> a) => InDouble(a, static x => Vector256<double>.One / Vector256.Sqrt(x));
    }

    readonly struct PowerOfTwo : IUnary
    {
        public static Vector256<T> Apply<T>(Vector256<T> a) => InDouble(a, static x => Vector256.Exp(x * Math.Log(2)));
    }

    readonly struct LogarithmToTwo : IUnary
    {
        public static Vector256<T> Apply<T>(Vector256<T> a) => InDouble(a, static x => Vector256.Log2(x));
    }

    readonly struct Sine : IUnary
    {
        public static Vector256<T> Apply<T>(Vector256<T> a) => InDouble(a, static x => Vector256.Sin(x));
    }

    readonly struct Cosine : IUnary
    {
        public static Vector256<T> Apply<T>(Vector256<T> a) => InDouble(a, static x => Vector256.Cos(x));
    }

    readonly struct HyperbolicTangent : IUnary
    {
        public static Vector256<T> Apply<T>(Vector256<T> a) => InDouble(a, static x =>
        {
            Vector256<double> e = Vector256.Exp(-2 * Vector256.Abs(x));
            Vector256<double> y = Vector256.CopySign((Vector256<double>.One - e) / (Vector256<double>.One + e), x);
            // Near zero the difference cancels, and the function is its argument.
            return Vector256.ConditionalSelect(Vector256.LessThan(Vector256.Abs(x), Vector256.Create(1e-5)), x, y);
        });
    }

    /// <summary>A function of singles, computed in double precision and rounded.</summary>
    static Vector256<T> InDouble<T>(Vector256<T> a, Func<Vector256<double>, Vector256<double>> function)
    {
        (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(a.As<T, float>());
        return Vector256.Narrow(function(lower), function(upper)).As<float, T>();
    }
}
