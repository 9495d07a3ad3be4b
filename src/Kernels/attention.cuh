// Attention a tile of queries by a tile of keys at a time, so that scores never leave the chip (Dao et al. 2022, "FlashAttention"); the gradient
// computes them again. Head h is columns [h·size, (h + 1)·size) of rows a pitch apart; grid: tiles, heads, batch entries.
//
// What the arithmetic is, Tiles say: they have products of a tile of rows, held for the whole of a block, by a tile of others. A lane has Columns scores of
// each of Rows rows, Outputs channels of the same rows, and shares a row with Sharing lanes.
#pragma once
#include "common.cuh"

constexpr float Hidden = -1e30f;   // a product that no softmax sees; finite, so that differences are

// How much there is of everything, and what a query may see.
struct Problem
{
    u32 queries, keys, size, causal;
    float scale;   // 1 / √size
};

// Keys that a query sees: all before this one.
DEVICE u32 visible(const Problem& p, u32 query) { return p.causal ? min(p.keys, query + p.keys + 1 - p.queries) : p.keys; }

// The rows of this block's head and batch entry.
template <typename Float> struct Head
{
    Float* at;
    u32 pitch, rows;
};

template <typename Float> DEVICE Head<Float> headOf(Float* x, u32 pitch, u32 rows, u32 size) { return {x + (u64)blockZ() * rows * pitch + blockY() * size, pitch, rows}; }

// An element of a head, 0 beyond it.
DEVICE float element(const Head<const float>& x, u32 row, u32 column, u32 size) { return row < x.rows && column < size ? x.at[(u64)row * x.pitch + column] : 0; }

template <typename Tiles> DEVICE float rowMax(float value)
{
    UNROLL for (u32 mask = 1; mask < Tiles::Sharing; mask <<= 1) value = max(value, exchange(value, mask));
    return value;
}

template <typename Tiles> DEVICE float rowSum(float value)
{
    UNROLL for (u32 mask = 1; mask < Tiles::Sharing; mask <<= 1) value += exchange(value, mask);
    return value;
}

// Writes factor(row) · sums into the rows that exist.
template <typename Tiles, typename Factor>
DEVICE void store(const Head<float>& y, u32 first, u32 size, const float (&sums)[Tiles::Rows][Tiles::Outputs], Factor factor)
{
    UNROLL for (u32 r = 0; r < Tiles::Rows; r++)
        UNROLL for (u32 c = 0; c < Tiles::Outputs; c++)
            if (first + Tiles::row(r) < y.rows && Tiles::output(c) < size) y.at[(u64)(first + Tiles::row(r)) * y.pitch + Tiles::output(c)] = factor(r) * sums[r][c];
}

// The softmax of rows of scores that come a tile at a time: their largest product, and this lane's share of Σ e^(scale · (product - largest)).
template <typename Tiles> struct Softmax
{
    float largest[Tiles::Rows], sum[Tiles::Rows], rescale[Tiles::Rows];
};

// Products become exponentials; what was summed before is to be rescaled.
template <typename Tiles>
DEVICE void step(Softmax<Tiles>& softmax, const Problem& p, u32 firstQuery, u32 firstKey, float (&scores)[Tiles::Rows][Tiles::Columns])
{
    UNROLL for (u32 r = 0; r < Tiles::Rows; r++)
    {
        u32 end = visible(p, firstQuery + Tiles::row(r));
        float top = softmax.largest[r], sum = 0;
        UNROLL for (u32 c = 0; c < Tiles::Columns; c++)
        {
            scores[r][c] = firstKey + Tiles::column(c) < end ? scores[r][c] : Hidden;
            top = max(top, scores[r][c]);
        }
        top = rowMax<Tiles>(top);
        UNROLL for (u32 c = 0; c < Tiles::Columns; c++)
        {
            scores[r][c] = scores[r][c] == Hidden ? 0 : Tiles::exponential(p.scale * (scores[r][c] - top));
            sum += scores[r][c];
        }
        softmax.rescale[r] = Tiles::exponential(p.scale * (softmax.largest[r] - top));
        softmax.sum[r] = fma(softmax.sum[r], softmax.rescale[r], sum);
        softmax.largest[r] = top;
    }
}

// Goes over the keys of a tile of queries. `fetch` loads what goes with a tile of keys, `use` gets its exponentials.
template <typename Tiles, typename Fetch, typename Use>
DEVICE void overKeys(const Head<const float>& q, const Head<const float>& k, const Problem& p, u32 firstQuery, Softmax<Tiles>& softmax, Fetch fetch, Use use)
{
    __shared__ typename Tiles::Own queries;
    __shared__ typename Tiles::Other keys;
    Tiles::load(queries, q, firstQuery, p.size);
    UNROLL for (u32 r = 0; r < Tiles::Rows; r++)
    {
        softmax.largest[r] = Hidden;
        softmax.sum[r] = 0;
    }
    u32 end = visible(p, min(firstQuery + Tiles::Tile, p.queries) - 1);
    for (u32 firstKey = 0; firstKey < end; firstKey += Tiles::Tile)
    {
        barrier();
        Tiles::load(keys, k, firstKey, p.size);
        fetch(firstKey);
        barrier();
        float scores[Tiles::Rows][Tiles::Columns] = {};
        Tiles::products(scores, queries, keys);
        step<Tiles>(softmax, p, firstQuery, firstKey, scores);
        use(scores);
    }
}

template <typename Tiles>
DEVICE void forward(const Head<const float>& q, const Head<const float>& k, const Head<const float>& v, const Head<float>& y, const Problem& p)
{
    __shared__ typename Tiles::Other values;
    u32 firstQuery = blockX() * Tiles::Tile;
    Softmax<Tiles> softmax;
    float sums[Tiles::Rows][Tiles::Outputs] = {};
    overKeys<Tiles>(q, k, p, firstQuery, softmax, [&](u32 firstKey) { Tiles::load(values, v, firstKey, p.size); }, [&](float (&weights)[Tiles::Rows][Tiles::Columns])
    {
        UNROLL for (u32 r = 0; r < Tiles::Rows; r++)
            UNROLL for (u32 c = 0; c < Tiles::Outputs; c++) sums[r][c] *= softmax.rescale[r];
        Tiles::accumulate(sums, weights, values);
    });
    UNROLL for (u32 r = 0; r < Tiles::Rows; r++) softmax.sum[r] = 1 / rowSum<Tiles>(softmax.sum[r]);
    store<Tiles>(y, firstQuery, p.size, sums, [&](u32 r) { return softmax.sum[r]; });
}

constexpr u32 Statistics = 3;   // of every query: the largest product, 1 / Σ e^(scale · (product - largest)), Σ dy·y

// Those of this block's head [batch, head, query, 3].
template <typename Float> DEVICE Float* statisticsOf(Float* all, const Problem& p) { return all + ((u64)blockZ() * blocksY() + blockY()) * p.queries * Statistics; }

template <typename Tiles>
DEVICE void rowStatistics(const Head<const float>& q, const Head<const float>& k, const Head<const float>& y, const Head<const float>& dy, float* statistics, const Problem& p)
{
    u32 firstQuery = blockX() * Tiles::Tile, part = lane() % Tiles::Sharing;
    Softmax<Tiles> softmax;
    overKeys<Tiles>(q, k, p, firstQuery, softmax, [](u32) { }, [](float (&)[Tiles::Rows][Tiles::Columns]) { });
    UNROLL for (u32 r = 0; r < Tiles::Rows; r++)
    {
        u32 query = firstQuery + Tiles::row(r);
        float total = rowSum<Tiles>(softmax.sum[r]), along = 0;
        // dy as the products have it: it is the differences to this sum that count.
        for (u32 c = part; c < p.size; c += Tiles::Sharing) along = fma(element(y, query, c, p.size), Tiles::rounded(element(dy, query, c, p.size)), along);
        along = rowSum<Tiles>(along);
        if (query >= p.queries || part != 0) continue;
        float* to = statistics + (u64)query * Statistics;
        to[0] = softmax.largest[r];
        to[1] = 1 / total;
        to[2] = along;
    }
}

// A block has a tile of queries and goes over the keys: dx = dq = scale · Σ dScore · k. Or, ByKeys, it has a tile of keys and goes over the queries that see
// them: dx = dk = scale · Σ dScore · q, and dv = Σ probability · dy.
template <typename Tiles, bool ByKeys>
DEVICE void backward(
    const Head<const float>& q, const Head<const float>& k, const Head<const float>& v, const Head<const float>& dy, const float* statistics, const Head<float>& dx,
    const Head<float>& dv, const Problem& p)
{
    __shared__ typename Tiles::Own own, ownValues;
    __shared__ typename Tiles::Other others, otherValues;
    u32 firstRow = blockX() * Tiles::Tile;
    Tiles::load(own, ByKeys ? k : q, firstRow, p.size);
    Tiles::load(ownValues, ByKeys ? v : dy, firstRow, p.size);
    float sums[Tiles::Rows][Tiles::Outputs] = {}, valueSums[Tiles::Rows][Tiles::Outputs] = {};
    // The first query that sees the tile's first key; the last key that the tile's last query sees.
    u32 first = ByKeys && p.causal && firstRow + p.queries > p.keys ? firstRow + p.queries - p.keys : 0;
    u32 end = ByKeys ? p.queries : visible(p, min(firstRow + Tiles::Tile, p.queries) - 1);
    for (u32 firstOther = first / Tiles::Tile * Tiles::Tile; firstOther < end; firstOther += Tiles::Tile)
    {
        barrier();
        Tiles::load(others, ByKeys ? q : k, firstOther, p.size);
        Tiles::load(otherValues, ByKeys ? dy : v, firstOther, p.size);
        barrier();
        float probabilities[Tiles::Rows][Tiles::Columns] = {}, gradients[Tiles::Rows][Tiles::Columns] = {};
        Tiles::products(probabilities, own, others);
        Tiles::products(gradients, ownValues, otherValues);
        UNROLL for (u32 i = 0; i < (ByKeys ? Tiles::Columns : Tiles::Rows); i++)
        {
            u32 query = ByKeys ? firstOther + Tiles::column(i) : firstRow + Tiles::row(i), end = query < p.queries ? visible(p, query) : 0;
            float largest = 0, inverse = 0, along = 0;
            if (query < p.queries)
            {
                const float* of = statistics + (u64)query * Statistics;
                largest = of[0];
                inverse = of[1];
                along = of[2];
            }
            UNROLL for (u32 j = 0; j < (ByKeys ? Tiles::Rows : Tiles::Columns); j++)
            {
                u32 r = ByKeys ? j : i, c = ByKeys ? i : j, key = ByKeys ? firstRow + Tiles::row(r) : firstOther + Tiles::column(c);
                float& probability = probabilities[r][c];
                probability = key < end ? Tiles::exponential(p.scale * (probability - largest)) * inverse : 0;
                gradients[r][c] = probability * (gradients[r][c] - along);
            }
        }
        Tiles::accumulate(sums, gradients, others);
        if (ByKeys) Tiles::accumulate(valueSums, probabilities, otherValues);
    }
    store<Tiles>(dx, firstRow, p.size, sums, [&](u32) { return p.scale; });
    if (ByKeys) store<Tiles>(dv, firstRow, p.size, valueSums, [](u32) { return 1.0f; });
}

#define PROBLEM u32 numberOfQueries, u32 numberOfKeys, u32 size, u32 causal, float scale
#define GIVEN Problem{numberOfQueries, numberOfKeys, size, causal, scale}
#define QUERIES(x) headOf(x, x##Pitch, numberOfQueries, size)
#define KEYS(x) headOf(x, x##Pitch, numberOfKeys, size)

#define ATTENTION(name, ...) \
    KERNEL((__VA_ARGS__::Threads)) name(const float* q, u32 qPitch, const float* k, u32 kPitch, const float* v, u32 vPitch, float* y, u32 yPitch, PROBLEM) \
    { \
        forward<__VA_ARGS__>(QUERIES(q), KEYS(k), KEYS(v), QUERIES(y), GIVEN); \
    }

#define ATTENTION_GRADIENT(family, type, ...) \
    KERNEL((__VA_ARGS__::Threads)) family##_statistics_##type( \
        const float* q, u32 qPitch, const float* k, u32 kPitch, const float* y, u32 yPitch, const float* dy, u32 dyPitch, float* statistics, PROBLEM) \
    { \
        rowStatistics<__VA_ARGS__>(QUERIES(q), KEYS(k), QUERIES(y), QUERIES(dy), statisticsOf(statistics, GIVEN), GIVEN); \
    } \
    KERNEL((__VA_ARGS__::Threads)) family##_backward_queries_##type(const float* q, u32 qPitch, const float* k, u32 kPitch, const float* v, u32 vPitch, \
        const float* dy, u32 dyPitch, const float* statistics, float* dq, u32 dqPitch, PROBLEM) \
    { \
        backward<__VA_ARGS__, false>(QUERIES(q), KEYS(k), KEYS(v), QUERIES(dy), statisticsOf(statistics, GIVEN), QUERIES(dq), Head<float>{}, GIVEN); \
    } \
    KERNEL((__VA_ARGS__::Threads)) family##_backward_keys_##type(const float* q, u32 qPitch, const float* k, u32 kPitch, const float* v, u32 vPitch, \
        const float* dy, u32 dyPitch, const float* statistics, float* dk, u32 dkPitch, float* dv, u32 dvPitch, PROBLEM) \
    { \
        backward<__VA_ARGS__, true>(QUERIES(q), KEYS(k), KEYS(v), QUERIES(dy), statisticsOf(statistics, GIVEN), KEYS(dk), KEYS(dv), GIVEN); \
    }
