// Attention in float32, 32 queries by 32 keys at a time: a warp has 8 rows of a tile, a lane one of the others.
#include "attention.cuh"

template <u32 Size> struct FloatTiles
{
    static constexpr u32 Tile = 32, Warps = 4, Threads = Warps * Warp, Sharing = Warp, Rows = Tile / Warps, Columns = 1, Outputs = (Size + Warp - 1) / Warp;

    struct alignas(16) Own { float at[Tile][Size]; };

    // An odd pitch keeps lanes that read rows of their own on banks of their own.
    struct Other { float at[Tile][Size + 1]; };

    DEVICE u32 row(u32 r) { return warp() * Rows + r; }
    DEVICE u32 column(u32) { return lane(); }
    DEVICE u32 output(u32 c) { return c * Warp + lane(); }
    DEVICE float rounded(float x) { return x; }
    DEVICE float exponential(float x) { return exp(x); }

    // Padded with zeros.
    template <typename Any> DEVICE void load(Any& tile, const Head<const float>& x, u32 first, u32 size)
    {
        _Pragma("unroll 4") for (u32 i = thread(); i < Tile * Size; i += Threads) tile.at[i / Size][i % Size] = element(x, first + i / Size, i % Size, size);
    }

    DEVICE void products(float (&sums)[Rows][Columns], const Own& own, const Other& others)
    {
        _Pragma("unroll 2") for (u32 c = 0; c < Size; c += 4)
        {
            const float* column = others.at[lane()] + c;
            float c0 = column[0], c1 = column[1], c2 = column[2], c3 = column[3];
            UNROLL for (u32 r = 0; r < Rows; r++)
            {
                float4 row = *(const float4*)&own.at[warp() * Rows + r][c];
                sums[r][0] = fma(row.x, c0, fma(row.y, c1, fma(row.z, c2, fma(row.w, c3, sums[r][0]))));
            }
        }
    }

    // sums += weights · others. The weights go through shared memory of this warp.
    DEVICE void accumulate(float (&sums)[Rows][Outputs], const float (&weights)[Rows][Columns], const Other& others)
    {
        __shared__ __attribute__((aligned(16))) float scratch[Warps][Rows][Tile];
        warpBarrier();
        UNROLL for (u32 r = 0; r < Rows; r++) scratch[warp()][r][lane()] = weights[r][0];
        warpBarrier();
        _Pragma("unroll 1") for (u32 j = 0; j < Tile; j += 4)
            UNROLL for (u32 c = 0; c < Outputs; c++)
            {
                u32 column = Size < Warp ? lane() % Size : output(c);
                float r0 = others.at[j][column], r1 = others.at[j + 1][column], r2 = others.at[j + 2][column], r3 = others.at[j + 3][column];
                UNROLL for (u32 r = 0; r < Rows; r++)
                {
                    float4 weight = *(const float4*)&scratch[warp()][r][j];
                    sums[r][c] = fma(weight.x, r0, fma(weight.y, r1, fma(weight.z, r2, fma(weight.w, r3, sums[r][c]))));
                }
            }
    }
};

ATTENTION(attention_f32_h16, FloatTiles<16>)
ATTENTION(attention_f32_h32, FloatTiles<32>)
ATTENTION(attention_f32_h64, FloatTiles<64>)
ATTENTION_GRADIENT(attention, f32_h16, FloatTiles<16>)
ATTENTION_GRADIENT(attention, f32_h32, FloatTiles<32>)
ATTENTION_GRADIENT(attention, f32_h64, FloatTiles<64>)
