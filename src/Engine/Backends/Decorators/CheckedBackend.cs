using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Decorators;

/// <summary>
/// Holds every operation to its contract: shapes agree, a destination overlaps no input unless the operation allows it,
/// and (with <paramref name="finite"/>) what was written is finite. A breach is an <see cref="InvalidOperationException"/> that names the operation.
/// Plans are traced through this decorator, so wrong shapes never reach a device.
/// </summary>
sealed partial class CheckedBackend(IBackend inner, bool finite) : BackendDecorator(inner)
{
    public override void PackMatrix(Tensor weight, int firstOutput, PackedMatrix destination)
    {
        Require(weight.Columns == destination.Inputs && firstOutput >= 0 && firstOutput + weight.Rows <= destination.Outputs,
            nameof(PackMatrix), $"rows {firstOutput}.. of {weight} in {destination}");
        base.PackMatrix(weight, firstOutput, destination);
    }

    public override void Copy(Tensor x, Tensor y)
    {
        Require(x.Rows == y.Rows && x.Columns == y.Columns, nameof(Copy), $"{x} to {y}");
        base.Copy(x, y);
    }

    public override void Permute(Tensor x, Shape order, Tensor y)
    {
        Require(x.Shape.Rank == 4 && order.Rank == 4 && y.Shape.Rank == 4, nameof(Permute), $"{x} to {y} by {order}");
        var seen = 0;
        for (int axis = 0; axis < 4; axis++)
        {
            Require(order[axis] < 4 && y.Shape[axis] == x.Shape[order[axis]], nameof(Permute), $"{x} to {y} by {order}");
            seen |= 1 << order[axis];
        }
        Require(seen == 0b1111 && x.IsContiguous && y.IsContiguous, nameof(Permute), $"{x} to {y} by {order}");
        base.Permute(x, order, y);
    }

    public override void Add(Tensor x, Tensor r, Tensor y)
    {
        Require(x.Rows == y.Rows && x.Columns == y.Columns && r.Columns == x.Columns && r.Rows > 0 && x.Rows % r.Rows == 0, nameof(Add), $"{x} + {r} = {y}");
        base.Add(x, r, y);
    }

    public override void Activate(Tensor x, Activation activation, Tensor y)
    {
        Require(x.Rows == y.Rows && x.Columns == y.Columns, nameof(Activate), $"{x} to {y}");
        base.Activate(x, activation, y);
    }

    public override void Linear(Tensor x, PackedMatrix weight, Tensor bias, Tensor y)
    {
        RequireLinear(nameof(Linear), x, weight, bias, y);
        base.Linear(x, weight, bias, y);
    }

    public override void LinearActivate(Tensor x, PackedMatrix weight, Tensor bias, Activation activation, Tensor y)
    {
        RequireLinear(nameof(LinearActivate), x, weight, bias, y);
        base.LinearActivate(x, weight, bias, activation, y);
    }

    public override void LinearAdd(Tensor x, PackedMatrix weight, Tensor bias, Tensor residual, Tensor y)
    {
        RequireLinear(nameof(LinearAdd), x, weight, bias, y);
        Require(residual.Rows == y.Rows && residual.Columns == y.Columns, nameof(LinearAdd), $"residual {residual}, result {y}");
        base.LinearAdd(x, weight, bias, residual, y);
    }

    public override void LayerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y)
    {
        Require(x.Rows == y.Rows && x.Columns == y.Columns && IsVector(gamma, x.Columns) && IsVector(beta, x.Columns),
            nameof(LayerNorm), $"{x} to {y} with γ {gamma}, β {beta}");
        base.LayerNorm(x, gamma, beta, epsilon, y);
    }

    public override void Attention(Tensor q, Tensor k, Tensor v, int heads, bool causal, Tensor y, PrecisionFloor floor)
    {
        Require(q.Shape.Rank == 3 && q.Shape == y.Shape && k.Shape.Rank == 3 && k.Shape == v.Shape && k.Shape[0] == q.Shape[0]
            && k.Columns == q.Columns && k.Shape[1] > 0 && heads > 0 && q.Columns % heads == 0 && (!causal || q.Shape[1] <= k.Shape[1]),
            nameof(Attention), $"{heads} heads of q {q}, k {k}, v {v} to {y}");
        base.Attention(q, k, v, heads, causal, y, floor);
    }

    public override void Film(Tensor x, Tensor scale, Tensor shift, Tensor y)
    {
        Require(x.Shape.Rank == 3 && y.Shape.Rank == 3 && (x.Shape[0] == 1 || x.Shape[0] == y.Shape[0]) && x.Shape[1] == y.Shape[1] && x.Columns == y.Columns
            && scale.Rows == y.Shape[0] && scale.Columns == y.Columns && shift.Rows == y.Shape[0] && shift.Columns == y.Columns,
            nameof(Film), $"{x} to {y} by {scale} and {shift}");
        base.Film(x, scale, shift, y);
    }

    public override void GatherRows(Tensor table, Tensor indices, Tensor y)
    {
        Require(indices.Storage.Type == DType.I32 && indices.IsContiguous && indices.Shape.Elements == y.Rows && table.Columns == y.Columns,
            nameof(GatherRows), $"{indices} of {table} to {y}");
        base.GatherRows(table, indices, y);
    }

    public override void Patchify(Tensor pixels, int size, Tensor y)
    {
        Shape image = pixels.Shape;
        Require(image.Rank == 4 && pixels.IsContiguous && size > 0 && image[2] % size == 0 && image[3] % size == 0
            && y.Rows == image[0] * (image[2] / size) * (image[3] / size) && y.Columns == image[1] * size * size, nameof(Patchify), $"{pixels} to {y} by {size}");
        base.Patchify(pixels, size, y);
    }

    public override void PrependClassToken(Tensor tokens, Tensor classToken, Tensor positions, Tensor y)
    {
        Require(tokens.Shape.Rank == 3 && y.Shape == new Shape(tokens.Shape[0], tokens.Shape[1] + 1, tokens.Columns)
            && IsVector(classToken, y.Columns) && positions.Rows == y.Shape[1] && positions.Columns == y.Columns,
            nameof(PrependClassToken), $"{classToken} and {tokens} plus {positions} to {y}");
        base.PrependClassToken(tokens, classToken, positions, y);
    }

    public override void SliceTokens(Tensor x, int first, Tensor y)
    {
        Require(x.Shape.Rank == 3 && y.Shape.Rank == 3 && x.Shape[0] == y.Shape[0] && x.Columns == y.Columns && first >= 0 && first + y.Shape[1] <= x.Shape[1],
            nameof(SliceTokens), $"tokens {first}.. of {x} to {y}");
        base.SliceTokens(x, first, y);
    }

    public override void Convolution(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Tensor y)
    {
        RequireConvolution(nameof(Convolution), x, weight, bias, kernel, y);
        base.Convolution(x, weight, bias, kernel, y);
    }

    public override void ConvolutionActivate(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Activation activation, Tensor y)
    {
        RequireConvolution(nameof(ConvolutionActivate), x, weight, bias, kernel, y);
        base.ConvolutionActivate(x, weight, bias, kernel, activation, y);
    }

    public override void Fold(Tensor columns, int kernel, int stride, int padding, Tensor bias, Tensor y)
    {
        Shape from = columns.Shape, to = y.Shape;
        Require(from.Rank == 4 && to.Rank == 4 && from[0] == to[0] && kernel > 0 && stride > 0 && padding >= 0
            && to[1] == (from[1] - 1) * stride - 2 * padding + kernel && to[2] == (from[2] - 1) * stride - 2 * padding + kernel
            && from.Columns == kernel * kernel * to.Columns && y.IsContiguous && IsBias(bias, to.Columns),
            nameof(Fold), $"{columns} to {y}, kernel {kernel}, stride {stride}, padding {padding}, bias {bias}");
        base.Fold(columns, kernel, stride, padding, bias, y);
    }

    public override void Resize(Tensor x, ResizeMode mode, Tensor y)
    {
        Require(x.Shape.Rank == 4 && y.Shape.Rank == 4 && x.Shape[0] == y.Shape[0] && x.Columns == y.Columns && x.IsContiguous && y.IsContiguous,
            nameof(Resize), $"{x} to {y}");
        base.Resize(x, mode, y);
    }

    protected override bool Before(in Operation operation)
    {
        for (int i = 0; i < operation.Writes.Length; i++)
        {
            Tensor write = operation.Writes[i];
            if (write.IsAbsent) continue;
            foreach (Tensor read in operation.Reads)
                if (!read.IsAbsent && Overlap(read, write) && !(operation.InPlace && IsSameView(read, write)))
                    throw new InvalidOperationException($"{operation.Name}: the destination {write} overlaps the input {read}.");
            foreach (Tensor other in operation.Writes[..i])
                if (!other.IsAbsent && Overlap(other, write))
                    throw new InvalidOperationException($"{operation.Name}: the destinations {other} and {write} overlap.");
        }
        return true;
    }

    protected override void After(in Operation operation)
    {
        if (!finite) return;
        foreach (Tensor write in operation.Writes)
        {
            if (write.IsAbsent) continue;
            var values = new float[write.Shape.Elements];
            Inner.Download(write, values);
            int bad = Array.FindIndex(values, value => !float.IsFinite(value));
            if (bad >= 0) throw new InvalidOperationException($"{operation.Name}: element {bad} of the result {write} is {values[bad]}.");
        }
    }

    /// <summary>Column ranges of one matrix interleave without overlapping, so ranges are compared per column when the pitch is the same.</summary>
    static bool Overlap(Tensor a, Tensor b)
    {
        if (a.Storage != b.Storage || a.Offset >= b.Offset + b.Extent || b.Offset >= a.Offset + a.Extent) return false;
        if (a.Pitch != b.Pitch) return true;
        long apart = ((b.Offset - a.Offset) % a.Pitch + a.Pitch) % a.Pitch;   // columns from a row's start in a to the next one in b
        return apart < a.Columns || a.Pitch - apart < b.Columns;
    }

    static bool IsSameView(Tensor a, Tensor b) => a.Offset == b.Offset && a.Pitch == b.Pitch && a.Rows == b.Rows && a.Columns == b.Columns;

    static void RequireLinear(string operation, Tensor x, PackedMatrix weight, Tensor bias, Tensor y) =>
        Require(x.Columns == weight.Inputs && y.Columns == weight.Outputs && x.Rows == y.Rows && IsBias(bias, weight.Outputs),
            operation, $"{x} by {weight} and bias {bias} to {y}");

    static void RequireConvolution(string operation, Tensor x, PackedMatrix weight, Tensor bias, int kernel, Tensor y) =>
        Require(x.Shape.Rank == 4 && y.Shape.Rank == 4 && x.Rows == y.Rows && x.Shape[1] == y.Shape[1] && x.Shape[2] == y.Shape[2] && kernel % 2 == 1
            && weight.Inputs == kernel * kernel * x.Columns && weight.Outputs == y.Columns && x.IsContiguous && IsBias(bias, weight.Outputs),
            operation, $"{x} by {weight}, kernel {kernel}, bias {bias} to {y}");

    static bool IsBias(Tensor bias, int columns) => bias.IsAbsent || IsVector(bias, columns);

    static bool IsVector(Tensor vector, int columns) => vector.Shape.Elements == columns && vector.IsContiguous;

    static void Require(bool condition, string operation, FormattableString what)
    {
        if (!condition) throw new InvalidOperationException($"{operation}: {what} do not fit together.");
    }
}
