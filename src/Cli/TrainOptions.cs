using ClipSegNative.Training;

namespace ClipSegNative.Cli;

/// <summary>The settings of train.</summary>
static class TrainOptions
{
    public static SettingOptions<TrainingSettings> Create() => new(Table, TrainingJson.Default.TrainingSettings);

    static readonly SettingHelp[] Table =
    [
        new("data", "REFER.json", "Phrases to learn from: an annotation file as PhraseCut has it, or a PhraseCut folder and its split, as in phrasecut/train"),
        new("images", "DIR", "Their pictures; else the folder images beside the annotations"),
        new("clip", "DIR", "A model folder with CLIP's towers, which stay as they are (weights init makes one)"),
        new("decoder", "transformer|conv", "CLIPSeg's decoder, or a convolutional one"),
        new("size", "SIZE", "small, base, large or a preset; else as --init or --clip has it, else base"),
        new("extract", "LIST", "Blocks of the image tower that the decoder reads, from 0, as in 3,6,9; else as --clip has it"),
        new("init", "DIR", "Start from the decoder of this model; else from random values"),
        new("loss", "LOSS", "bce, dice, focal, tversky, or a sum such as bce+dice"),
        new("steps", "N", "Optimiser steps; else --epochs decides"),
        new("epochs", "N", "Passes over the phrases"),
        new("batch", "N", "Phrases at once"),
        new("accumulate", "N", "Batches a step"),
        new("learning_rate", "R", "Highest learning rate of AdamW"),
        new("schedule", "cosine|constant", "How the learning rate goes on after the warm-up"),
        new("warm_up", "N", "Steps in which the learning rate rises"),
        new("min_learning_rate", "R", "Where the cosine ends"),
        new("weight_decay", "R", "Of every parameter"),
        new("clip_norm", "R", "Longer gradients are shortened to this; 0: never"),
        new("seed", "N", "The same seed gives the same weights"),
        new("negatives", "SHARE", "Share of phrases replaced by others that the picture does not answer"),
        new("crop", "author|none", "A random square as CLIPSeg's authors cut it, or whole pictures, whose features can be kept"),
        new("templates", "none|fixed|shuffle|shuffle+", "Sentences that phrases are put in"),
        new("visual_prompts", "", "Mix phrases with pictures that show the same thing, as CLIPSeg's authors do"),
        new("flip", "", "Mirror every second picture"),
        new("limit", "N", "Only the first so many phrases"),
        new("strict", "", "Stop at the first broken record or picture instead of leaving it out"),
        new("val", "REFER.json", "Phrases to validate on; the best decoder is kept"),
        new("val_images", "DIR", "Their pictures; else --images"),
        new("val_limit", "N", "Only the first so many of them"),
        new("validate_every", "N", "Steps from one validation to the next"),
        new("patience", "N", "Stop after so many validations that were no better; 0: never"),
        new("save_every", "N", "Steps from one checkpoint to the next"),
        new("samples", "N", "Phrases drawn at each validation, else checkpoint: photo, target, prediction"),
        new("workers", "N", "Threads that read pictures"),
        new("device", "DEVICE", DeviceChoice.Values),
        new("precision", "fp32|tf32|bf16|fp16", "What products are computed in; on the CPU fp32"),
        new("threads", "N", "CPU threads; else one a core"),
        new("feature_cache", "MB", "Memory of the device for what the image tower makes of whole pictures"),
        new("feature_cache_disk", "MB", "Disk in the run folder for the same"),
    ];
}
