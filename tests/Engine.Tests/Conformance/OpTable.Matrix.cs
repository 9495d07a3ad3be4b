using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Linear layers, packing, convolution.</summary>
static partial class OpTable
{
    static readonly int[] AwkwardRows = [1, 5, 13, 14, 15, 31];

    static readonly (int Inputs, int Outputs)[] AwkwardMatrices =
        [(1, 1), (3, 4), (4, 7), (7, 3), (12, 16), (16, 12), (24, 31), (31, 24), (32, 33), (33, 32), (48, 64), (64, 48)];

    static IEnumerable<OpCase> Linears()
    {
        foreach (int rows in AwkwardRows)
            foreach ((int inputs, int outputs) in AwkwardMatrices) yield return Linear(rows, inputs, outputs, bias: (rows + inputs) % 2 == 0);
        // Large enough for the worker pool.
        yield return Linear(485, 64, 48, bias: true);
        yield return Linear(485, 33, 128, bias: false);
        yield return Linear(31, 768, 768, bias: true);
        yield return Linear(1, 768, 768, bias: true);
        yield return Linear(15, 768, 33, bias: false);
        foreach (int outputs in new[] { 7, 16, 32, 33 })
        {
            yield return new("Linear", $"15x31 to {outputs}, column ranges", Tolerance.Sum(31), space =>
            {
                Tensor x = space.RandomInside(5, 3, 15, 31), bias = space.Random(outputs), y = space.OutputInside(3, 9, 15, outputs);
                PackedMatrix weight = space.Weights(outputs, 31);
                return backend => backend.Linear(x, weight, bias, y);
            });
        }
        yield return new("Linear", "2x7x24 to 2x7x12, tokens", Tolerance.Sum(24), space =>
        {
            Tensor x = space.Random(2, 7, 24), y = space.Output(2, 7, 12);
            PackedMatrix weight = space.Weights(12, 24);
            return backend => backend.Linear(x, weight, default, y);
        });
    }

    static OpCase Linear(int rows, int inputs, int outputs, bool bias) =>
        new("Linear", $"{rows}x{inputs} to {outputs}{(bias ? ", bias" : "")}", Tolerance.Sum(inputs), space =>
        {
            Tensor x = space.Random(rows, inputs), b = bias ? space.Random(outputs) : default, y = space.Output(rows, outputs);
            PackedMatrix weight = space.Weights(outputs, inputs);
            return backend => backend.Linear(x, weight, b, y);
        });

    static IEnumerable<OpCase> FusedLinears()
    {
        (int Rows, int Inputs, int Outputs)[] sizes = [(5, 33, 31), (14, 16, 32), (15, 48, 7), (31, 64, 64), (1, 3, 1), (485, 64, 48)];
        foreach ((int rows, int inputs, int outputs) in sizes)
            foreach (Activation activation in Enum.GetValues<Activation>())
            {
                bool bias = activation is Activation.QuickGelu or Activation.Relu || rows % 2 == 0;
                yield return new("LinearActivate", $"{rows}x{inputs} to {outputs}, {activation}{(bias ? ", bias" : "")}", Tolerance.Sum(inputs), space =>
                {
                    Tensor x = space.Random(rows, inputs), b = bias ? space.Random(outputs) : default, y = space.Output(rows, outputs);
                    PackedMatrix weight = space.Weights(outputs, inputs);
                    return backend => backend.LinearActivate(x, weight, b, activation, y);
                });
            }
        foreach ((int rows, int inputs, int outputs) in sizes)
            foreach (bool wide in new[] { false, true })
            {
                yield return new("LinearAdd", $"{rows}x{inputs} to {outputs}{(wide ? ", bias, column ranges" : "")}", Tolerance.Sum(inputs), space =>
                {
                    Tensor x = space.RandomInside(wide ? 1 : 0, wide ? 6 : 0, rows, inputs), b = wide ? space.Random(outputs) : default;
                    Tensor residual = space.RandomInside(wide ? 7 : 0, 0, rows, outputs), y = space.OutputInside(0, wide ? 5 : 0, rows, outputs);
                    PackedMatrix weight = space.Weights(outputs, inputs);
                    return backend => backend.LinearAdd(x, weight, b, residual, y);
                });
            }
    }

    static IEnumerable<OpCase> Packings()
    {
        foreach ((int[] pieces, int inputs) in new[] { (new[] { 1, 1, 1 }, 3), ([33, 31, 7], 24), ([7, 16, 12], 33), ([64, 64, 64], 64), ([5, 32, 1], 17) })
        {
            yield return new("PackMatrix", $"{string.Join('+', pieces)} of {inputs}", Tolerance.Sum(inputs), space =>
            {
                Tensor x = space.Random(6, inputs), y = space.Output(6, pieces.Sum());
                Tensor[] weights = [.. pieces.Select(rows => space.Spread(1 / Math.Sqrt(inputs), 0, rows, inputs))];
                PackedMatrix matrix = space.EmptyMatrix(pieces.Sum(), inputs);
                return backend =>
                {
                    int first = 0;
                    foreach (Tensor weight in weights)
                    {
                        backend.PackMatrix(weight, first, matrix);
                        first += weight.Rows;
                    }
                    backend.Linear(x, matrix, default, y);
                };
            });
        }
        yield return new("PackMatrix", "again, from a column range", Tolerance.Sum(12), space =>
        {
            Tensor x = space.Random(3, 12), later = space.SpreadInside(3, 2, 0.3, 0, 9, 12), y = space.Output(3, 33);
            PackedMatrix matrix = space.Weights(33, 12);
            return backend =>
            {
                backend.PackMatrix(later, 11, matrix);
                backend.Linear(x, matrix, default, y);
            };
        });
    }

    static IEnumerable<OpCase> Convolutions()
    {
        (int Batch, int Height, int Width, int Inputs, int Outputs)[] maps =
            [(1, 1, 1, 3, 7), (2, 2, 3, 1, 1), (2, 5, 4, 16, 16), (1, 5, 4, 7, 33), (1, 22, 22, 12, 33), (2, 7, 9, 8, 12)];
        foreach ((int batch, int height, int width, int inputs, int outputs) in maps)
            foreach (int kernel in new[] { 1, 3, 5 })
            {
                bool bias = kernel != 5;
                string detail = $"{batch}x{height}x{width}x{inputs} to {outputs}, kernel {kernel}{(bias ? ", bias" : "")}";
                Tolerance tolerance = Tolerance.Sum(kernel * kernel * inputs);
                yield return new("Convolution", detail, tolerance, space =>
                {
                    Tensor x = space.Random(batch, height, width, inputs), b = bias ? space.Random(outputs) : default;
                    Tensor y = space.Output(batch, height, width, outputs);
                    PackedMatrix weight = space.Weights(outputs, kernel * kernel * inputs);
                    return backend => backend.Convolution(x, weight, b, kernel, y);
                });
                Activation activation = kernel == 1 ? Activation.Sigmoid : kernel == 3 ? Activation.Relu : Activation.Gelu;
                yield return new("ConvolutionActivate", $"{detail}, {activation}", tolerance, space =>
                {
                    Tensor x = space.Random(batch, height, width, inputs), b = bias ? space.Random(outputs) : default;
                    Tensor y = space.OutputInside(0, 4, batch, height, width, outputs);
                    PackedMatrix weight = space.Weights(outputs, kernel * kernel * inputs);
                    return backend => backend.ConvolutionActivate(x, weight, b, kernel, activation, y);
                });
            }
    }
}
