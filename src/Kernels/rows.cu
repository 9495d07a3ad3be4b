// Element-wise operations and those that move rows. Tensors are matrices whose rows start a pitch apart; a kernel sees `count` elements
// in rows of `columns`, in units of its element type: one float, or four where all rows allow it.
#include "common.cuh"

// Matches the C# enumeration Activation.
enum Activation : u32 { None, QuickGelu, Gelu, Relu, Sigmoid };

// e^-z^2 / erfc(z) family: erf by Abramowitz and Stegun 7.1.26 has an error of 1.5e-7, which x multiplies.
DEVICE float gaussianTail(float x)   // 1 - erf(|x| / sqrt 2), over 2
{
    float z = abs(x) * 0.70710678118654752f, t = 1 / fma(0.3275911f, z, 1.0f);
    float series = fma(t, 1.061405429f, -1.453152027f);
    series = fma(t, series, 1.421413741f);
    series = fma(t, series, -0.284496736f);
    series = fma(t, series, 0.254829592f);
    return 0.5f * t * series * exp(-z * z);
}

DEVICE float normalCumulative(float x)
{
    float tail = gaussianTail(x);
    return x >= 0 ? 1 - tail : tail;
}

DEVICE float activate(float x, u32 activation)
{
    switch (activation)
    {
        case QuickGelu: return x * sigmoid(1.702f * x);
        case Gelu: return x * normalCumulative(x);
        case Relu: return x > 0 ? x : 0;
        case Sigmoid: return sigmoid(x);
        default: return x;
    }
}

DEVICE float slope(float x, u32 activation)
{
    switch (activation)
    {
        case QuickGelu:
        {
            float s = sigmoid(1.702f * x);
            return s * fma(1.702f * x, sigmoid(-1.702f * x), 1.0f);
        }
        case Gelu: return fma(x * 0.3989422804014327f, exp(-0.5f * x * x), normalCumulative(x));
        case Relu: return x > 0 ? 1 : 0;
        case Sigmoid: return sigmoid(x) * sigmoid(-x);
        default: return 1;
    }
}

DEVICE void set(float& to, float value) { to = value; }
DEVICE void set(float4& to, float value) { to = {value, value, value, value}; }

template <typename V> DEVICE V all(float value)
{
    V result;
    set(result, value);
    return result;
}

// Calls body(row, column) for every element of the matrix.
template <typename F> DEVICE void each(u32 columns, u32 count, F body)
{
    for (u32 i = globalThread(); i < count; i += globalThreads()) body(i / columns, i % columns);
}

template <typename V> DEVICE void fill(V* y, u32 pitchY, u32 columns, u32 count, float value)
{
    each(columns, count, [=](u32 row, u32 column) { y[(u64)row * pitchY + column] = all<V>(value); });
}

template <typename V> DEVICE void copy(const V* x, u32 pitchX, V* y, u32 pitchY, u32 columns, u32 count)
{
    each(columns, count, [=](u32 row, u32 column) { y[(u64)row * pitchY + column] = x[(u64)row * pitchX + column]; });
}

template <typename V> DEVICE void add(const V* x, u32 pitchX, const V* r, u32 pitchR, u32 repeat, V* y, u32 pitchY, u32 columns, u32 count)
{
    each(columns, count, [=](u32 row, u32 column)
    {
        V sum = map(x[(u64)row * pitchX + column], r[(u64)(row % repeat) * pitchR + column], [](float a, float b) { return a + b; });
        y[(u64)row * pitchY + column] = sum;
    });
}

template <typename V> DEVICE void activateAll(const V* x, u32 pitchX, V* y, u32 pitchY, u32 columns, u32 count, u32 activation)
{
    each(columns, count, [=](u32 row, u32 column)
    {
        y[(u64)row * pitchY + column] = map(x[(u64)row * pitchX + column], [=](float a) { return activate(a, activation); });
    });
}

template <typename V>
DEVICE void activateBackward(const V* x, u32 pitchX, const V* dy, u32 pitchDy, V* dx, u32 pitchDx, u32 columns, u32 count, u32 activation)
{
    each(columns, count, [=](u32 row, u32 column)
    {
        V at = x[(u64)row * pitchX + column], gradient = dy[(u64)row * pitchDy + column];
        dx[(u64)row * pitchDx + column] = map(at, gradient, [=](float a, float g) { return g * slope(a, activation); });
    });
}

// y[b, t] = scale[b] · x[b, t] + shift[b]; x repeats after rowsX.
template <typename V>
DEVICE void film(const V* x, u32 pitchX, u32 rowsX, const V* scale, u32 pitchScale, const V* shift, u32 pitchShift, V* y, u32 pitchY, u32 tokens, u32 columns, u32 count)
{
    each(columns, count, [=](u32 row, u32 column)
    {
        V at = x[(u64)(row % rowsX) * pitchX + column];
        V times = scale[(u64)(row / tokens) * pitchScale + column], plus = shift[(u64)(row / tokens) * pitchShift + column];
        y[(u64)row * pitchY + column] = map(at, times, plus, [](float a, float s, float h) { return fma(a, s, h); });
    });
}

template <typename V> DEVICE void gather(const V* table, u32 pitchTable, const i32* indices, V* y, u32 pitchY, u32 columns, u32 count)
{
    each(columns, count, [=](u32 row, u32 column) { y[(u64)row * pitchY + column] = table[(u64)indices[row] * pitchTable + column]; });
}

// y[b, t] = x[b, first + t], or 0 where x has no such token: slices forward, and their gradient with -first.
template <typename V>
DEVICE void slice(const V* x, u32 pitchX, u32 tokensX, i32 first, V* y, u32 pitchY, u32 tokensY, u32 columns, u32 count)
{
    each(columns, count, [=](u32 row, u32 column)
    {
        i32 token = (i32)(row % tokensY) + first;
        bool inside = token >= 0 && token < (i32)tokensX;
        y[(u64)row * pitchY + column] = inside ? x[((u64)(row / tokensY) * tokensX + token) * pitchX + column] : all<V>(0);
    });
}

template <typename V>
DEVICE void prepend(const V* tokens, u32 pitchTokens, const V* classToken, const V* positions, u32 pitchPositions, V* y, u32 pitchY, u32 perEntry, u32 columns, u32 count)
{
    each(columns, count, [=](u32 row, u32 column)
    {
        u32 entry = row / perEntry, token = row % perEntry;
        V value = token == 0 ? classToken[column] : tokens[((u64)entry * (perEntry - 1) + token - 1) * pitchTokens + column];
        y[(u64)row * pitchY + column] = map(value, positions[(u64)token * pitchPositions + column], [](float a, float b) { return a + b; });
    });
}

#define BOTH_WIDTHS(name, function, parameters, arguments) \
    KERNEL(256) name##_f32 parameters(float) { function<float> arguments; } \
    KERNEL(256) name##_f32x4 parameters(float4) { function<float4> arguments; }

#define FILL(V) (V* y, u32 pitchY, u32 columns, u32 count, float value)
BOTH_WIDTHS(rows_fill, fill, FILL, (y, pitchY, columns, count, value))

#define COPY(V) (const V* x, u32 pitchX, V* y, u32 pitchY, u32 columns, u32 count)
BOTH_WIDTHS(rows_copy, copy, COPY, (x, pitchX, y, pitchY, columns, count))

#define ADD(V) (const V* x, u32 pitchX, const V* r, u32 pitchR, u32 repeat, V* y, u32 pitchY, u32 columns, u32 count)
BOTH_WIDTHS(rows_add, add, ADD, (x, pitchX, r, pitchR, repeat, y, pitchY, columns, count))

#define ACTIVATE(V) (const V* x, u32 pitchX, V* y, u32 pitchY, u32 columns, u32 count, u32 activation)
BOTH_WIDTHS(rows_activate, activateAll, ACTIVATE, (x, pitchX, y, pitchY, columns, count, activation))

#define ACTIVATE_BACKWARD(V) (const V* x, u32 pitchX, const V* dy, u32 pitchDy, V* dx, u32 pitchDx, u32 columns, u32 count, u32 activation)
BOTH_WIDTHS(rows_activate_backward, activateBackward, ACTIVATE_BACKWARD, (x, pitchX, dy, pitchDy, dx, pitchDx, columns, count, activation))

#define FILM(V) (const V* x, u32 pitchX, u32 rowsX, const V* scale, u32 pitchScale, const V* shift, u32 pitchShift, V* y, u32 pitchY, u32 tokens, u32 columns, u32 count)
BOTH_WIDTHS(rows_film, film, FILM, (x, pitchX, rowsX, scale, pitchScale, shift, pitchShift, y, pitchY, tokens, columns, count))

#define GATHER(V) (const V* table, u32 pitchTable, const i32* indices, V* y, u32 pitchY, u32 columns, u32 count)
BOTH_WIDTHS(rows_gather, gather, GATHER, (table, pitchTable, indices, y, pitchY, columns, count))

#define SLICE(V) (const V* x, u32 pitchX, u32 tokensX, i32 first, V* y, u32 pitchY, u32 tokensY, u32 columns, u32 count)
BOTH_WIDTHS(rows_slice, slice, SLICE, (x, pitchX, tokensX, first, y, pitchY, tokensY, columns, count))

#define PREPEND(V) (const V* tokens, u32 pitchTokens, const V* classToken, const V* positions, u32 pitchPositions, V* y, u32 pitchY, u32 perEntry, u32 columns, u32 count)
BOTH_WIDTHS(rows_prepend, prepend, PREPEND, (tokens, pitchTokens, classToken, positions, pitchPositions, y, pitchY, perEntry, columns, count))

// y[column, row] = x[row, column], in tiles of 32 x 32 through shared memory, whose odd pitch keeps columns on banks of their own.
KERNEL(256) rows_transpose_f32(const float* x, u32 pitchX, u32 rows, u32 columns, float* y, u32 pitchY)
{
    __shared__ float tile[Warp][Warp + 1];
    u32 firstColumn = blockX() * Warp, firstRow = blockY() * Warp;
    for (u32 row = warp(); row < Warp; row += Lanes)
        if (firstRow + row < rows && firstColumn + lane() < columns) tile[row][lane()] = x[(u64)(firstRow + row) * pitchX + firstColumn + lane()];
    barrier();
    for (u32 column = warp(); column < Warp; column += Lanes)
        if (firstColumn + column < columns && firstRow + lane() < rows) y[(u64)(firstColumn + column) * pitchY + firstRow + lane()] = tile[lane()][column];
}
