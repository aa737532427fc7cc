#!/bin/sh
# Records what real loggers write: small programs in Go, Python, Node and Java, nginx, and logger(1).
# Needs Go, Python 3, Node, Java 17 with Maven, nginx, util-linux. Uses the ports 28090 and 28091 of 127.0.0.1.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
home=${SHOP_HOME:-/tmp/shop}/logs
out=$here
export TZ=UTC PYTHONDONTWRITEBYTECODE=1
mkdir -p "$home"
cp -r "$here/go" "$here/python" "$here/node" "$here/java" "$here/nginx.conf" "$home/"

(cd "$home/go" && go build -trimpath -o payments .)
for logger in slog-json slog-text zap-json zap-console logrus-json logrus-text logrus-color zerolog zerolog-console klog; do
    "$home/go/payments" "$logger" >"$out/go-$logger.log" 2>&1
done

[ -d "$home/venv" ] || python3 -m venv "$home/venv"
"$home/venv/bin/pip" -q install -r "$home/python/requirements.txt"
for logger in basic text dashes otel json structlog structlog-logfmt plain-date; do
    (cd "$home/python" && "$home/venv/bin/python" main.py "$logger") >"$out/python-$logger.log"
done

(cd "$home/node" && npm install --silent --no-audit --no-fund)
for logger in pino winston bunyan; do
    (cd "$home/node" && node main.js "$logger") >"$out/node-$logger.log"
done

(cd "$home/java" && mvn -q -B package)
for logger in logback logback-json spring log4j2 log4j2-json; do
    (cd "$home/java" && java -Dlogger="$logger" -cp "target/classes:target/lib/*" shop.Payments "$logger") >"$out/java-$logger.log"
done

rm -rf "$home/nginx" && mkdir -p "$home/nginx"
nginx -p "$home/nginx" -c "$home/nginx.conf" -e error.log
for path in /products/7 '/products/8?color=red' /missing /down; do
    python3 "$here/get.py" "http://127.0.0.1:28090$path" 4bf92f3577b34da6a3ce929d0e0e4736
done
nginx -p "$home/nginx" -c "$home/nginx.conf" -e error.log -s quit
for log in combined fields json error; do
    cp "$home/nginx/$log.log" "$out/nginx-$log.log"
done

trace=4bf92f3577b34da6a3ce929d0e0e4736
for format in rfc3164 rfc5424; do
    python3 "$here/listen.py" 28091 3 >"$out/syslog-$format.log" &
    listener=$!
    sleep 0.5
    for priority in user.info user.warning daemon.err; do
        logger --server 127.0.0.1 --port 28091 --udp "--$format" --id=4711 --priority "$priority" --tag payments "charging order 1002 trace_id=$trace"
    done
    wait "$listener"
done
# The name of this machine is nobody's business.
sed -i "s/ $(hostname) / shop /" "$out"/syslog-*.log

formats=$here/../formats
cat "$out/node-pino.log" "$out/go-zap-json.log" >"$formats/log.jsonl"
cp "$out/go-klog.log" "$formats/klog.log"
cp "$out/syslog-rfc5424.log" "$formats/syslog.log"
cp "$out/nginx-fields.log" "$formats/access.log"
cp "$out/go-logrus-text.log" "$formats/logfmt.log"
cp "$out/python-otel.log" "$formats/text.log"
cp "$out/python-plain-date.log" "$formats/log-pattern.log"
cp "$here/log-pattern.toml" "$formats/log-pattern.toml"
