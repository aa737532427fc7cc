/* Tracepoints of a small ledger: every kind of field that LTTng-UST writes, and the ids of the span that is open. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER ledger

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./ledger_tp.h"

#if !defined(LEDGER_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define LEDGER_TP_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_ENUM(ledger, outcome,
    LTTNG_UST_TP_ENUM_VALUES(
        lttng_ust_field_enum_value("posted", 0)
        lttng_ust_field_enum_value("refused", 1)
        lttng_ust_field_enum_range("retried", 2, 9)))

LTTNG_UST_TRACEPOINT_EVENT(ledger, post_start,
    LTTNG_UST_TP_ARGS(const char *, trace_id, const char *, span_id, int, entry, const char *, account),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_string(trace_id, trace_id)
        lttng_ust_field_string(span_id, span_id)
        lttng_ust_field_integer(int, entry, entry)
        lttng_ust_field_string(account, account)))

LTTNG_UST_TRACEPOINT_EVENT(ledger, post_end,
    LTTNG_UST_TP_ARGS(const char *, trace_id, const char *, span_id, int, outcome, double, amount,
                      const int16_t *, legs, unsigned, num_legs, uint64_t, sum),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_string(trace_id, trace_id)
        lttng_ust_field_string(span_id, span_id)
        lttng_ust_field_enum(ledger, outcome, int, outcome, outcome)
        lttng_ust_field_float(double, amount, amount)
        lttng_ust_field_sequence(int16_t, legs, legs, unsigned, num_legs)
        lttng_ust_field_integer_hex(uint64_t, sum, sum)))
#endif

#include <lttng/tracepoint-event.h>
