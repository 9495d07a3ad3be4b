// Sums over rows. Every sum has one order: partial sums of fixed ranges, then those in turn.
#include "common.cuh"

// partial[chunk, repeat row, column] = the sum over the chunk's rows of x; rows lie `repeat` apart. Grid: columns / 32, repeat, chunks.
KERNEL(256) sums_columns_f32(const float* x, u32 pitchX, u32 rows, u32 repeat, u32 chunkRows, float* partial, u32 columns)
{
    u32 column = blockColumn(), chunk = blockZ();
    u32 first = chunk * chunkRows, end = min(first + chunkRows, rows / repeat);
    float sum[1] = {0};
    if (column < columns)
        for (u32 i = first + warp(); i < end; i += Lanes) sum[0] += x[(u64)(i * repeat + blockY()) * pitchX + column];
    if (columnSums(sum) && column < columns) partial[((u64)chunk * repeat + blockY()) * columns + column] = sum[0];
}

// y[row, column] += the sum over chunks of partial[chunk, row, column].
KERNEL(256) sums_add_chunks_f32(const float* partial, u32 chunks, float* y, u32 pitchY, u32 columns, u32 count)
{
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        float sum = 0;
        for (u32 chunk = 0; chunk < chunks; chunk++) sum += partial[(u64)chunk * count + i];
        y[(u64)(i / columns) * pitchY + i % columns] += sum;
    }
}

// FiLM's gradients per batch entry: dScale = Σ over tokens of dy·x, dShift = Σ of dy. Grid: columns / 32, entries.
KERNEL(256) sums_film_f32(
    const float* x, u32 pitchX, u32 rowsX, const float* dy, u32 pitchDy, float* dScale, u32 pitchScale, float* dShift, u32 pitchShift, u32 tokens, u32 columns)
{
    u32 column = blockColumn(), entry = blockY();
    float sums[2] = {0, 0};
    if (column < columns)
        for (u32 token = warp(); token < tokens; token += Lanes)
        {
            u64 row = (u64)entry * tokens + token;
            float gradient = dy[row * pitchDy + column];
            sums[0] = fma(gradient, x[row % rowsX * pitchX + column], sums[0]);
            sums[1] += gradient;
        }
    if (!columnSums(sums) || column >= columns) return;
    dScale[(u64)entry * pitchScale + column] = sums[0];
    dShift[(u64)entry * pitchShift + column] = sums[1];
}

// dx[row] = the sum, over batch entries whose x it is, of dy · scale.
KERNEL(256) sums_film_inputs_f32(
    const float* scale, u32 pitchScale, const float* dy, u32 pitchDy, u32 rowsDy, float* dx, u32 pitchDx, u32 rowsX, u32 tokens, u32 columns, u32 count)
{
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 column = i % columns;
        float sum = 0;
        for (u32 row = i / columns; row < rowsDy; row += rowsX) sum = fma(dy[(u64)row * pitchDy + column], scale[(u64)(row / tokens) * pitchScale + column], sum);
        dx[(u64)(i / columns) * pitchDx + column] = sum;
    }
}

// dTable[indices[i]] += dy[i] in the order of i: the block of an index's first row adds up all of them.
KERNEL(128) sums_gather_backward_f32(const float* dy, u32 pitchDy, u32 rows, const i32* indices, float* dTable, u32 pitchTable, u32 columns)
{
    i32 index = indices[blockX()];
    for (u32 row = 0; row < blockX(); row++)
        if (indices[row] == index) return;
    for (u32 column = thread(); column < columns; column += threads())
    {
        float sum = 0;
        for (u32 row = blockX(); row < rows; row++)
            if (indices[row] == index) sum += dy[(u64)row * pitchDy + column];
        dTable[(u64)index * pitchTable + column] += sum;
    }
}

// y[i] = Σ over t of weights[i, t] · x[entries[i], t].
KERNEL(256) sums_pool_f32(
    const float* x, u32 pitchX, u32 tokens, const i32* entries, const float* weights, u32 pitchWeights, float* y, u32 pitchY, u32 columns, u32 count)
{
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 column = i % columns, row = i / columns;
        const float* tokensOfEntry = x + (u64)entries[row] * tokens * pitchX + column;
        float sum = 0;
        for (u32 token = 0; token < tokens; token++)
        {
            float weight = weights[(u64)row * pitchWeights + token];
            if (weight != 0) sum = fma(weight, tokensOfEntry[(u64)token * pitchX], sum);
        }
        y[(u64)row * pitchY + column] = sum;
    }
}

// dx[b, t] = Σ, in the order of i, of weights[i, t] · dy[i] where entries[i] = b.
KERNEL(256) sums_pool_backward_f32(
    const float* dy, u32 pitchDy, u32 rows, const i32* entries, const float* weights, u32 pitchWeights, float* dx, u32 pitchDx, u32 tokens, u32 columns, u32 count)
{
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 column = i % columns, entry = i / columns / tokens, token = i / columns % tokens;
        float sum = 0;
        for (u32 row = 0; row < rows; row++)
            if (entries[row] == (i32)entry) sum = fma(weights[(u64)row * pitchWeights + token], dy[(u64)row * pitchDy + column], sum);
        dx[(u64)(i / columns) * pitchDx + column] = sum;
    }
}

// partial[block] = Σ x² of the block's elements, in double precision: gradients of millions of parameters go into one number.
KERNEL(256) sums_squares_f32(const float* x, u32 pitchX, u32 columns, u32 count, double* partial)
{
    __shared__ double sums[256];
    double sum = 0;
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        double value = x[(u64)(i / columns) * pitchX + i % columns];
        sum = fma(value, value, sum);
    }
    sums[thread()] = sum;
    for (u32 half = 128; half; half >>= 1)
    {
        barrier();
        if (thread() < half) sums[thread()] += sums[thread() + half];
    }
    if (thread() == 0) partial[blockX()] = sums[0];
}

KERNEL(32) sums_total_f32(const double* partial, u32 count, float* sum)
{
    if (thread() != 0) return;
    double total = 0;
    for (u32 i = 0; i < count; i++) total += partial[i];
    *sum = (float)total;
}
