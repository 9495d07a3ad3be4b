// Attention on tensor cores.
#include "tensorcores.cuh"

ATTENTION(tensorcores_attention_bf16_h16, TensorTiles<16, BFloat16>)
ATTENTION(tensorcores_attention_bf16_h32, TensorTiles<32, BFloat16>)
ATTENTION(tensorcores_attention_bf16_h64, TensorTiles<64, BFloat16>)
ATTENTION(tensorcores_attention_f16_h16, TensorTiles<16, Float16>)
ATTENTION(tensorcores_attention_f16_h32, TensorTiles<32, Float16>)
ATTENTION(tensorcores_attention_f16_h64, TensorTiles<64, Float16>)
