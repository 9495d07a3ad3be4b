using static ClipSegNative.Weights.MessageText;

namespace ClipSegNative.Weights;

/// <summary>
/// Answers to canonical names, <c>clip.…</c> and <c>decoder.…</c>, for files that spell them as OpenAI's CLIP and CLIPSeg's authors do.
/// Disposes what it wraps.
/// </summary>
/// <remarks>
/// What differs beside the names: q, k and v of an attention are one matrix, and CLIP's two projections are stored transposed. Tensors without a canonical
/// name keep their own: <c>reduce.*</c>, which the authors' models make and never use; <c>model.*</c>, a second name of the image tower; CLIP's three sizes.
/// </remarks>
sealed class ForeignNames : IWeightSource
{
    const string Packed = "in_proj_";

    static readonly string[] PackedOrder = ["q_proj", "k_proj", "v_proj"];

    static readonly (string Foreign, string Canonical)[] Tensors =
    [
        ("logit_scale", "clip.logit_scale"),
        ("visual.conv1.weight", "clip.vision_model.embeddings.patch_embedding.weight"),
        ("visual.class_embedding", "clip.vision_model.embeddings.class_embedding"),
        ("visual.positional_embedding", "clip.vision_model.embeddings.position_embedding.weight"),
        ("token_embedding.weight", "clip.text_model.embeddings.token_embedding.weight"),
        ("positional_embedding", "clip.text_model.embeddings.position_embedding.weight"),
        ("visual.proj", "clip.visual_projection.weight"),
        ("text_projection", "clip.text_projection.weight"),
    ];

    static readonly (string Foreign, string Canonical)[] Layers =
    [
        ("visual.ln_pre.", "clip.vision_model.pre_layrnorm."),   // the checkpoints' own spelling
        ("visual.ln_post.", "clip.vision_model.post_layernorm."),
        ("ln_final.", "clip.text_model.final_layer_norm."),
        ("film_mul.", "decoder.film_mul."),
        ("film_add.", "decoder.film_add."),
        ("reduces.", "decoder.reduces."),
        ("trans_conv.", "decoder.transposed_convolution."),
    ];

    static readonly (string Foreign, string Canonical)[] Stacks =
    [
        ("visual.transformer.resblocks.", "clip.vision_model.encoder.layers."),
        ("transformer.resblocks.", "clip.text_model.encoder.layers."),
        ("blocks.", "decoder.layers."),
    ];

    static readonly (string Foreign, string Canonical)[] BlockLayers =
    [
        ("attn.", "self_attn."),
        ("self_attn.", "self_attn."),
        ("ln_1.", "layer_norm1."),
        ("ln_2.", "layer_norm2."),
        ("norm1.", "layer_norm1."),
        ("norm2.", "layer_norm2."),
        ("mlp.c_fc.", "mlp.fc1."),
        ("mlp.c_proj.", "mlp.fc2."),
        ("linear1.", "mlp.fc1."),
        ("linear2.", "mlp.fc2."),
    ];

    readonly record struct Source(string Stored, int Third = -1);

    readonly IWeightSource _inner;
    readonly Dictionary<string, Source> _sources = [];

    ForeignNames(IWeightSource inner)
    {
        _inner = inner;
        foreach (string stored in inner.Names)
        {
            string? canonical = Canonical(stored);
            int packed = canonical?.LastIndexOf(Packed, StringComparison.Ordinal) ?? -1;
            if (packed < 0) Add(canonical ?? stored, new Source(stored));
            else
            {
                for (int third = 0; third < PackedOrder.Length; third++)
                    Add(canonical!.Remove(packed, Packed.Length).Insert(packed, $"{PackedOrder[third]}."), new Source(stored, third));
            }
        }
    }

    /// <summary>Wraps a source that is spelled so; any other comes back as it is.</summary>
    /// <exception cref="ModelFileException">Two tensors have one meaning; the source is then disposed.</exception>
    public static IWeightSource Resolve(IWeightSource source)
    {
        try
        {
            return source.Names.Any(IsTelling) ? new ForeignNames(source) : source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    public string Description => _inner.Description;

    public IReadOnlyCollection<string> Names => _sources.Keys;

    public bool TryFind(string name, out WeightEntry entry)
    {
        entry = default;
        if (!_sources.TryGetValue(name, out Source source) || !_inner.TryFind(source.Stored, out entry)) return false;
        if (source.Third >= 0)
        {
            if (entry.Shape.Rank == 0 || entry.Shape[0] % PackedOrder.Length != 0) throw Unfit(entry, "three matrices of one size");
            int rows = entry.Shape[0] / PackedOrder.Length;
            entry = entry.Rows(source.Third * rows, rows);
        }
        else if (name is "clip.visual_projection.weight" or "clip.text_projection.weight")
        {
            if (entry.Shape.Rank != 2 || entry.Shape.Elements == 0) throw Unfit(entry, "a matrix");
            entry = entry.Transposed();
        }
        return true;
    }

    public void Dispose() => _inner.Dispose();

    void Add(string canonical, Source source)
    {
        if (!_sources.TryAdd(canonical, source))
        {
            string other = _sources[canonical].Stored;
            throw new ModelFileException($"{Description}: '{Shown(source.Stored)}' and '{Shown(other)}' are both {Shown(canonical)}: is the file damaged?");
        }
    }

    ModelFileException Unfit(WeightEntry entry, string expected) =>
        new($"{Description}: '{entry.Name}' has shape {entry.Shape}, expected {expected}: is this another model?");

    static bool IsTelling(string name) => name is "film_mul.weight" or "visual.class_embedding" or "clip_model.visual.class_embedding";

    static string? Canonical(string stored)
    {
        const string Inside = "clip_model.";   // how the authors' models hold their CLIP
        string name = stored.StartsWith(Inside, StringComparison.Ordinal) ? stored[Inside.Length..] : stored;
        foreach ((string foreign, string canonical) in Tensors)
            if (name == foreign) return canonical;
        if (Replace(name, Layers) is { } layer) return layer;
        foreach ((string foreign, string canonical) in Stacks)
        {
            if (!name.StartsWith(foreign, StringComparison.Ordinal)) continue;
            int dot = name.IndexOf('.', foreign.Length);
            return dot > 0 && Replace(name[(dot + 1)..], BlockLayers) is { } rest ? canonical + name[foreign.Length..(dot + 1)] + rest : null;
        }
        return null;
    }

    static string? Replace(string name, (string Foreign, string Canonical)[] beginnings)
    {
        foreach ((string foreign, string canonical) in beginnings)
            if (name.StartsWith(foreign, StringComparison.Ordinal)) return canonical + name[foreign.Length..];
        return null;
    }
}
