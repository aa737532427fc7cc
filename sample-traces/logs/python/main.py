"""Writes the same three events with one Python logger.

usage: main.py basic | text | dashes | otel | json | structlog | structlog-logfmt | plain-date
"""

import json
import logging
import sys

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
OTEL = (
    "%(asctime)s %(levelname)s [%(name)s] [%(filename)s:%(lineno)d] "
    "[trace_id=%(otelTraceID)s span_id=%(otelSpanID)s resource.service.name=%(otelServiceName)s trace_sampled=True] - %(message)s"
)
FORMATS = {
    "basic": logging.BASIC_FORMAT,
    "text": "%(asctime)s %(levelname)s %(name)s: %(message)s",
    "dashes": "%(asctime)s - %(name)s - %(levelname)s - %(message)s",
    "otel": OTEL,
    "plain-date": "%(asctime)s %(levelname)s <%(otelTraceID)s> %(message)s",
}


class Traced(logging.Filter):
    def filter(self, record):
        record.otelTraceID, record.otelSpanID, record.otelServiceName = TRACE, SPAN, "payments"
        return True


def fail():
    raise ValueError("card refused")


def write(log, **context):
    log.info("charging order %s trace_id=%s", 1002, TRACE)
    log.warning("slow answer of %s ms", 180, **context)
    try:
        fail()
    except ValueError:
        log.exception("charge failed")


def with_logging(name):
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(Traced())
    if name == "json":
        from pythonjsonlogger import jsonlogger

        handler.setFormatter(
            jsonlogger.JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s %(otelTraceID)s %(otelSpanID)s %(otelServiceName)s")
        )
    else:
        dates = "%d.%m.%Y %H:%M:%S" if name == "plain-date" else None
        handler.setFormatter(logging.Formatter(FORMATS[name], dates))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
    write(logging.getLogger("shop.payments"))


def with_structlog(name):
    import structlog

    last = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    processors = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer() if name == "structlog" else last,
    ]
    structlog.configure(processors=processors)
    log = structlog.get_logger().bind(service="payments", trace_id=TRACE, span_id=SPAN)
    log.info("charging", order=1002, amount=12.5)
    log.warning("slow answer", took_ms=180)
    try:
        fail()
    except ValueError:
        log.exception("charge failed")


if __name__ == "__main__":
    name = sys.argv[1]
    (with_structlog if name.startswith("structlog") else with_logging)(name)
