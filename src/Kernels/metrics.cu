// Counts for mask metrics at one or many thresholds in one pass. Only whole numbers are added, so their order does not matter.
#include "common.cuh"

constexpr u32 MostBins = 64;

DEVICE void atomicAdd(u32* to, u32 value) { __nvvm_atom_add_gen_i((int*)to, (int)value); }

// How many of the rising limits a probability exceeds. For limits 1/(n + 1), 2/(n + 1), ... the first guess is at most one off; for one limit it is too.
DEVICE u32 exceeded(float probability, const float* limits, u32 thresholds)
{
    u32 count = (u32)min(max(probability * (float)(thresholds + 1), 0.0f), (float)thresholds);
    if (count < thresholds && probability > limits[count]) count++;
    if (count > 0 && !(probability > limits[count - 1])) count--;
    return count;
}

// counts [maps, 2, thresholds + 1] += pixels of a map by target (0 or 1) and number of thresholds exceeded; at most 63 thresholds. Grid: blocks, maps.
KERNEL(256) metrics_thresholds_f32(const float* probabilities, const u8* targets, const float* limits, u32 thresholds, u32* counts, u32 pixels)
{
    __shared__ u32 bins[2][MostBins];
    if (thread() < 2 * MostBins) bins[thread() / MostBins][thread() % MostBins] = 0;
    barrier();
    const float* map = probabilities + (u64)blockY() * pixels;
    const u8* target = targets + (u64)blockY() * pixels;
    for (u32 i = globalThread(); i < pixels; i += globalThreads()) atomicAdd(&bins[target[i] != 0][exceeded(map[i], limits, thresholds)], 1);
    barrier();
    if (thread() < 2 * MostBins && thread() % MostBins <= thresholds)
        atomicAdd(counts + ((u64)blockY() * 2 + thread() / MostBins) * (thresholds + 1) + thread() % MostBins, bins[thread() / MostBins][thread() % MostBins]);
}
