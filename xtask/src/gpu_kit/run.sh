#!/usr/bin/env bash
# Runs the GPU checks and leaves what they say under $OUT (default: out/ beside this script).
# Every step runs, whatever the ones before it said; the last line and the exit status sum up.
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$here/out}
mkdir -p "$out"
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
for name in veneer parity; do
    gunzip -c "$here/$name.gz" >"$bin/$name" && chmod +x "$bin/$name" || exit 1
done
export VENEER_REQUIRE_GPU=1 VENEER_FIXTURES="$here/fixtures"

failed=()
step() {
    local name=$1 file=$2
    shift 2
    printf '== %s\n$ %s\n' "$name" "$*"
    if "$@" >"$out/$file" 2>"$out/$file.log"; then
        printf 'ok: %s\n' "$out/$file"
    else
        printf 'FAILED with %s; the last lines:\n' "$?"
        tail -n 15 "$out/$file" "$out/$file.log"
        failed+=("$name")
    fi
}

step 'what the machine has' doctor.json "$bin/veneer" doctor --json
step 'parity with the reference libraries' parity.txt "$bin/parity" --test-threads=1
step 'training speed on the GPU' bench-vulkan.json "$bin/veneer" bench train --device vulkan --json
step 'training speed on the CPU' bench-cpu.json "$bin/veneer" bench train --device cpu --json

if [ ${#failed[@]} -eq 0 ]; then
    echo "All steps passed; results are in $out"
else
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
fi
