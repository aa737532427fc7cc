#!/usr/bin/env bash
# Writes the tables of docs/stitching.md anew: `benches/stitching.sh [FOLDER]`.
#
# The ablation table is made from sample-traces/shop-healthy, which `riftline lab ablate` tears in known ways. FOLDER may hold torn
# recordings of others, one folder each: spans.jsonl.gz or traces.jsonl.gz, and truth.jsonl.gz.
set -euo pipefail
cd "$(dirname "$0")/.."
riftline="${RIFTLINE:-${CARGO_TARGET_DIR:-$HOME/.cache/riftline/target}/release/riftline}"
sample=sample-traces/shop-healthy/traces.jsonl
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# Joins torn traces and prints one field of the row for all, or several.
stitch() { "$riftline" lab stitch "$1" --truth "$2" "${@:3}" --format json; }

ablation_row() {
    local name="$1"
    shift
    "$riftline" lab ablate "$sample" "$@" -o "$work/torn.jsonl" --truth "$work/truth.jsonl" --quiet
    stitch "$work/torn.jsonl" "$work/truth.jsonl" --quiet | python3 -c '
import json, sys
rows = json.load(sys.stdin)
row = next(row for row in rows if row["what"] == "all")
torn, right, exact = row["torn"] or 1, row["right"], row["exact"]
wrong = row["accepted"] - right
share = lambda count: f"{count / torn:.3f}"
print(f"| {sys.argv[1]} | {torn} | {share(exact)} | {share(right - exact)} | {share(torn - right - wrong)} | {share(wrong)} |")
' "$name"
}

ablation() {
    echo "| taken out | torn calls | joined exactly (R0) | joined by time (R2) | not joined (R3) | joined wrongly |"
    echo "| --- | --- | --- | --- | --- | --- |"
    ablation_row "trace id of every callee" --drop trace-id
    ablation_row "trace id of half of the callees" --drop trace-id --rate 0.5
    ablation_row "parents of every callee" --drop parent-span-id
    ablation_row "trace id inside orders" --drop trace-id --at orders
    ablation_row "trace id and captured headers" --drop trace-id,headers
    ablation_row "trace id and kind" --drop trace-id,kind
    ablation_row "trace id and all attributes" --drop trace-id,attributes
    ablation_row "trace id, kind and all attributes" --drop trace-id,kind,attributes
    ablation_row "trace id, and 5 % of all spans" --drop trace-id --loss 0.05
    ablation_row "trace id, clocks up to 120 ms off" --drop trace-id --skew 120ms
    ablation_row "trace id, traces 4 times closer" --drop trace-id --pack 4
    ablation_row "trace id, attributes, 4 times closer" --drop trace-id,attributes --pack 4
}

set_row() {
    local name="$1" spans="$2" truth="$3"
    shift 3
    stitch "$spans" "$truth" "$@" --quiet | python3 -c '
import json, sys
rows = json.load(sys.stdin)
row = next(row for row in rows if row["what"] == "all")
shown = [row["precision"], row["recall"], row["best_guess"], row["first_come"], row["whole_traces"], row["calibration_error"]]
print("|", sys.argv[1], "|", row["torn"], "|", " | ".join(f"{value:.3f}" for value in shown), "|")
with open(sys.argv[2], "a") as curve:
    for row in rows:
        if row["what"].startswith("confidence"):
            print(row["what"][11:], row["accepted"], row["right"], row["said"] * row["accepted"], file=curve)
' "$name" "$work/curve"
}

sets() {
    echo "| recording | torn | precision | recall | best guess | first come | whole traces | calibration error |"
    echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for folder in "$1"/torn/*/; do
        set_row "$(basename "$folder")" "$folder/spans.jsonl.gz" "$folder/truth.jsonl.gz"
    done
    for name in b3split b3mixed poolctx msgdrop linkmsg; do
        folder="$1/shop/$name"
        set_row "$name" "$folder/traces.jsonl.gz" "$folder/truth.jsonl.gz"
        set_row "$name, URLs, logs and links left out" "$folder/traces.jsonl.gz" "$folder/truth.jsonl.gz" --without urls,logs,links
    done
}

curve() {
    echo "| confidence | joins | said | right |"
    echo "| --- | --- | --- | --- |"
    sort "$work/curve" | awk '{ key = $1 " to " $3; joins[key] += $4; right[key] += $5; said[key] += $6 }
        END { for (key in joins) printf "| %s | %d | %.3f | %.3f |\n", key, joins[key], said[key] / joins[key], right[key] / joins[key] }' | sort
}

echo "### What is lost with what"
echo
ablation
if [ -d "${1:-}" ]; then
    echo
    echo "### Torn recordings"
    echo
    sets "$1"
    echo
    echo "### What confidence means there"
    echo
    curve
fi
