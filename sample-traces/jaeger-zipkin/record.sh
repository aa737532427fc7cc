#!/bin/sh
# Records what Zipkin's and Jaeger's own clients and OpenTelemetry's exporters send, and what a real Jaeger makes of it.
# Needs go, node, python3 and curl; builds Jaeger from its module, which takes a few minutes the first time.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
home=${JAEGER_ZIPKIN_HOME:-/tmp/jaeger-zipkin}
jaeger_version=v1.50.0
port=19411
export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$home"

if [ ! -x "$home/jaeger" ]; then
    module=$(go mod download -json "github.com/jaegertracing/jaeger@$jaeger_version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
    cp -r "$module" "$home/source"
    chmod -R u+w "$home/source"
    (cd "$home/source" && go build -o "$home/jaeger" ./cmd/all-in-one)
fi
if [ ! -d "$home/venv" ]; then
    python3 -m venv "$home/venv"
    "$home/venv/bin/pip" install -q -r "$here/requirements.txt"
fi
if [ ! -d "$home/node_modules" ]; then
    cp "$here/package.json" "$home/"
    (cd "$home" && npm install --silent)
fi

rm -rf "$home/raw" && mkdir "$home/raw"
python3 "$here/sink.py" $port "$home/raw" &
sink=$!
SPAN_STORAGE_TYPE=memory "$home/jaeger" >"$home/jaeger.log" 2>&1 &
jaeger=$!
trap 'kill $sink $jaeger' EXIT
sleep 4
export NODE_PATH="$home/node_modules"
node "$here/zipkin.js" http://127.0.0.1:$port
node "$here/jaeger.js" http://127.0.0.1:$port >"$home/client.log"
"$home/venv/bin/python" "$here/otel.py" http://127.0.0.1:$port

raw=$home/raw
for body in "$raw"/*.thrift; do
    curl -sS -H 'content-type: application/x-thrift' --data-binary "@$body" http://127.0.0.1:14268/api/traces
done
sleep 1
cat "$raw"/*-zipkin-*.json | sed 's/]\[/]\n[/g' >"$here/zipkin-js.json"
cp "$raw"/*-otel-json.json "$here/otel.json"
cp "$raw"/*-otel-proto.pb "$here/otel.pb"
for body in "$raw"/*.thrift; do
    # A batch begins with the name of its service.
    cp "$body" "$here/jaeger-$(head -c 16 "$body" | tr -cd 'a-z').thrift"
done
curl -sS 'http://127.0.0.1:16686/api/traces?service=shop&limit=10' >"$here/jaeger-api.json"

formats=$here/../formats
cp "$here/zipkin-js.json" "$formats/zipkin.json"
cp "$here/otel.pb" "$formats/zipkin.pb"
cp "$here/jaeger-api.json" "$formats/jaeger.json"
cp "$here/jaeger-shop.thrift" "$formats/jaeger.thrift"
