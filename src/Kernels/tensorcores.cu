// Attention whose products run on tensor cores: operands rounded to bfloat16 or float16, sums and softmax in float32 (Dao et al. 2022). Tensors stay
// float32 in memory and are rounded on their way into shared memory. A block has 64 queries, a warp 16 of them; grid: tiles, heads, batch entries.
#include "common.cuh"

constexpr u32 Tile = 64, Threads = 128, WarpQueries = 16;
constexpr float Hidden = -1e30f;   // a score that no softmax sees; finite, so that differences are

struct BFloat16 { };
struct Float16 { };

// Two floats as two halves of a word, the first in the low one.
DEVICE u32 pack(float low, float high, BFloat16)
{
    u32 word;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
}

DEVICE u32 pack(float low, float high, Float16)
{
    u32 word;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
}

// d += a · b: 16 x 16 by 16 x 8. Who holds which element is in the PTX manual, "Matrix fragments for mma.m16n8k16".
DEVICE void multiply(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1, BFloat16)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

DEVICE void multiply(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1, Float16)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

DEVICE u32 sharedAddress(const void* pointer) { return (u32)(u64)(__attribute__((address_space(3))) const void*)pointer; }

// Four 8 x 8 matrices of halves, a row's address from each lane.
DEVICE void loadMatrices(u32 (&r)[4], u32 address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(address) : "memory");
}

DEVICE void loadTransposed(u32 (&r)[4], u32 address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(address) : "memory");
}

// Rows of a tile are 16 bytes longer than needed: eight rows of a matrix then lie on banks of their own.
template <u32 Size> constexpr u32 Words = Size / 2 + 4;

template <u32 Size, typename Type> DEVICE void load(u32 (*tile)[Words<Size>], const float* x, u32 pitch, u32 first, u32 rows, u32 size, Type type)
{
    _Pragma("unroll 4") for (u32 i = thread(); i < Tile * Size / 2; i += Threads)
    {
        u32 row = i / (Size / 2), column = i % (Size / 2) * 2;
        const float* from = x + (u64)(first + row) * pitch + column;
        float low = first + row < rows && column < size ? from[0] : 0, high = first + row < rows && column + 1 < size ? from[1] : 0;
        tile[row][column / 2] = pack(low, high, type);
    }
}

// The address of this lane's row for a load of four matrices: 16 rows by 16 columns.
template <u32 Size> DEVICE u32 block(u32 tile, u32 row, u32 column) { return tile + row * Words<Size> * 4 + column * 2; }

template <u32 Size, typename Type>
DEVICE void attend(
    const float* q, u32 pitchQ, const float* k, u32 pitchK, const float* v, u32 pitchV, float* y, u32 pitchY, u32 queries, u32 keys, u32 size, u32 causal, float scale,
    Type type)
{
    __shared__ __attribute__((aligned(16))) u32 queryTile[Tile][Words<Size>], keyTile[Tile][Words<Size>], valueTile[Tile][Words<Size>];
    constexpr u32 Depths = Size / 16, KeyBlocks = Tile / 8, ValueBlocks = Size / 8;
    u32 firstQuery = blockX() * Tile, head = blockY() * size, group = lane() >> 2, pair = (lane() & 3) * 2;
    u64 queryRows = (u64)blockZ() * queries, keyRows = (u64)blockZ() * keys;
    u32 keysAt = sharedAddress(keyTile), valuesAt = sharedAddress(valueTile);
    load<Size>(queryTile, q + queryRows * pitchQ + head, pitchQ, firstQuery, queries, size, type);
    barrier();
    u32 a[Depths][4];
    UNROLL for (u32 c = 0; c < Depths; c++) loadMatrices(a[c], block<Size>(sharedAddress(queryTile), warp() * WarpQueries + (lane() & 15), c * 16 + (lane() >> 4) * 8));

    // Rows `group` and `group + 8` of the warp's queries are this lane's.
    float sums[ValueBlocks][4] = {}, largest[2] = {Hidden, Hidden}, total[2] = {0, 0};
    u32 last = min(firstQuery + Tile, queries) - 1, end = causal ? min(keys, last + keys - queries + 1) : keys;
    for (u32 firstKey = 0; firstKey < end; firstKey += Tile)
    {
        barrier();
        load<Size>(keyTile, k + keyRows * pitchK + head, pitchK, firstKey, keys, size, type);
        load<Size>(valueTile, v + keyRows * pitchV + head, pitchV, firstKey, keys, size, type);
        barrier();
        float scores[KeyBlocks][4] = {};
        UNROLL for (u32 c = 0; c < Depths; c++)
            UNROLL for (u32 n = 0; n < KeyBlocks; n += 2)
            {
                u32 b[4];
                loadMatrices(b, block<Size>(keysAt, n * 8 + (lane() & 7) + (lane() >> 4) * 8, c * 16 + (lane() >> 3 & 1) * 8));
                multiply(scores[n], a[c], b[0], b[1], type);
                multiply(scores[n + 1], a[c], b[2], b[3], type);
            }
        u32 weights[KeyBlocks / 2][4];
        UNROLL for (u32 h = 0; h < 2; h++)
        {
            u32 query = firstQuery + warp() * WarpQueries + group + h * 8;
            u32 visible = causal ? min(keys, query + keys - queries + 1) : keys;
            float top = largest[h];
            UNROLL for (u32 n = 0; n < KeyBlocks; n++)
                UNROLL for (u32 e = 0; e < 2; e++)
                {
                    float& score = scores[n][h * 2 + e];
                    score = firstKey + n * 8 + pair + e < visible ? score * scale : Hidden;
                    top = max(top, score);
                }
            top = max(top, exchange(top, 1));
            top = max(top, exchange(top, 2));
            float rescale = exp2Fast((largest[h] - top) * Log2E), sum = 0;
            largest[h] = top;
            UNROLL for (u32 n = 0; n < KeyBlocks; n++)
            {
                float low = scores[n][h * 2] == Hidden ? 0 : exp2Fast((scores[n][h * 2] - top) * Log2E);
                float high = scores[n][h * 2 + 1] == Hidden ? 0 : exp2Fast((scores[n][h * 2 + 1] - top) * Log2E);
                sum += low + high;
                weights[n / 2][n % 2 * 2 + h] = pack(low, high, type);
            }
            total[h] = fma(total[h], rescale, sum);
            UNROLL for (u32 n = 0; n < ValueBlocks; n++)
            {
                sums[n][h * 2] *= rescale;
                sums[n][h * 2 + 1] *= rescale;
            }
        }
        UNROLL for (u32 c = 0; c < Tile / 16; c++)
            UNROLL for (u32 n = 0; n < ValueBlocks; n += 2)
            {
                u32 b[4];
                loadTransposed(b, block<Size>(valuesAt, c * 16 + (lane() & 15), n * 8 + (lane() >> 4) * 8));
                multiply(sums[n], weights[c], b[0], b[1], type);
                multiply(sums[n + 1], weights[c], b[2], b[3], type);
            }
    }
    UNROLL for (u32 h = 0; h < 2; h++)
    {
        float sum = total[h];
        sum += exchange(sum, 1);
        sum += exchange(sum, 2);
        u32 query = firstQuery + warp() * WarpQueries + group + h * 8;
        float* row = y + (queryRows + query) * pitchY + head;
        UNROLL for (u32 n = 0; n < ValueBlocks; n++)
            UNROLL for (u32 e = 0; e < 2; e++)
                if (query < queries && n * 8 + pair + e < size) row[n * 8 + pair + e] = sums[n][h * 2 + e] / sum;
    }
}

#define ATTENTION(name, Type, Size) \
    KERNEL(Threads) tensorcores_attention_##name##_h##Size(const float* q, u32 pitchQ, const float* k, u32 pitchK, const float* v, u32 pitchV, \
        float* y, u32 pitchY, u32 queries, u32 keys, u32 size, u32 causal, float scale) \
    { \
        attend<Size>(q, pitchQ, k, pitchK, v, pitchV, y, pitchY, queries, keys, size, causal, scale, Type()); \
    }

ATTENTION(bf16, BFloat16, 16)
ATTENTION(bf16, BFloat16, 32)
ATTENTION(bf16, BFloat16, 64)
ATTENTION(f16, Float16, 16)
ATTENTION(f16, Float16, 32)
ATTENTION(f16, Float16, 64)
