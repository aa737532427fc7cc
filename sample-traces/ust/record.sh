#!/bin/sh
# Records a small LTTng-UST trace of ledger.c, and babeltrace2's reading of it. Needs lttng-tools, liblttng-ust-dev, babeltrace2, gcc.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'lttng destroy ledger >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
gcc -O2 -I"$here" "$here/ledger.c" -o "$work/ledger" -llttng-ust -ldl
lttng-sessiond --daemonize >/dev/null 2>&1 || true
export LTTNG_UST_REGISTER_TIMEOUT=3000
record() { # entries
    rm -rf "$work/trace"
    lttng create ledger --output="$work/trace" >/dev/null
    lttng enable-channel --userspace --subbuf-size=4096 --num-subbuf=8 ledger >/dev/null
    lttng enable-event --userspace --channel=ledger 'ledger:*' >/dev/null
    lttng add-context --userspace --channel=ledger --type=vpid --type=vtid --type=procname >/dev/null
    lttng start ledger >/dev/null
    taskset -c 0 "$work/ledger" "$1"
    lttng destroy ledger >/dev/null
    folder=$(dirname "$(find "$work/trace" -name metadata)")
}
record 100
rm -rf "$here/trace"
mkdir -p "$here/trace"
find "$folder" -maxdepth 1 -type f -size +0 -exec cp {} "$here/trace/" \;
babeltrace2 --clock-gmt --clock-date --fields=all "$here/trace" > "$here/babeltrace2.txt"
record 6
mkdir -p "$here/../formats/ctf"
cp "$folder/metadata" "$here/../formats/ctf/metadata"
cp "$folder/ledger_0" "$here/../formats/ctf/stream"
babeltrace2 --clock-gmt --clock-date "$here/../formats/ctf" > "$here/../formats/babeltrace.txt"
