namespace ClipSegNative.Imaging;

/// <summary>
/// Makes a masked thing in an example picture stand out: what is around it is blurred and faded to a tenth, then the picture is cut to the mask's
/// surroundings, padded to a square and enlarged. Lüddecke and Ecker 2022, section 4 (visual prompt engineering), found this to work best;
/// the numbers are those of the authors' <c>crop_blur_highlight352</c>.
/// </summary>
/// <remarks>It works on normalised pixels, where 0 is the mean colour: "faded" is towards grey, and the padding is grey.</remarks>
static class ExampleFocus
{
    const int Taps = 15;
    const double Sigma = 3;
    const float Surroundings = 0.1f;
    const double Context = 0.1;   // of the box's own size, on each side

    static readonly float[] Kernel = MakeKernel();

    /// <summary>Normalised pixels [3, height, width] and a mask of the picture -> normalised pixels [3, height, width].</summary>
    /// <param name="pixels">The whole picture at the working size.</param>
    /// <param name="mask">Any size; brought to the working size by nearest neighbour.</param>
    /// <param name="width">Working width.</param>
    /// <param name="height">Working height.</param>
    /// <exception cref="ArgumentException">The mask marks no pixel at the working size.</exception>
    public static float[] Apply(ReadOnlySpan<float> pixels, Mask mask, int width, int height)
    {
        Mask found = Resize(mask, width, height);
        if (found.Area == 0) throw new ArgumentException($"The example's mask marks no pixel at the working size of {width} x {height}.");
        PixelBox box = found.Box;
        int left = (int)Math.Max(0, box.X - Context * box.Width), right = (int)Math.Min(width, box.X + box.Width + Context * box.Width);
        int top = (int)Math.Max(0, box.Y - Context * box.Height), bottom = (int)Math.Min(height, box.Y + box.Height + Context * box.Height);
        int side = Math.Max(right - left, bottom - top);
        // The odd pixel of padding goes right and below.
        int originX = left - (side - (right - left)) / 2, originY = top - (side - (bottom - top)) / 2;

        var focused = new float[pixels.Length];
        var faded = new float[width * height];
        var scratch = new float[width * height];
        for (int channel = 0; channel < Picture.Channels; channel++)
        {
            ReadOnlySpan<float> plane = pixels.Slice(channel * width * height, width * height);
            Blur(plane, width, height, scratch, faded);
            for (int i = 0; i < faded.Length; i++) faded[i] = found.Pixels[i] != 0 ? plane[i] : Surroundings * faded[i];
            Span<float> to = focused.AsSpan(channel * width * height, width * height);
            for (int y = 0; y < height; y++)
            {
                int fromY = originY + Nearest(y, side, height);
                if (fromY < top || fromY >= bottom) continue;
                for (int x = 0; x < width; x++)
                {
                    int fromX = originX + Nearest(x, side, width);
                    if (fromX >= left && fromX < right) to[y * width + x] = faded[fromY * width + fromX];
                }
            }
        }
        return focused;
    }

    static Mask Resize(Mask mask, int width, int height)
    {
        var resized = new byte[width * height];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<byte> row = mask.Pixels.Slice(Nearest(y, mask.Height, height) * mask.Width, mask.Width);
            for (int x = 0; x < width; x++) resized[y * width + x] = row[Nearest(x, mask.Width, width)];
        }
        return new Mask(resized, width, height);
    }

    /// <summary>PyTorch's "nearest", its float32 rounding included.</summary>
    static int Nearest(int to, int fromSize, int toSize) => Math.Min((int)(to * ((float)fromSize / toSize)), fromSize - 1);

    static void Blur(ReadOnlySpan<float> plane, int width, int height, Span<float> scratch, Span<float> blurred)
    {
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<float> row = plane.Slice(y * width, width);
            for (int x = 0; x < width; x++)
            {
                float sum = 0;
                for (int tap = 0; tap < Taps; tap++) sum += Kernel[tap] * row[Reflect(x + tap - Taps / 2, width)];
                scratch[y * width + x] = sum;
            }
        }
        blurred.Clear();
        for (int y = 0; y < height; y++)
            for (int tap = 0; tap < Taps; tap++)
            {
                ReadOnlySpan<float> row = scratch.Slice(Reflect(y + tap - Taps / 2, height) * width, width);
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(row, Kernel[tap], blurred.Slice(y * width, width), blurred.Slice(y * width, width));
            }
    }

    /// <summary>Outside the picture it goes on mirrored, the border pixel itself not repeated: OpenCV's default.</summary>
    static int Reflect(int i, int size)
    {
        if (size == 1) return 0;
        while (i < 0 || i >= size) i = i < 0 ? -i : 2 * (size - 1) - i;
        return i;
    }

    static float[] MakeKernel()
    {
        double[] weights = [.. Enumerable.Range(0, Taps).Select(tap => Math.Exp(-Math.Pow(tap - Taps / 2, 2) / (2 * Sigma * Sigma)))];
        double sum = weights.Sum();
        return [.. weights.Select(weight => (float)(weight / sum))];
    }
}
