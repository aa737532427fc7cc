#!/bin/sh
# usage: record.sh FOLDER GATEWAY_PROPAGATORS OTHER_PROPAGATORS
# Builds the shop, sends it the load with these propagators, and leaves recording and manifest in FOLDER.
set -eu
shop=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
home=${SHOP_HOME:-/tmp/shop}
folder=$1 gateway=$2 others=$3
run=$home/runs/$(basename "$folder")
python=$home/tools/venv/bin/python
export PYTHONDONTWRITEBYTECODE=1
"$shop/build.sh"
rm -rf "$run"
mkdir -p "$run"
"$python" "$shop/record.py" "$home" "$run" "$gateway" "$others"
for signal in traces logs metrics; do
  cp "$run/$signal.jsonl" "$folder/$signal.jsonl"
done
"$python" "$shop/manifest.py" shop "$folder" "$run/requests.json" "$gateway"
