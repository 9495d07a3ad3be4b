// What every kernel is written with: no CUDA SDK is needed, clang compiles this alone (see README.md).
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;

#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define DEVICE static __device__ __inline__ __attribute__((always_inline))
#define KERNEL(threads) extern "C" __global__ __attribute__((launch_bounds(threads))) void
#define UNROLL _Pragma("unroll")

constexpr u32 Warp = 32;
constexpr u32 AllLanes = 0xffffffffu;

// Four floats that one instruction moves; rows whose starts and lengths are multiples of four are read and written so.
struct alignas(16) float4 { float x, y, z, w; };

DEVICE u32 thread() { return __nvvm_read_ptx_sreg_tid_x(); }
DEVICE u32 threads() { return __nvvm_read_ptx_sreg_ntid_x(); }
DEVICE u32 lane() { return __nvvm_read_ptx_sreg_tid_x() & 31; }
DEVICE u32 warp() { return __nvvm_read_ptx_sreg_tid_x() >> 5; }
DEVICE u32 blockX() { return __nvvm_read_ptx_sreg_ctaid_x(); }
DEVICE u32 blockY() { return __nvvm_read_ptx_sreg_ctaid_y(); }
DEVICE u32 blockZ() { return __nvvm_read_ptx_sreg_ctaid_z(); }
DEVICE u32 blocksX() { return __nvvm_read_ptx_sreg_nctaid_x(); }
DEVICE u32 blocksY() { return __nvvm_read_ptx_sreg_nctaid_y(); }

// This thread among all of the grid's first axis, and how many there are: where an element-wise loop starts, and its step.
DEVICE u32 globalThread() { return blockX() * threads() + thread(); }
DEVICE u32 globalThreads() { return blocksX() * threads(); }

DEVICE void barrier() { __syncthreads(); }
DEVICE void warpBarrier() { __nvvm_bar_warp_sync(AllLanes); }

DEVICE float exchange(float value, u32 mask) { return __nvvm_shfl_sync_bfly_f32(AllLanes, value, mask, 31); }

DEVICE float bits(u32 value) { float result; __builtin_memcpy(&result, &value, 4); return result; }
DEVICE u32 bits(float value) { u32 result; __builtin_memcpy(&result, &value, 4); return result; }

DEVICE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
DEVICE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
DEVICE float max(float a, float b) { return __builtin_fmaxf(a, b); }
DEVICE float min(float a, float b) { return __builtin_fminf(a, b); }
DEVICE u32 min(u32 a, u32 b) { return a < b ? a : b; }
DEVICE i32 min(i32 a, i32 b) { return a < b ? a : b; }
DEVICE i32 max(i32 a, i32 b) { return a > b ? a : b; }
DEVICE float abs(float a) { return __builtin_fabsf(a); }
DEVICE float sqrt(float a) { return __nvvm_sqrt_rn_f(a); }
DEVICE double sqrt(double a) { return __nvvm_sqrt_rn_d(a); }

// The special function unit: relative errors of about 2^-22.
DEVICE float exp2Fast(float a) { return __nvvm_ex2_approx_ftz_f(a); }

constexpr float Log2E = 1.4426950408889634f, Ln2 = 0.6931471805599453f;

// e^x, within two units in the last place: the product with log2(e) is split, as its rounding would grow with |x|.
DEVICE float exp(float x)
{
    float high = x * Log2E;
    float low = fma(x, Log2E, -high) + x * 1.925963033500842e-8f;   // log2(e) - Log2E
    return exp2Fast(high) * (abs(x) < 128 ? fma(low, Ln2, 1.0f) : 1.0f);
}

// ln(1 + e) for e in [0, 1], as 2·artanh(e / (2 + e)): its series has small terms only, so small e keep their relative precision.
DEVICE float log1p(float e)
{
    float s = e / (2 + e), square = s * s;
    float series = fma(square, 1.0f / 13, 1.0f / 11);
    series = fma(square, series, 1.0f / 9);
    series = fma(square, series, 1.0f / 7);
    series = fma(square, series, 1.0f / 5);
    series = fma(square, series, 1.0f / 3);
    return 2 * fma(s * square, series, s);
}

DEVICE float sigmoid(float x)
{
    float e = exp(-abs(x)), larger = 1 / (1 + e);
    return x >= 0 ? larger : e * larger;
}

// Sums over a warp or block have one order, whatever the timing; every thread gets the result.
DEVICE float warpSum(float value)
{
    UNROLL for (u32 mask = 16; mask; mask >>= 1) value += exchange(value, mask);
    return value;
}

DEVICE double exchange(double value, u32 mask)
{
    u64 whole;
    __builtin_memcpy(&whole, &value, 8);
    u64 low = bits(exchange(bits((u32)whole), mask)), high = bits(exchange(bits((u32)(whole >> 32)), mask));
    whole = high << 32 | low;
    __builtin_memcpy(&value, &whole, 8);
    return value;
}

DEVICE double warpSum(double value)
{
    UNROLL for (u32 mask = 16; mask; mask >>= 1) value += exchange(value, mask);
    return value;
}

DEVICE float warpMax(float value)
{
    UNROLL for (u32 mask = 16; mask; mask >>= 1) value = max(value, exchange(value, mask));
    return value;
}

// One function of one, two or three operands, for single floats and for four at once.
template <typename F> DEVICE float map(float a, F f) { return f(a); }
template <typename F> DEVICE float map(float a, float b, F f) { return f(a, b); }
template <typename F> DEVICE float map(float a, float b, float c, F f) { return f(a, b, c); }
template <typename F> DEVICE float4 map(float4 a, F f) { return {f(a.x), f(a.y), f(a.z), f(a.w)}; }
template <typename F> DEVICE float4 map(float4 a, float4 b, F f) { return {f(a.x, b.x), f(a.y, b.y), f(a.z, b.z), f(a.w, b.w)}; }
template <typename F> DEVICE float4 map(float4 a, float4 b, float4 c, F f)
{
    return {f(a.x, b.x, c.x), f(a.y, b.y, c.y), f(a.z, b.z, c.z), f(a.w, b.w, c.w)};
}

// A block of 32 columns: a warp has one row of `Lanes` at a time, a lane one column.
constexpr u32 Lanes = 8;

DEVICE u32 blockColumn() { return blockX() * Warp + lane(); }

// N sums over the block's rows of each of its columns; the first warp gets them, for the others the result is false.
template <u32 N> DEVICE bool columnSums(float (&sums)[N])
{
    __shared__ float scratch[N][Lanes][Warp];
    UNROLL for (u32 i = 0; i < N; i++) scratch[i][warp()][lane()] = sums[i];
    barrier();
    if (warp() != 0) return false;
    UNROLL for (u32 i = 0; i < N; i++)
        UNROLL for (u32 row = 1; row < Lanes; row++) sums[i] += scratch[i][row][lane()];
    return true;
}
