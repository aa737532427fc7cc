#!/usr/bin/env bash
# Which faults the judge tells apart: injects every fault twice into the staging of `sample-traces/staging`, takes the first run of
# each for the incident, and holds the second run of every fault against it. Prints a Markdown table.
#
#   benches/chaos_matrix.sh [FOLDER]      about fifteen minutes; FOLDER keeps the runs (default: a temporary one)
set -euo pipefail
cd "$(dirname "$0")/.."
riftline="${RIFTLINE:-riftline}"
folder="${1:-$(mktemp -d)}"
data="$folder/data"
mkdir -p "$folder"

# Name, link, edge and the fault itself.
faults() {
    cat <<'FAULTS'
latency 800|orders-payments|orders|payments|{kind: latency, magnitude: {dist: uniform, low_ms: 600, high_ms: 1000}}
latency 400|orders-payments|orders|payments|{kind: latency, magnitude: {dist: uniform, low_ms: 300, high_ms: 500}}
latency stock|orders-stock|orders|stock|{kind: latency, magnitude: {dist: uniform, low_ms: 600, high_ms: 900}}
drip|orders-payments|orders|payments|{kind: drip, place: response, with: {bytes: 8, every_ms: 40}}
bandwidth|orders-payments|orders|payments|{kind: bandwidth, place: response, with: {kb_per_s: 0.2}}
error 503|orders-payments|orders|payments|{kind: error, with: {status: 503}}
error 503 half|orders-payments|orders|payments|{kind: error, when: {share: 0.5}, with: {status: 503}}
error grpc 14|orders-stock|orders|stock|{kind: error, with: {grpc_status: 14}}
abort reset|orders-payments|orders|payments|{kind: abort, with: {where: before, how: reset}}
abort body|orders-payments|orders|payments|{kind: abort, place: response, with: {where: body, how: close}}
truncate|orders-payments|orders|payments|{kind: truncate, place: response, with: {bytes: 4}}
hang|orders-payments|orders|payments|{kind: hang}
connection-limit|orders-payments|orders|payments|{kind: connection-limit, place: connection, with: {max: 0}}
idle-reset|orders-payments|orders|payments|{kind: idle-reset, place: connection, with: {after_ms: 50}}
context-drop|gateway-orders|gateway|orders|{kind: context-drop}
context-rename|gateway-orders|gateway|orders|{kind: context-rename, with: {to: x-lost}}
context-case|gateway-orders|gateway|orders|{kind: context-case}
context-corrupt|gateway-orders|gateway|orders|{kind: context-corrupt, with: {how: zero-ids}}
context-duplicate|gateway-orders|gateway|orders|{kind: context-duplicate}
context-swap|gateway-orders|gateway|orders|{kind: context-swap}
context-short-id|gateway-orders|gateway|orders|{kind: context-short-id}
context-sampled|gateway-orders|gateway|orders|{kind: context-sampled, with: {to: "off"}}
deadline-drop|orders-stock|orders|stock|{kind: deadline-drop}
FAULTS
}

experiment() { # name link client server fault
    cat <<YAML
title: $1
description: one cell of the confusion matrix
method: []
extensions:
- name: riftline.chaos/v1
  target: {environment: staging, url: 'http://127.0.0.1:18080', edge: {client: $3, server: $4}}
  driver: {name: builtin, api: 'http://127.0.0.1:8474', proxy: $2}
  fault: $5
  traffic: {requests: ${REQUESTS:-30}, rps: ${RPS:-15}, list: [{method: GET, path: /checkout/1}, {method: GET, path: /checkout/2}]}
  limits: {quiet_s: 1.5, patience_s: 10}
  seed: 42
YAML
}

# Runs an experiment and prints the run's name.
run() {
    local hash
    hash="$("$riftline" chaos run "$1" --dry-run | awk '/^hash/ {print $2}')"
    "$riftline" chaos run "$1" --yes "$hash" --data "$data" >"$1.out" 2>"$1.err" || true
    sed -n 's/^run \(.*\) is kept in .*/\1/p' "$1.err"
}

STAGING_STATE="${STAGING_STATE:-$folder/staging}" sample-traces/staging/up --edges proxied --injector none >&2
export STAGING_STATE="${STAGING_STATE:-$folder/staging}"
"$riftline" proxy --links sample-traces/staging/proxies.json >"$folder/proxy.log" 2>&1 &
proxy=$!
trap 'kill "$proxy" 2>/dev/null; sample-traces/staging/down >&2' EXIT
until "$riftline" chaos faults >/dev/null && (exec 3<>/dev/tcp/127.0.0.1/8474) 2>/dev/null; do :; done

names=() firsts=() seconds=()
while IFS='|' read -r name link client server fault; do
    file="$folder/${name// /-}.yaml"
    experiment "$name" "$link" "$client" "$server" "$fault" >"$file"
    printf 'injecting %s\n' "$name" >&2
    names+=("$name")
    firsts+=("$(run "$file")")
    seconds+=("$(run "$file")")
done < <(faults)
printf '%s\n' "${names[@]}" >"$folder/names"
printf '%s\n' "${firsts[@]}" >"$folder/firsts"
printf '%s\n' "${seconds[@]}" >"$folder/seconds"

# Rows: the incident. Columns: what was injected. R reproduced, P partial, blank not reproduced, ? nothing can be said.
letter() {
    case "$1" in REPRODUCED*) printf R ;; PARTIAL*) printf P ;; "NOT REPRODUCED"*) printf ' ' ;; *) printf '?' ;; esac
}
printf '| incident \\ injected |'
for column in "${!names[@]}"; do printf ' %s |' "$((column + 1))"; done
printf '\n|---|'
for _ in "${names[@]}"; do printf -- '---|'; done
printf '\n'
for row in "${!names[@]}"; do
    printf '| %s %s |' "$((row + 1))" "${names[$row]}"
    for column in "${!names[@]}"; do
        verdict="$("$riftline" chaos judge "${seconds[$column]}" --incident "${firsts[$row]}" --data "$data" 2>/dev/null | head -n 1 || true)"
        printf ' %s |' "$(letter "$verdict")"
    done
    printf '\n'
done
