#!/usr/bin/env bash
# Measures what the built-in proxy adds, beside nginx (and haproxy where there is one): `benches/proxy.sh [ROUNDS]`.
#
# nginx answers behind all of them. In every round each way is loaded in turn, so that what else the machine does falls on all of
# them; the median of the rounds counts. The proxies have a core of their own, load and upstream the other. RIFTLINE_PROXY is the command to start, `riftline proxy` where nothing is said.
set -euo pipefail
cd "$(dirname "$0")"
rounds="${1:-15}"
rate="${RATE:-5000}" connections="${CONNECTIONS:-50}" seconds="${SECONDS_EACH:-2}" held="${HELD:-5000}"
proxy="${RIFTLINE_PROXY:-${CARGO_TARGET_DIR:-$HOME/.cache/riftline/target}/release/riftline proxy}"
work="$(mktemp -d)"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

command -v nginx >/dev/null || { echo "skipped: nginx answers behind the proxies, and is not installed"; exit 0; }
rustc --edition 2024 -O proxy/load.rs -o "$work/load"
ulimit -n "$(ulimit -Hn)"

# Ports are taken by whoever is started first; they are high, and rarely taken.
upstream=47101 through_nginx=47102 through_tcp=47103 through_http=47104 through_haproxy=47105

nginx_conf() { # name, http block, core
    cat >"$work/$1.conf" <<CONF
daemon off; pid $work/$1.pid; error_log $work/$1.log; worker_processes 1; worker_rlimit_nofile 20000;
events { worker_connections 19000; }
http { access_log off; keepalive_timeout 600s; keepalive_requests 100000000; default_type text/plain;
$2
}
CONF
    taskset -c "$3" nginx -c "$work/$1.conf" &
    pids+=($!)
}

wait_for() { for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done; echo "nobody listens on $1"; exit 1; }

nginx_conf upstream "server { listen 127.0.0.1:$upstream backlog=8192; location / { return 200 \"hello end\n\"; } }" 0
nginx_conf proxy "upstream up { server 127.0.0.1:$upstream; keepalive 256; }
server { listen 127.0.0.1:$through_nginx backlog=8192;
location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; } }" 1
# Words of the command are split on purpose.
# shellcheck disable=SC2086
TOKIO_WORKER_THREADS=1 taskset -c 1 $proxy --api 127.0.0.1:0 --protocol tcp --listen 127.0.0.1:$through_tcp --upstream 127.0.0.1:$upstream &
pids+=($!)
tcp_pid=$!
# shellcheck disable=SC2086
TOKIO_WORKER_THREADS=1 taskset -c 1 $proxy --api 127.0.0.1:0 --protocol http --listen 127.0.0.1:$through_http --upstream 127.0.0.1:$upstream &
pids+=($!)
http_pid=$!
ways="direct:$upstream nginx:$through_nginx tcp:$through_tcp http:$through_http"
if command -v haproxy >/dev/null; then
    cat >"$work/haproxy.cfg" <<CONF
global
    nbthread 1
    maxconn 9000
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 600s
listen bench
    bind 127.0.0.1:$through_haproxy
    http-reuse always
    server up 127.0.0.1:$upstream
CONF
    taskset -c 1 haproxy -f "$work/haproxy.cfg" &
    pids+=($!)
    ways="$ways haproxy:$through_haproxy"
else
    echo "skipped: haproxy is not installed"
fi
for way in $ways; do wait_for "${way#*:}"; done

echo "load of the machine before: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores"
for round in $(seq "$rounds"); do
    for way in $ways; do
        echo "$round ${way%%:*} $(taskset -c 0 "$work/load" rate "127.0.0.1:${way#*:}" "$rate" "$connections" "$seconds")" >>"$work/rounds"
    done
done

echo "| way | p50 µs | p90 µs | p99 µs | p99.9 µs |   (medians of $rounds rounds, $rate requests/s on $connections connections)"
python3 - "$work/rounds" <<'PY'
import statistics, sys
rows = [line.split() for line in open(sys.argv[1])]
names = list(dict.fromkeys(row[1] for row in rows))
median = {n: [statistics.median(int(row[i]) for row in rows if row[1] == n) for i in range(2, 6)] for n in names}
for name in names:
    print("|", name, "|", " | ".join(f"{value:.0f}" for value in median[name]), "|")
for name in names[1:]:
    print("| added by", name, "|", " | ".join(f"{a - b:.0f}" for a, b in zip(median[name], median["direct"])), "|")
PY

for way in tcp:$through_tcp:$tcp_pid http:$through_http:$http_pid; do
    IFS=: read -r name port pid <<<"$way"
    mkfifo "$work/hold-$name"
    "$work/load" hold "127.0.0.1:$port" "$held" <"$work/hold-$name" >"$work/held-$name" &
    exec 3>"$work/hold-$name"
    while [ ! -s "$work/held-$name" ] && kill -0 $! 2>/dev/null; do sleep 0.2; done
    echo "$name: $(cat "$work/held-$name") connections, $(awk '/VmRSS/ {print int($2/1024)}' "/proc/$pid/status") MB"
    exec 3>&-
    wait $! || true
done
