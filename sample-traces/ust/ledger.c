/* Posts entries to a ledger that is not there, and traces it. usage: ledger ENTRIES */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "ledger_tp.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    int entries = argc > 1 ? atoi(argv[1]) : 10;
    for (int entry = 0; entry < entries; entry++) {
        char trace_id[33], span_id[17];
        int16_t legs[4];
        unsigned num_legs = (unsigned)entry % 5;
        snprintf(trace_id, sizeof trace_id, "%016x%016x", 0x1ed6e7u, (unsigned)entry + 1);
        snprintf(span_id, sizeof span_id, "%016x", (unsigned)entry + 100);
        for (unsigned leg = 0; leg < num_legs; leg++)
            legs[leg] = (int16_t)(entry * (leg % 2 ? -7 : 7));
        lttng_ust_tracepoint(ledger, post_start, trace_id, span_id, entry, entry % 2 ? "cash" : "bank");
        lttng_ust_tracepoint(ledger, post_end, trace_id, span_id, entry % 4, entry / 8.0, legs, num_legs,
                             UINT64_MAX - (uint64_t)entry);
    }
    return 0;
}
