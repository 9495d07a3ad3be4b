// The contrastive loss (Radford et al. 2021, section 2.3) and its gradient, in double precision: logits of up to several hundred are subtracted.
#include "common.cuh"

constexpr u32 LineThreads = 128;

constexpr double LogOf2 = 0.693147180559945309417, OneOverLog2 = 1.44269504088896340736;

DEVICE double power2(i32 exponent)   // in the range of normal numbers
{
    u64 whole = (u64)(exponent + 1023) << 52;
    double result;
    __builtin_memcpy(&result, &whole, 8);
    return result;
}

// e^x for x from -700 to 700, 0 below; the remainder of x / ln 2 by its Taylor series.
DEVICE double exp(double x)
{
    if (x < -700) return 0;
    double scaled = x * OneOverLog2;
    i32 whole = (i32)(scaled + (scaled >= 0 ? 0.5 : -0.5));
    double r = fma(-(double)whole, LogOf2, x), series = 1;
    UNROLL for (u32 term = 13; term > 0; term--) series = fma(series * r, 1.0 / term, 1.0);
    return series * power2(whole);
}

// ln x for normal x > 0: the exponent, and the mantissa m in [1, 2) by 2·artanh((m - 1) / (m + 1)).
DEVICE double log(double x)
{
    u64 whole;
    __builtin_memcpy(&whole, &x, 8);
    i32 exponent = (i32)(whole >> 52) - 1023;
    double s = (x / power2(exponent) - 1) / (x / power2(exponent) + 1), square = s * s, series = 1.0 / 27;
    UNROLL for (u32 term = 13; term > 0; term--) series = fma(series, square, 1.0 / (2 * term - 1));
    return fma((double)exponent, LogOf2, 2 * s * series);
}

DEVICE double scaleOf(float logScale, float largest)
{
    double scale = exp((double)logScale);
    return scale < largest ? scale : largest;
}

DEVICE double larger(double a, double b) { return a > b ? a : b; }

template <typename F> DEVICE double blockReduce(double value, double* scratch, F both)
{
    scratch[thread()] = value;
    for (u32 half = LineThreads / 2; half; half >>= 1)
    {
        barrier();
        if (thread() < half) scratch[thread()] = both(scratch[thread()], scratch[thread() + half]);
    }
    barrier();
    double result = scratch[0];
    barrier();
    return result;
}

// lines[line] = (ln Σ e^z, number of positives, Σ of their z) of every row, then every column. One block a line.
KERNEL(128) contrast_lines_f32(
    const float* similarities, u32 pitch, const float* positives, u32 pitchPositives, const float* logScale, float largest, double* lines, u32 rows, u32 columns)
{
    __shared__ double scratch[LineThreads];
    bool isRow = blockX() < rows;
    u32 line = isRow ? blockX() : blockX() - rows, length = isRow ? columns : rows;
    u64 step = isRow ? 1 : pitch, stepPositives = isRow ? 1 : pitchPositives;
    const float* from = similarities + (isRow ? (u64)line * pitch : line);
    const float* wanted = positives + (isRow ? (u64)line * pitchPositives : line);
    double scale = scaleOf(*logScale, largest), top = -1e300, sum = 0, count = 0, logits = 0;
    for (u32 i = thread(); i < length; i += LineThreads) top = larger(top, scale * from[i * step]);
    top = blockReduce(top, scratch, larger);
    for (u32 i = thread(); i < length; i += LineThreads)
    {
        double z = scale * from[i * step];
        sum += exp(z - top);
        if (wanted[i * stepPositives] == 0) continue;
        count += 1;
        logits += z;
    }
    auto plus = [](double a, double b) { return a + b; };
    sum = blockReduce(sum, scratch, plus);
    count = blockReduce(count, scratch, plus);
    logits = blockReduce(logits, scratch, plus);
    if (thread() != 0) return;
    lines[3 * blockX()] = top + log(sum);
    lines[3 * blockX() + 1] = count;
    lines[3 * blockX() + 2] = logits;
}

// The mean over rows and over columns of ln Σ e^z - mean z of the positives. One block.
KERNEL(128) contrast_loss_f32(const double* lines, u32 rows, u32 columns, float* y)
{
    __shared__ double scratch[LineThreads];
    double sum = 0;
    for (u32 line = thread(); line < rows + columns; line += LineThreads)
        sum += (lines[3 * line] - lines[3 * line + 2] / lines[3 * line + 1]) / (line < rows ? rows : columns);
    sum = blockReduce(sum, scratch, [](double a, double b) { return a + b; });
    if (thread() == 0) *y = (float)(sum / 2);
}

// dSimilarities, and partial[block] = Σ dz·z of the block's elements.
KERNEL(128) contrast_backward_f32(
    const float* similarities, u32 pitch, const float* positives, u32 pitchPositives, const float* logScale, float largest, const double* lines,
    float* dSimilarities, u32 pitchGradients, double* partial, u32 rows, u32 columns)
{
    __shared__ double scratch[LineThreads];
    double scale = scaleOf(*logScale, largest), sum = 0;
    for (u32 i = globalThread(); i < rows * columns; i += globalThreads())
    {
        u32 row = i / columns, column = i % columns;
        const double* ofRow = lines + 3 * row;
        const double* ofColumn = lines + 3 * (rows + column);
        double z = scale * similarities[(u64)row * pitch + column], positive = positives[(u64)row * pitchPositives + column];
        double dz = (exp(z - ofRow[0]) - positive / ofRow[1]) / (2.0 * rows) + (exp(z - ofColumn[0]) - positive / ofColumn[1]) / (2.0 * columns);
        dSimilarities[(u64)row * pitchGradients + column] = (float)(scale * dz);
        sum = fma(dz, z, sum);
    }
    sum = blockReduce(sum, scratch, [](double a, double b) { return a + b; });
    if (thread() == 0) partial[blockX()] = sum;
}

// dLogScale += Σ partial, unless the scale is at its limit.
KERNEL(32) contrast_scale_backward_f32(const double* partial, u32 count, const float* logScale, float largest, float* dLogScale)
{
    if (thread() != 0 || scaleOf(*logScale, largest) >= largest) return;
    double total = 0;
    for (u32 i = 0; i < count; i++) total += partial[i];
    *dLogScale += (float)total;
}
