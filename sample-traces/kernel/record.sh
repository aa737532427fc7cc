#!/bin/sh
# Records a small load with the kernel's tools, as root: bpftrace, libbpf-tools, perf, ftrace.
# Writes the recordings here, what there is to say of them into manifest.toml, and excerpts into ../formats.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
formats=$here/../formats
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C TZ=UTC

# Runs a tool over a load of a few seconds; what it prints goes into a file.
over() {
    out=$1 seconds=$2
    shift 2
    timeout -s INT "$((seconds + 4))" "$@" >"$work/$out" 2>"$work/$out.err" &
    sleep 3
    python3 "$here/load.py" "$seconds"
    wait || true
}

clocks() {
    python3 - <<'PY'
import json, time
boot, real = time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.time_ns()
mono, again = time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.time_ns()
print(json.dumps({"boottime_ns": boot, "realtime_ns": real, "realtime_minus_boottime_ns": real - boot,
                  "realtime_minus_monotonic_ns": again - mono}))
PY
}

over bpftrace.json 1 bpftrace -f json "$here/sockets.bt"
over bpftrace.txt 1 bpftrace "$here/sockets.bt"
over tcplife.txt 1 stdbuf -oL tcplife
over tcpstates.txt 1 stdbuf -oL tcpstates
over tcpconnect.txt 1 stdbuf -oL tcpconnect
over runqslower.txt 1 stdbuf -oL runqslower 50
over offcputime.txt 1 offcputime -k 2
over runqlat.txt 2 runqlat 1 3
clocks >"$work/clock.json"

cd "$work"
perf record -q -o perf.data -e 'sched:sched_switch,sched:sched_wakeup,sock:inet_sock_set_state' -a \
    -- python3 "$here/load.py" 0.3 2>"$work/perf.err"
perf script -i perf.data >"$work/perf-script.txt" 2>>"$work/perf.err"
perf sched record -q -o sched.data -- sleep 0.1 2>>"$work/perf.err"
perf sched timehist -i sched.data >"$work/perf-timehist.txt" 2>>"$work/perf.err" || true
perf data convert --force -i sched.data --to-json perf.json 2>>"$work/perf.err" || true

tracefs=/sys/kernel/tracing
mountpoint -q "$tracefs" || mount -t tracefs tracefs "$tracefs"
instance=$tracefs/instances/riftline
mkdir -p "$instance"
echo 1 >"$instance/events/sched/sched_switch/enable"
echo 1 >"$instance/events/sock/inet_sock_set_state/enable"
timeout 2 cat "$instance/trace_pipe" >"$work/trace_pipe.txt" &
python3 "$here/load.py" 0.5 &
echo "request trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7" >"$instance/trace_marker"
wait || true
echo 0 >"$instance/tracing_on"
python3 "$here/load.py" 0.1
echo 1 >"$instance/tracing_on"
python3 "$here/load.py" 0.2
cat "$instance/trace" >"$work/ftrace.txt"
rmdir "$instance"

python3 "$here/manifest.py" "$work" "$here" "$formats"
