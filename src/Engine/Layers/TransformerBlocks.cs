using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>What a transformer block is made of; both kinds name their parts alike in the checkpoint.</summary>
readonly record struct BlockShape(int Batch, int Tokens, int Channels, int Heads, int Hidden, Activation Activation, float Epsilon, bool Causal = false);

/// <summary>A block of the CLIP towers: norms before attention and MLP, the residual stream untouched (Radford et al. 2021).</summary>
sealed class PreNormBlock(LayerScope scope, BlockShape s)
{
    readonly LayerNorm _norm1 = new(scope.Child("layer_norm1"), s.Batch, s.Tokens, s.Channels, s.Epsilon);
    readonly MultiHeadAttention _attention = new(scope.Child("self_attn"), s.Batch, s.Tokens, s.Channels, s.Heads, s.Causal);
    readonly LayerNorm _norm2 = new(scope.Child("layer_norm2"), s.Batch, s.Tokens, s.Channels, s.Epsilon);
    readonly Mlp _mlp = new(scope.Child("mlp"), s.Batch, s.Tokens, s.Channels, s.Hidden, s.Activation);

    public Tensor Forward(Tensor x)
    {
        Tensor attended = _attention.Forward(_norm1.Forward(x), x);
        return _mlp.Forward(_norm2.Forward(attended), attended);
    }

    public Tensor Backward(Tensor dy)
    {
        Tensor dAttended = _norm2.Backward(_mlp.Backward(dy));
        scope.Backend.Add(dAttended, dy, dAttended);
        Tensor dx = _norm1.Backward(_attention.Backward(dAttended));
        scope.Backend.Add(dx, dAttended, dx);
        return dx;
    }
}

/// <summary>A block of the CLIPSeg decoder: norms after each residual sum (Vaswani et al. 2017).</summary>
sealed class PostNormBlock(LayerScope scope, BlockShape s)
{
    readonly MultiHeadAttention _attention = new(scope.Child("self_attn"), s.Batch, s.Tokens, s.Channels, s.Heads, s.Causal);
    readonly LayerNorm _norm1 = new(scope.Child("layer_norm1"), s.Batch, s.Tokens, s.Channels, s.Epsilon);
    readonly Mlp _mlp = new(scope.Child("mlp"), s.Batch, s.Tokens, s.Channels, s.Hidden, s.Activation);
    readonly LayerNorm _norm2 = new(scope.Child("layer_norm2"), s.Batch, s.Tokens, s.Channels, s.Epsilon);

    public Tensor Forward(Tensor x)
    {
        Tensor attended = _norm1.Forward(_attention.Forward(x, x));
        return _norm2.Forward(_mlp.Forward(attended, attended));
    }

    public Tensor Backward(Tensor dy)
    {
        Tensor dSum = _norm2.Backward(dy), dAttended = _mlp.Backward(dSum);
        scope.Backend.Add(dAttended, dSum, dAttended);
        dSum = _norm1.Backward(dAttended);
        Tensor dx = _attention.Backward(dSum);
        scope.Backend.Add(dx, dSum, dx);
        return dx;
    }
}
