#!/bin/sh
# Records the incident `hang` of ../staging/incident/faults.py.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec "$here/../staging/incident/record.sh" hang "$here"
