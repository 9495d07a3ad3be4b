// Tiles for attention.cuh whose products run on tensor cores: operands rounded to bfloat16 or float16, sums and softmax in float32. Tensors stay float32 in
// memory and are rounded on their way into shared memory. 64 rows by 64 others at a time, a warp has 16 of the rows.
#pragma once
#include "attention.cuh"

struct BFloat16
{
    // Two floats as two halves of a word, the first in the low one.
    DEVICE u32 pack(float low, float high)
    {
        u32 word;
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
        return word;
    }

    DEVICE float rounded(float x) { return bits(pack(x, 0) << 16); }

    // d += a · b: 16 x 16 by 16 x 8. Who holds which element is in the PTX manual, "Matrix fragments for mma.m16n8k16".
    DEVICE void multiply(float& d0, float& d1, float& d2, float& d3, const u32 (&a)[4], u32 b0, u32 b1)
    {
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(d0), "+f"(d1), "+f"(d2), "+f"(d3) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
    }
};

struct Float16
{
    DEVICE u32 pack(float low, float high)
    {
        u32 word;
        asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
        return word;
    }

    DEVICE float rounded(float x)
    {
        float result;
        asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"((unsigned short)pack(x, 0)));
        return result;
    }

    DEVICE void multiply(float& d0, float& d1, float& d2, float& d3, const u32 (&a)[4], u32 b0, u32 b1)
    {
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(d0), "+f"(d1), "+f"(d2), "+f"(d3) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
    }
};

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

template <u32 Size, typename Type> struct TensorTiles
{
    // Rows `group` and `group + 8` of the warp's are a lane's, and of every eight others a pair.
    static constexpr u32 Tile = 64, Threads = 128, WarpRows = 16, Sharing = 4, Rows = 2, Columns = Tile / 4, Outputs = Size / 4;

    // Rows are 16 bytes longer than needed: eight rows of a matrix then lie on banks of their own.
    static constexpr u32 Words = Size / 2 + 4;

    struct alignas(16) Own { u32 at[Tile][Words]; };
    typedef Own Other;

    DEVICE u32 row(u32 r) { return warp() * WarpRows + (lane() >> 2) + r * 8; }
    DEVICE u32 column(u32 c) { return c / 2 * 8 + (lane() & 3) * 2 + c % 2; }
    DEVICE u32 output(u32 c) { return column(c); }
    DEVICE float rounded(float x) { return Type::rounded(x); }
    DEVICE float exponential(float x) { return exp2Fast(x * Log2E); }

    // Padded with zeros.
    DEVICE void load(Own& tile, const Head<const float>& x, u32 first, u32 size)
    {
        _Pragma("unroll 4") for (u32 i = thread(); i < Tile * Size / 2; i += Threads)
        {
            u32 row = i / (Size / 2), column = i % (Size / 2) * 2;
            tile.at[row][column / 2] = Type::pack(element(x, first + row, column, size), element(x, first + row, column + 1, size));
        }
    }

    // The address of a lane's row for a load of four matrices.
    DEVICE u32 address(const Own& tile, u32 row, u32 column) { return sharedAddress(&tile) + row * Words * 4 + column * 2; }

    // Blocks n and n + 1, of 8 columns each, += a · b.
    template <u32 Count> DEVICE void multiply(float (&d)[Rows][Count], u32 n, const u32 (&a)[4], const u32 (&b)[4])
    {
        Type::multiply(d[0][n * 2], d[0][n * 2 + 1], d[1][n * 2], d[1][n * 2 + 1], a, b[0], b[1]);
        Type::multiply(d[0][n * 2 + 2], d[0][n * 2 + 3], d[1][n * 2 + 2], d[1][n * 2 + 3], a, b[2], b[3]);
    }

    DEVICE void products(float (&sums)[Rows][Columns], const Own& own, const Other& others)
    {
        UNROLL for (u32 c = 0; c < Size / 16; c++)
        {
            u32 a[4], b[4];
            loadMatrices(a, address(own, warp() * WarpRows + (lane() & 15), c * 16 + (lane() >> 4) * 8));
            UNROLL for (u32 n = 0; n < Tile / 8; n += 2)
            {
                loadMatrices(b, address(others, n * 8 + (lane() & 7) + (lane() >> 4) * 8, c * 16 + (lane() >> 3 & 1) * 8));
                multiply(sums, n, a, b);
            }
        }
    }

    // sums += weights · others. The result of one product lies as the operand of the next wants it.
    DEVICE void accumulate(float (&sums)[Rows][Outputs], const float (&weights)[Rows][Columns], const Other& others)
    {
        UNROLL for (u32 c = 0; c < Tile / 16; c++)
        {
            u32 a[4], b[4];
            UNROLL for (u32 i = 0; i < 4; i++) a[i] = Type::pack(weights[i % 2][c * 4 + i / 2 * 2], weights[i % 2][c * 4 + i / 2 * 2 + 1]);
            UNROLL for (u32 n = 0; n < Size / 8; n += 2)
            {
                loadTransposed(b, address(others, c * 16 + (lane() & 15), n * 8 + (lane() >> 4) * 8));
                multiply(sums, n, a, b);
            }
        }
    }
};
