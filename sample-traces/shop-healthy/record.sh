#!/bin/sh
# Records the healthy shop: everybody sends and reads W3C trace context and baggage.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec "$here/../shop/record.sh" "$here" tracecontext,baggage tracecontext,baggage
