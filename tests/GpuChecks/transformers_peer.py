#!/usr/bin/env python3
"""The same model in PyTorch: its logits beside ours, its times beside ours. For checks only; docs/gpu-checks.md.

usage: transformers_peer.py MODEL_DIR RESULTS_DIR
RESULTS_DIR holds what `gpu-checks parity` and `gpu-checks timings` wrote for this model: parity-PRECISION.safetensors, timings-PRECISION.json.
"""
import json
import pathlib
import statistics
import sys

SKIPPED = 77
ROUNDS = 21
TOLERANCES = {"f32": 2e-3, "bf16": 5e-2}  # of logits; others are reported

try:
    import torch
    from safetensors.torch import load_file
    from transformers import CLIPSegForImageSegmentation
except ImportError as missing:
    print(f"skipped: {missing}; pip install torch transformers")
    sys.exit(SKIPPED)


def allow_tf32(allowed):
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def condition_of(model, ids):
    # Ids are padded with the end token; the first one is pooled, and what follows cannot reach it.
    return model.get_conditional_embeddings(batch_size=len(ids), input_ids=ids, attention_mask=torch.ones_like(ids))


def parity(model, device, results):
    """Prints a line a file and returns whether all that have a tolerance keep it."""
    fine = True
    allow_tf32(False)
    for file in sorted(results.glob("parity-*.safetensors")):
        precision = file.stem.removeprefix("parity-")
        case = {name: tensor.to(device) for name, tensor in load_file(file).items()}
        ids = case["input_ids"].long()
        pixels = case["pixel_values"].expand(len(ids), -1, -1, -1).contiguous()
        with torch.no_grad():
            expected = model(pixel_values=pixels, input_ids=ids, attention_mask=torch.ones_like(ids)).logits.reshape(case["logits"].shape)
        worst = (expected - case["logits"]).abs().max().item()
        tolerance = TOLERANCES.get(precision)
        kept = tolerance is None or worst <= tolerance
        fine &= kept
        verdict = "reported" if tolerance is None else f"tolerance {tolerance}: {'kept' if kept else 'FAILED'}"
        print(f"parity {precision}: worst logit {worst:.2e}, standard deviation {expected.std().item():.2f}, {verdict}")
    return fine


def loss_of(logits, targets):
    """Cross-entropy plus Dice, as our timings train."""
    p = torch.sigmoid(logits).flatten(1)
    t = targets.flatten(1)
    dice = 1 - (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets) + dice.mean()


def make_cases(model, case, precision, compiled):
    """Name to what is timed, as gpu-checks names it. The library's encoder runs every vision block; ours stops behind the last one it needs."""
    kind = {"bf16": torch.bfloat16, "f16": torch.float16}.get(precision)
    wrap = (lambda f: torch.compile(f, mode="max-autotune")) if compiled else (lambda f: f)
    device = case["pixel_values"].device
    one = case["pixel_values"]
    many = one.expand(64, -1, -1, -1).contiguous()
    host = one.cpu().pin_memory()
    ids = case["input_ids"].long()[:1]
    condition = case["conditional_embeddings"][:1]
    layers = model.extract_layers

    def activations(pixels):
        hidden = model.clip.vision_model(pixel_values=pixels, output_hidden_states=True).hidden_states
        return [hidden[i + 1] for i in layers]

    def decoder(hidden, vector):
        return model.decoder(hidden, vector, output_hidden_states=False, return_dict=True).logits

    encode, decode, text = wrap(activations), wrap(decoder), wrap(lambda tokens: condition_of(model, tokens))
    with torch.no_grad():
        kept = [h.clone() for h in activations(one)]
    batch = [h.expand(8, -1, -1).contiguous() for h in kept]
    vectors = condition.expand(8, -1).contiguous()
    targets = torch.zeros(8, *case["logits"].shape[1:], device=device)
    targets[:, :, : targets.shape[-1] // 3] = 1
    optimiser = torch.optim.AdamW(model.decoder.parameters(), lr=0.0, weight_decay=0.0, fused=True)
    training = wrap(lambda hidden, vector, t: loss_of(decoder(hidden, vector).reshape(t.shape), t))

    def autocast():
        return torch.autocast("cuda", dtype=kind, enabled=kind is not None)

    def inference(run):
        def call():
            with torch.no_grad(), autocast():
                return run()
        return call

    def picture_to_mask():
        return decode(encode(host.to(device, non_blocking=True)), condition).float().cpu()

    def step():
        optimiser.zero_grad()
        with autocast():
            loss = training(batch, vectors, targets)
        loss.backward()
        optimiser.step()
        return loss.item()

    return {
        "encode-1": inference(lambda: encode(one)),
        "encode-64": inference(lambda: encode(many)),
        "picture-to-mask": inference(picture_to_mask),
        "further-phrase": inference(lambda: decode(kept, condition).float().cpu()),
        "text": inference(lambda: text(ids).float().cpu()),
        "training-step-8": step,
    }


def measure(cases):
    """Milliseconds of the device, medians of rounds in which cases take turns."""
    times = {name: [] for name in cases}
    for turn in range(-3, ROUNDS):  # compiling and recording take the first calls
        for name, run in cases.items():
            torch.compiler.cudagraph_mark_step_begin()
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            torch.cuda.synchronize()
            start.record()
            run()
            end.record()
            torch.cuda.synchronize()
            if turn >= 0:
                times[name].append(start.elapsed_time(end))
    return {name: statistics.median(values) for name, values in times.items()}


def timings(model, device, results):
    for file in sorted(results.glob("timings-*.json")):
        ours = json.loads(file.read_text())
        precision = ours["precision"]
        parity_file = results / f"parity-{precision}.safetensors"
        if not parity_file.exists():
            print(f"timings {precision}: skipped, as there is no {parity_file}")
            continue
        case = {name: tensor.to(device) for name, tensor in load_file(parity_file).items()}
        allow_tf32(precision != "f32")
        eager = measure(make_cases(model, case, precision, compiled=False))
        torch.compiler.reset()
        compiled = measure(make_cases(model, case, precision, compiled=True))
        print(f"\n{precision}, device milliseconds, {ours['device']}, PyTorch {torch.__version__}\n")
        print("| case | ours | eager | compiled, max-autotune | eager / ours | compiled / ours |\n| --- | --- | --- | --- | --- | --- |")
        for entry in ours["cases"]:
            name, own = entry["name"], entry.get("device_ms")
            if own is None or name not in eager:
                continue
            print(f"| {name} | {own:.3f} | {eager[name]:.3f} | {compiled[name]:.3f} | {eager[name] / own:.2f} | {compiled[name] / own:.2f} |")


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    folder, results = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if json.loads((folder / "config.json").read_text()).get("decoder_type") == "conv":
        print("skipped: transformers has no convolutional decoder")
        return SKIPPED
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = CLIPSegForImageSegmentation.from_pretrained(folder, use_safetensors=True).eval().to(device)
    fine = parity(model, device, results)
    if device.type == "cuda":
        timings(model, device, results)
    else:
        print("timings: skipped, as PyTorch sees no CUDA device")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
