#!/bin/sh
# Records the healthy shop anew and writes its spans in the other encodings too.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
home=${SHOP_HOME:-/tmp/shop}
export PYTHONDONTWRITEBYTECODE=1
"$here/../shop-healthy/record.sh"
"$home/tools/venv/bin/python" "$here/../shop/encode.py" "$home/runs/shop-healthy" "$here"
"$home/tools/venv/bin/python" "$here/../shop/manifest.py" encodings "$here"
