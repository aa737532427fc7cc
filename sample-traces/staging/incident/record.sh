#!/bin/sh
# usage: record.sh FAULT FOLDER
# Records the incident FAULT of faults.py and leaves traces.jsonl.gz and manifest.toml in FOLDER. Production runs in a network of its
# own, whose only interface is loopback: its hosts have names and addresses there that staging has not. Needs what `up` needs, the tool
# of the incident, and unshare and ip of Linux.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
fault=$1 folder=$(CDPATH='' cd -- "$2" && pwd)
for tool in python3 go unshare ip mount; do
  command -v "$tool" >/dev/null || { echo "record: $tool is missing on this machine" >&2; exit 3; }
done
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$here:$here/../control"
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
python3 "$here/prepare.py" "$run"
python3 "$here/production.py" >"$run/hosts"
# shellcheck disable=SC2016
unshare -rmn sh -eu -c '
  ip link set lo up
  cut -d" " -f1 "$1/hosts" | while read -r address; do ip address add "$address/32" dev lo 2>/dev/null || true; done
  echo "127.0.0.1 localhost" >>"$1/hosts"
  mount --bind "$1/hosts" /etc/hosts
  exec python3 "$2/record.py" "$3" "$1"
' record "$run" "$here" "$fault"
python3 "$here/manifest.py" "$fault" "$run" "$folder"
