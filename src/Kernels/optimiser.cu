// AdamW (Loshchilov and Hutter 2019); what changes from step to step lies in device memory, so that a captured step can be replayed.
#include "common.cuh"

// Matches the C# constants of AdamWSettings.
enum Setting : u32 { LearningRate, WeightDecay, Beta1, Beta2, Epsilon, FirstCorrection, SecondCorrection, GradientScale };

KERNEL(256) optimiser_adamw_f32(
    const float* dw, u32 pitchDw, const float* settings, float* w, u32 pitchW, float* m, u32 pitchM, float* v, u32 pitchV, u32 columns, u32 count)
{
    float learningRate = settings[LearningRate], weightDecay = settings[WeightDecay], beta1 = settings[Beta1], beta2 = settings[Beta2];
    float epsilon = settings[Epsilon], firstCorrection = settings[FirstCorrection], secondCorrection = settings[SecondCorrection], scale = settings[GradientScale];
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u64 row = i / columns;
        u32 column = i % columns;
        float g = scale * dw[row * pitchDw + column];
        float first = fma(beta1, m[row * pitchM + column], (1 - beta1) * g), second = fma(beta2, v[row * pitchV + column], (1 - beta2) * g * g);
        float step = first * firstCorrection / (sqrt(second * secondCorrection) + epsilon), weight = w[row * pitchW + column];
        w[row * pitchW + column] = weight - learningRate * fma(weightDecay, weight, step);
        m[row * pitchM + column] = first;
        v[row * pitchV + column] = second;
    }
}
