// Attention in float32, a tile of 32 queries by 32 keys at a time, so that scores never leave the chip (Dao et al. 2022, "FlashAttention"; the
// gradient computes them again). Head h is columns [h·size, (h + 1)·size) of rows a pitch apart; grid: tiles, heads, batch entries.
#include "common.cuh"

constexpr u32 Tile = 32, Warps = 4, PerWarp = Tile / Warps, Threads = Warps * Warp;
constexpr float Hidden = -1e30f;   // a score that no softmax sees; finite, so that differences are

// Which rows of q, k, v a head has, and what a query may see.
struct Problem
{
    u32 queries, keys, size, causal;
    float scale;   // 1 / √size
};

DEVICE bool sees(const Problem& p, u32 query, u32 key) { return key < p.keys && (!p.causal || key + p.queries <= query + p.keys); }

// Keys that any of the queries up to `last` sees.
DEVICE u32 keysUpTo(const Problem& p, u32 last) { return p.causal ? min(p.keys, last + p.keys - p.queries + 1) : p.keys; }

// A tile's rows, padded with zeros to a multiple of four columns. An odd pitch keeps lanes that read rows of their own on banks of their own.
template <u32 Size, u32 Pitch> DEVICE void load(float (*tile)[Pitch], const float* x, u32 pitch, u32 first, u32 rows, u32 size, float scale)
{
    _Pragma("unroll 4") for (u32 i = thread(); i < Tile * Size; i += Threads)
    {
        u32 row = i / Size, column = i % Size;
        tile[row][column] = first + row < rows && column < size ? scale * x[(u64)(first + row) * pitch + column] : 0;
    }
}

// result[i] = row (warp's i) of `rows` times the row of this lane in `columns`.
template <u32 Size> DEVICE void products(const float (*rows)[Size], const float (*columns)[Size + 1], float (&result)[PerWarp])
{
    UNROLL for (u32 i = 0; i < PerWarp; i++) result[i] = 0;
    _Pragma("unroll 2") for (u32 c = 0; c < Size; c += 4)
    {
        const float* column = columns[lane()] + c;
        float c0 = column[0], c1 = column[1], c2 = column[2], c3 = column[3];
        UNROLL for (u32 i = 0; i < PerWarp; i++)
        {
            float4 row = *(const float4*)&rows[warp() * PerWarp + i][c];
            result[i] = fma(row.x, c0, fma(row.y, c1, fma(row.z, c2, fma(row.w, c3, result[i]))));
        }
    }
}

template <u32 Size> constexpr u32 PerLane = (Size + Warp - 1) / Warp;

// sums[i] += Σ over the tile's rows j of weights[i][j] · rows[j], this lane's columns of it. The weights go through shared memory of this warp.
template <u32 Size>
DEVICE void accumulate(const float (&weights)[PerWarp], float (*scratch)[PerWarp][Tile], const float (*rows)[Size + 1], float (&sums)[PerWarp][PerLane<Size>])
{
    warpBarrier();
    UNROLL for (u32 i = 0; i < PerWarp; i++) scratch[warp()][i][lane()] = weights[i];
    warpBarrier();
    _Pragma("unroll 1") for (u32 j = 0; j < Tile; j += 4)
        UNROLL for (u32 part = 0; part < PerLane<Size>; part++)
        {
            u32 column = Size < Warp ? lane() % Size : part * Warp + lane();
            float r0 = rows[j][column], r1 = rows[j + 1][column], r2 = rows[j + 2][column], r3 = rows[j + 3][column];
            UNROLL for (u32 i = 0; i < PerWarp; i++)
            {
                float4 weight = *(const float4*)&scratch[warp()][i][j];
                sums[i][part] = fma(weight.x, r0, fma(weight.y, r1, fma(weight.z, r2, fma(weight.w, r3, sums[i][part]))));
            }
        }
}

template <u32 Size> DEVICE void clear(float (&sums)[PerWarp][PerLane<Size>])
{
    UNROLL for (u32 i = 0; i < PerWarp; i++)
        UNROLL for (u32 part = 0; part < PerLane<Size>; part++) sums[i][part] = 0;
}

// Writes factors[i] · sums[i] into the rows that exist.
template <u32 Size>
DEVICE void store(float* y, u32 pitch, u32 first, u32 rows, u32 size, const float (&factors)[PerWarp], const float (&sums)[PerWarp][PerLane<Size>])
{
    UNROLL for (u32 i = 0; i < PerWarp; i++)
    {
        u32 row = first + warp() * PerWarp + i;
        UNROLL for (u32 part = 0; part < PerLane<Size>; part++)
            if (row < rows && part * Warp + lane() < size) y[(u64)row * pitch + part * Warp + lane()] = factors[i] * sums[i][part];
    }
}

// One softmax step: the tile's scores become exponentials, what was summed before is rescaled.
DEVICE void softmaxStep(const Problem& p, u32 firstQuery, u32 key, float (&scores)[PerWarp], float (&largest)[PerWarp], float (&sum)[PerWarp], float (&rescale)[PerWarp])
{
    UNROLL for (u32 i = 0; i < PerWarp; i++)
    {
        float score = sees(p, firstQuery + warp() * PerWarp + i, key) ? scores[i] : Hidden;
        float top = max(largest[i], warpMax(score));
        rescale[i] = exp(largest[i] - top);
        scores[i] = score == Hidden ? 0 : exp(score - top);
        sum[i] = fma(sum[i], rescale[i], scores[i]);
        largest[i] = top;
    }
}

template <u32 Size>
DEVICE void forward(const float* q, u32 pitchQ, const float* k, u32 pitchK, const float* v, u32 pitchV, float* y, u32 pitchY, const Problem& p)
{
    __shared__ __attribute__((aligned(16))) float queries[Tile][Size], weights[Warps][PerWarp][Tile];
    __shared__ float keys[Tile][Size + 1], values[Tile][Size + 1];
    u32 firstQuery = blockX() * Tile, head = blockY() * p.size;
    u64 queryRows = (u64)blockZ() * p.queries, keyRows = (u64)blockZ() * p.keys;
    load<Size>(queries, q + queryRows * pitchQ + head, pitchQ, firstQuery, p.queries, p.size, p.scale);
    float largest[PerWarp], sum[PerWarp], rescale[PerWarp], scores[PerWarp], sums[PerWarp][PerLane<Size>];
    UNROLL for (u32 i = 0; i < PerWarp; i++)
    {
        largest[i] = Hidden;
        sum[i] = 0;
    }
    clear<Size>(sums);
    u32 end = keysUpTo(p, min(firstQuery + Tile, p.queries) - 1);
    for (u32 firstKey = 0; firstKey < end; firstKey += Tile)
    {
        barrier();
        load<Size>(keys, k + keyRows * pitchK + head, pitchK, firstKey, p.keys, p.size, 1);
        load<Size>(values, v + keyRows * pitchV + head, pitchV, firstKey, p.keys, p.size, 1);
        barrier();
        products<Size>(queries, keys, scores);
        softmaxStep(p, firstQuery, firstKey + lane(), scores, largest, sum, rescale);
        UNROLL for (u32 i = 0; i < PerWarp; i++)
            UNROLL for (u32 part = 0; part < PerLane<Size>; part++) sums[i][part] *= rescale[i];
        accumulate<Size>(scores, weights, values, sums);
    }
    UNROLL for (u32 i = 0; i < PerWarp; i++) rescale[i] = 1 / warpSum(sum[i]);
    store<Size>(y + queryRows * pitchY + head, pitchY, firstQuery, p.queries, p.size, rescale, sums);
}

constexpr u32 Statistics = 3;   // of every query: largest score, 1 / Σ e^(score - largest), Σ dy·y

// statistics [batch, head, query, 3].
DEVICE u64 statisticsOf(const Problem& p) { return ((u64)blockZ() * blocksY() + blockY()) * p.queries * Statistics; }

template <u32 Size>
DEVICE void rowStatistics(
    const float* q, u32 pitchQ, const float* k, u32 pitchK, const float* y, u32 pitchY, const float* dy, u32 pitchDy, float* statistics, const Problem& p)
{
    __shared__ __attribute__((aligned(16))) float queries[Tile][Size];
    __shared__ float keys[Tile][Size + 1];
    u32 firstQuery = blockX() * Tile, head = blockY() * p.size;
    u64 queryRows = (u64)blockZ() * p.queries, keyRows = (u64)blockZ() * p.keys;
    load<Size>(queries, q + queryRows * pitchQ + head, pitchQ, firstQuery, p.queries, p.size, p.scale);
    float largest[PerWarp], sum[PerWarp], rescale[PerWarp], scores[PerWarp];
    UNROLL for (u32 i = 0; i < PerWarp; i++)
    {
        largest[i] = Hidden;
        sum[i] = 0;
    }
    u32 end = keysUpTo(p, min(firstQuery + Tile, p.queries) - 1);
    for (u32 firstKey = 0; firstKey < end; firstKey += Tile)
    {
        barrier();
        load<Size>(keys, k + keyRows * pitchK + head, pitchK, firstKey, p.keys, p.size, 1);
        barrier();
        products<Size>(queries, keys, scores);
        softmaxStep(p, firstQuery, firstKey + lane(), scores, largest, sum, rescale);
    }
    UNROLL for (u32 i = 0; i < PerWarp; i++)
    {
        u32 query = firstQuery + warp() * PerWarp + i;
        float total = warpSum(sum[i]), along = 0;
        if (query < p.queries)
            for (u32 c = lane(); c < p.size; c += Warp) along = fma(y[(queryRows + query) * pitchY + head + c], dy[(queryRows + query) * pitchDy + head + c], along);
        along = warpSum(along);
        if (query >= p.queries || lane() != 0) continue;
        float* to = statistics + statisticsOf(p) + (u64)query * Statistics;
        to[0] = largest[i];
        to[1] = 1 / total;
        to[2] = along;
    }
}

// The probability of a score, and the gradient of the score from that of the probability.
DEVICE float probability(float score, const float* statistics) { return exp(score - statistics[0]) * statistics[1]; }
DEVICE float scoreGradient(float probability, float gradient, const float* statistics) { return probability * (gradient - statistics[2]); }

// dq = scale · Σ over keys of dScore · k. A block has a tile of queries.
template <u32 Size>
DEVICE void backwardQueries(
    const float* q, u32 pitchQ, const float* k, u32 pitchK, const float* v, u32 pitchV, const float* dy, u32 pitchDy, const float* statistics, float* dq, u32 pitchDq,
    const Problem& p)
{
    __shared__ __attribute__((aligned(16))) float queries[Tile][Size], gradients[Tile][Size], weights[Warps][PerWarp][Tile];
    __shared__ float keys[Tile][Size + 1], values[Tile][Size + 1];
    u32 firstQuery = blockX() * Tile, head = blockY() * p.size;
    u64 queryRows = (u64)blockZ() * p.queries, keyRows = (u64)blockZ() * p.keys;
    load<Size>(queries, q + queryRows * pitchQ + head, pitchQ, firstQuery, p.queries, p.size, p.scale);
    load<Size>(gradients, dy + queryRows * pitchDy + head, pitchDy, firstQuery, p.queries, p.size, 1);
    float scores[PerWarp], along[PerWarp], factors[PerWarp], sums[PerWarp][PerLane<Size>];
    clear<Size>(sums);
    u32 end = keysUpTo(p, min(firstQuery + Tile, p.queries) - 1);
    for (u32 firstKey = 0; firstKey < end; firstKey += Tile)
    {
        barrier();
        load<Size>(keys, k + keyRows * pitchK + head, pitchK, firstKey, p.keys, p.size, 1);
        load<Size>(values, v + keyRows * pitchV + head, pitchV, firstKey, p.keys, p.size, 1);
        barrier();
        products<Size>(queries, keys, scores);
        products<Size>(gradients, values, along);
        UNROLL for (u32 i = 0; i < PerWarp; i++)
        {
            u32 query = firstQuery + warp() * PerWarp + i;
            const float* of = statistics + statisticsOf(p) + (u64)query * Statistics;
            scores[i] = query < p.queries && sees(p, query, firstKey + lane()) ? scoreGradient(probability(scores[i], of), along[i], of) : 0;
        }
        accumulate<Size>(scores, weights, keys, sums);
    }
    UNROLL for (u32 i = 0; i < PerWarp; i++) factors[i] = p.scale;
    store<Size>(dq + queryRows * pitchDq + head, pitchDq, firstQuery, p.queries, p.size, factors, sums);
}

// dk = Σ over queries of dScore · q · scale, dv = Σ of probability · dy. A block has a tile of keys: its rows are keys, its lanes queries.
template <u32 Size>
DEVICE void backwardKeys(
    const float* q, u32 pitchQ, const float* k, u32 pitchK, const float* v, u32 pitchV, const float* dy, u32 pitchDy, const float* statistics, float* dk, u32 pitchDk,
    float* dv, u32 pitchDv, const Problem& p)
{
    __shared__ __attribute__((aligned(16))) float keys[Tile][Size], values[Tile][Size], weights[Warps][PerWarp][Tile];
    __shared__ float queries[Tile][Size + 1], gradients[Tile][Size + 1];
    u32 firstKey = blockX() * Tile, head = blockY() * p.size;
    u64 queryRows = (u64)blockZ() * p.queries, keyRows = (u64)blockZ() * p.keys;
    load<Size>(keys, k + keyRows * pitchK + head, pitchK, firstKey, p.keys, p.size, 1);
    load<Size>(values, v + keyRows * pitchV + head, pitchV, firstKey, p.keys, p.size, 1);
    float scores[PerWarp], along[PerWarp], ones[PerWarp], keySums[PerWarp][PerLane<Size>], valueSums[PerWarp][PerLane<Size>];
    clear<Size>(keySums);
    clear<Size>(valueSums);
    // The first query that sees the tile's first key.
    u32 first = p.causal && firstKey + p.queries > p.keys ? firstKey + p.queries - p.keys : 0;
    for (u32 firstQuery = first / Tile * Tile; firstQuery < p.queries; firstQuery += Tile)
    {
        barrier();
        load<Size>(queries, q + queryRows * pitchQ + head, pitchQ, firstQuery, p.queries, p.size, p.scale);
        load<Size>(gradients, dy + queryRows * pitchDy + head, pitchDy, firstQuery, p.queries, p.size, 1);
        barrier();
        products<Size>(keys, queries, scores);
        products<Size>(values, gradients, along);
        u32 query = firstQuery + lane();
        float of[Statistics] = {0, 0, 0};
        if (query < p.queries)
            UNROLL for (u32 i = 0; i < Statistics; i++) of[i] = statistics[statisticsOf(p) + (u64)query * Statistics + i];
        UNROLL for (u32 i = 0; i < PerWarp; i++)
        {
            bool seen = query < p.queries && sees(p, query, firstKey + warp() * PerWarp + i);
            scores[i] = seen ? probability(scores[i], of) : 0;
            along[i] = scoreGradient(scores[i], along[i], of);
        }
        accumulate<Size>(scores, weights, gradients, valueSums);
        accumulate<Size>(along, weights, queries, keySums);
    }
    UNROLL for (u32 i = 0; i < PerWarp; i++) ones[i] = 1;
    store<Size>(dk + keyRows * pitchDk + head, pitchDk, firstKey, p.keys, p.size, ones, keySums);
    store<Size>(dv + keyRows * pitchDv + head, pitchDv, firstKey, p.keys, p.size, ones, valueSums);
}

#define PROBLEM u32 numberOfQueries, u32 numberOfKeys, u32 size, u32 causal, float scale
#define GIVEN {numberOfQueries, numberOfKeys, size, causal, scale}

#define ATTENTION(Size) \
    KERNEL(Threads) attention_f32_h##Size(const float* q, u32 pitchQ, const float* k, u32 pitchK, const float* v, u32 pitchV, float* y, u32 pitchY, PROBLEM) \
    { \
        forward<Size>(q, pitchQ, k, pitchK, v, pitchV, y, pitchY, GIVEN); \
    } \
    KERNEL(Threads) attention_statistics_f32_h##Size( \
        const float* q, u32 pitchQ, const float* k, u32 pitchK, const float* y, u32 pitchY, const float* dy, u32 pitchDy, float* statistics, PROBLEM) \
    { \
        rowStatistics<Size>(q, pitchQ, k, pitchK, y, pitchY, dy, pitchDy, statistics, GIVEN); \
    } \
    KERNEL(Threads) attention_backward_queries_f32_h##Size(const float* q, u32 pitchQ, const float* k, u32 pitchK, const float* v, u32 pitchV, \
        const float* dy, u32 pitchDy, const float* statistics, float* dq, u32 pitchDq, PROBLEM) \
    { \
        backwardQueries<Size>(q, pitchQ, k, pitchK, v, pitchV, dy, pitchDy, statistics, dq, pitchDq, GIVEN); \
    } \
    KERNEL(Threads) attention_backward_keys_f32_h##Size(const float* q, u32 pitchQ, const float* k, u32 pitchK, const float* v, u32 pitchV, \
        const float* dy, u32 pitchDy, const float* statistics, float* dk, u32 pitchDk, float* dv, u32 pitchDv, PROBLEM) \
    { \
        backwardKeys<Size>(q, pitchQ, k, pitchK, v, pitchV, dy, pitchDy, statistics, dk, pitchDk, dv, pitchDv, GIVEN); \
    }

ATTENTION(16)
ATTENTION(32)
ATTENTION(64)
