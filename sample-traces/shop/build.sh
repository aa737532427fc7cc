#!/bin/sh
# Builds the shop's services, the sink and the recording tools in $SHOP_HOME (default /tmp/shop).
# Needs Java 17 with Maven, Go, Python 3, Node 20 and Rust. The folder has a neutral name on purpose: stack traces and
# code attributes carry it into the recording.
set -eu
sources=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
home=${SHOP_HOME:-/tmp/shop}
mkdir -p "$home/bin"
for part in sink stock gateway orders payments pricing; do
  mkdir -p "$home/$part"
  cp -R "$sources/$part/." "$home/$part"
done

for part in sink stock; do
  (cd "$home/$part" && go mod tidy && go build -o "$home/bin/$part" .)
done
(cd "$home/gateway" && mvn -q -B package)
(cd "$home/pricing" && CARGO_TARGET_DIR="$home/pricing/target" cargo build --quiet)
cp -f "$home/pricing/target/debug/pricing" "$home/bin/pricing"
(cd "$home/payments" && npm install --silent --no-package-lock --no-audit --no-fund --omit=dev)
for part in orders tools; do
  python3 -m venv "$home/$part/venv"
done
"$home/orders/venv/bin/pip" install --quiet --requirement "$sources/orders/requirements.txt"
"$home/tools/venv/bin/pip" install --quiet --requirement "$sources/requirements.txt"
