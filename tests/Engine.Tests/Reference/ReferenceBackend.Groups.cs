using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>Group normalisation.</summary>
sealed partial class ReferenceBackend
{
    public void GroupNorm(Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, Tensor y)
    {
        Matrix to = new(y);
        double[] scale = Elements(gamma, x.Columns), shift = Elements(beta, x.Columns);
        foreach (Group group in Groups(x, groups, epsilon))
            foreach ((int pixel, int channel, double normal) in group.Elements)
                to[pixel, channel] = normal * scale[channel] + shift[channel];
    }

    /// <summary>The chain rule through mean and deviation, element by element: dx = Σ over the group of dŷ·∂x̂/∂x.</summary>
    public void GroupNormBackward(Tensor x, Tensor dy, Tensor gamma, int groups, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta)
    {
        Matrix gradient = new(dy), to = new(dx);
        double[] scale = Elements(gamma, x.Columns), scaleGradient = Elements(dGamma, x.Columns), shiftGradient = Elements(dBeta, x.Columns);
        foreach (Group group in Groups(x, groups, epsilon))
        {
            double sum = 0, product = 0;
            foreach ((int pixel, int channel, double normal) in group.Elements)
            {
                double incoming = gradient[pixel, channel];
                scaleGradient[channel] += incoming * normal;
                shiftGradient[channel] += incoming;
                sum += incoming * scale[channel];
                product += incoming * scale[channel] * normal;
            }
            foreach ((int pixel, int channel, double normal) in group.Elements)
                to[pixel, channel] = (gradient[pixel, channel] * scale[channel] - (sum + normal * product) / group.Elements.Length) / group.Deviation;
        }
        StoreElements(scaleGradient, dGamma);
        StoreElements(shiftGradient, dBeta);
    }

    static void StoreElements(double[] values, Tensor tensor)
    {
        if (tensor.IsAbsent) return;
        var to = new Matrix(tensor);
        for (int i = 0; i < values.Length; i++) to[i / tensor.Columns, i % tensor.Columns] = values[i];
    }

    static IEnumerable<Group> Groups(Tensor x, int groups, float epsilon)
    {
        var from = new Matrix(x);
        int pixels = x.Shape[1] * x.Shape[2], size = x.Columns / groups;
        for (int entry = 0; entry < x.Shape[0]; entry++)
            for (int first = 0; first < x.Columns; first += size)
            {
                (int Pixel, int Channel)[] places =
                    [.. from pixel in Enumerable.Range(entry * pixels, pixels) from channel in Enumerable.Range(first, size) select (pixel, channel)];
                double mean = places.Average(place => from[place.Pixel, place.Channel]);
                double deviation = Math.Sqrt(places.Average(place => Math.Pow(from[place.Pixel, place.Channel] - mean, 2)) + epsilon);
                yield return new Group(deviation, [.. places.Select(place => (place.Pixel, place.Channel, (from[place.Pixel, place.Channel] - mean) / deviation))]);
            }
    }

    sealed record Group(double Deviation, (int Pixel, int Channel, double Normal)[] Elements);
}
