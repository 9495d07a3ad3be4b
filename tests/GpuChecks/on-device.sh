#!/usr/bin/env bash
# On a machine with a GPU and the CUDA toolkit, in the published folder: docs/gpu-checks.md.
# Model folders, if any are given, are timed and compared with transformers' CLIPSeg.
# Everything goes to results/; what fails, or takes longer than LIMIT seconds (300), is said there and here, and the rest still runs. What tells most comes first.
set -uo pipefail
limit=${LIMIT:-300}
models=()
for model in "$@"; do models+=("$(realpath "$model")"); done
cd "$(dirname "$0")"
mkdir -p results
failed=0
step() {   # name, command...
    local name=$1 code start=$SECONDS; shift
    timeout --kill-after=10 "$limit" "$@" >"results/$name.txt" 2>&1; code=$?
    echo "== $name, $((SECONDS - start)) s"
    if [ $code -eq 124 ] || [ $code -eq 137 ]; then echo "failed: $name took longer than $limit s"; failed=1
    elif [ $code -ne 0 ] && [ $code -ne 77 ]; then echo "failed: $name"; failed=1; fi   # 77: skipped, as the last lines say
    tail -n 3 "results/$name.txt"
}
nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv,noheader | tee results/device.txt

for precision in f32 tf32 bf16 f16; do step "models-$precision" ./gpu-checks models "$precision"; done
for precision in f32 tf32 bf16 f16; do step "ops-$precision" ./gpu-checks ops "$precision"; done
step layers ./gpu-checks layers

for model in ${models[@]+"${models[@]}"}; do
    name=$(basename "$model")
    mkdir -p "results/$name"
    for precision in bf16 f32 tf32 f16; do
        step "timings-$name-$precision" ./gpu-checks timings "$model" "$precision" "results/$name/timings-$precision.json"
        step "parity-$name-$precision" ./gpu-checks parity "$model" "$precision" "results/$name/parity-$precision.safetensors"
    done
    step "peer-$name" python3 transformers_peer.py "$model" "results/$name"
    cat "results/peer-$name.txt"
done
step bandwidth ./gpu-checks bandwidth

arch=sm_$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
for ptx in ptx/*.ptx; do step "ptxas-$(basename "$ptx" .ptx)" ptxas -v -arch="$arch" "$ptx" -o /dev/null; done
if grep -hE "[1-9][0-9]* bytes spill" results/ptxas-*.txt; then echo "failed: spills"; failed=1; fi
for tool in memcheck racecheck; do step "$tool" compute-sanitizer --tool "$tool" --error-exitcode 9 ./gpu-checks ops f32; done
exit $failed
