#!/bin/sh
# Records the incident `grpc-error` of ../staging/incident/faults.py.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec "$here/../staging/incident/record.sh" grpc-error "$here"
