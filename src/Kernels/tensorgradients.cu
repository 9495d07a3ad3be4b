// The gradient of attention on tensor cores: apart from attention itself, as a driver compiles a whole file when it needs one kernel of it.
#include "tensorcores.cuh"

ATTENTION_GRADIENT(tensorgradients, bf16_h16, TensorTiles<16, BFloat16>)
ATTENTION_GRADIENT(tensorgradients, bf16_h32, TensorTiles<32, BFloat16>)
ATTENTION_GRADIENT(tensorgradients, bf16_h64, TensorTiles<64, BFloat16>)
ATTENTION_GRADIENT(tensorgradients, f16_h16, TensorTiles<16, Float16>)
ATTENTION_GRADIENT(tensorgradients, f16_h32, TensorTiles<32, Float16>)
ATTENTION_GRADIENT(tensorgradients, f16_h64, TensorTiles<64, Float16>)
