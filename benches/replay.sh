#!/usr/bin/env bash
# From every recorded incident in `sample-traces/replay-*` to an experiment, to a run against `sample-traces/staging`, to a verdict;
# the latency also at half its strength, with another fault in its place, through Toxiproxy and through Envoy. Prints a Markdown table.
#
#   benches/replay.sh [FOLDER]      about five minutes; FOLDER keeps experiments, runs and verdicts (default: a temporary one)
set -euo pipefail
cd "$(dirname "$0")/.."
riftline="${RIFTLINE:-riftline}"
folder="${1:-$(mktemp -d)}"
data="$folder/data"
export STAGING_STATE="${STAGING_STATE:-$folder/staging}"
mkdir -p "$folder"
proxy=
trap '[ -z "$proxy" ] || kill "$proxy"; sample-traces/staging/down >&2' EXIT

stage() { # injector
    [ -z "$proxy" ] || { kill "$proxy"; wait "$proxy" || true; }
    proxy=
    sample-traces/staging/down >&2
    sample-traces/staging/up --edges proxied --injector "$1" >&2
    if [ "$1" = none ]; then
        "$riftline" proxy --links sample-traces/staging/proxies.json >"$folder/proxy.log" 2>&1 &
        proxy=$!
        until (exec 3<>/dev/tcp/127.0.0.1/8474) 2>/dev/null; do :; done
    fi
}

# Returns what a person would point at: the slowest trace, one that failed, or the finding.
about() { # incident
    local traces="sample-traces/replay-$1/traces.jsonl.gz"
    case "$1" in
    context-*) echo context-not-injected ;;
    latency) "$riftline" query --format csv "select trace_id from traces order by duration_ns desc limit 1" "$traces" | tail -n 1 ;;
    *) "$riftline" query --format csv "select trace_id from traces order by num_errors desc, trace_id limit 1" "$traces" | tail -n 1 ;;
    esac
}

plan() { # name incident options...
    local name="$1" incident="$2"
    shift 2
    "$riftline" chaos plan "$(about "$incident")" "sample-traces/replay-$incident/traces.jsonl.gz" -o "$folder/$name.yaml" \
        --requests "${REQUESTS:-30}" --rps "${RPS:-10}" "$@" 2>"$folder/$name.plan" >&2
}

# Runs an experiment and prints its row.
row() { # name words
    local file="$folder/$1.yaml" hash
    hash="$("$riftline" chaos run "$file" --dry-run | awk '/^hash/ {print $2}')"
    "$riftline" chaos run "$file" --yes "$hash" --data "$data" >"$folder/$1.out" 2>"$folder/$1.err" || true
    printf '| %s | %s | %s |\n' "$2" "$(head -n 1 "$folder/$1.out" | cut -d: -f1)" \
        "$(sed -n '2s/.*: \([0-9]* %\) of the way, 95 % interval \(.*\)/\1 (\2)/p' "$folder/$1.out")"
}

printf '| incident and injector | verdict | of the way (95 %% interval) |\n| --- | --- | --- |\n'
stage none
for incident in latency error hang abort grpc-error context-drop; do
    plan "$incident" "$incident"
    row "$incident" "$incident"
done
# Quantiles are pairs of a share and a time.
awk '/^      quantiles:/ {inside = 1} /^    [a-z]/ {inside = 0}
     inside && /^ *- - / {print; getline; $2 = $2 / 2; print "        - " $2; next} {print}' "$folder/latency.yaml" >"$folder/half.yaml"
row half "latency, half as strong"
awk '/^  fault:/ {print "  fault: {kind: error, with: {status: 503}}"; inside = 1; next}
     inside && /^    / {next} {inside = 0; print}' "$folder/latency.yaml" >"$folder/other.yaml"
row other "latency, status 503 in its place"
stage toxiproxy
plan toxiproxy latency --driver toxiproxy
row toxiproxy "latency, by Toxiproxy"
stage envoy
plan envoy latency --driver envoy --set admin=http://127.0.0.1:19901
# Envoy's fault filter stands at every edge of this staging; the header says at which one it acts.
sed -i 's/^  traffic:/  traffic:\n    headers: {x-fault-edge: orders-payments}/' "$folder/envoy.yaml"
row envoy "latency, by Envoy"
