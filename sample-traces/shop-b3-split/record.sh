#!/bin/sh
# Records the shop whose gateway sends B3 alone. Orders, payments and pricing read B3 as well as W3C; stock reads W3C
# alone, as it always does, and so begins a trace of its own in every request.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec "$here/../shop/record.sh" "$here" b3 tracecontext,baggage,b3
