"""Orders: makes offers and places orders, asking pricing and payments over HTTP.

Traced by `opentelemetry-instrument` without a line of tracing code, except for one span of its own.
"""

import logging
import os
import signal
import sys

import requests
from flask import Flask, jsonify, request
from opentelemetry import metrics, trace

PRICING = os.environ["PRICING_URL"]
PAYMENTS = os.environ["PAYMENTS_URL"]
LIST_PRICE_CENTS = 9_900

app = Flask("orders")
log = logging.getLogger("orders")
tracer = trace.get_tracer("orders")
orders_placed = metrics.get_meter("orders").create_counter(
    "shop.orders.placed", unit="{order}", description="Orders whose payment was accepted."
)


def price_of(sku: str, quantity: int) -> int:
    """Returns the price in cents: the quoted one, or the list price where pricing has no answer."""
    with tracer.start_as_current_span("price_of", attributes={"shop.sku": sku}) as span:
        answer = requests.get(f"{PRICING}/quote/{sku}", params={"quantity": quantity}, timeout=5)
        if answer.ok:
            return answer.json()["cents"]
        span.add_event("list_price_used", {"http.response.status_code": answer.status_code})
        log.warning("no quote for %s (status %s), using the list price", sku, answer.status_code)
        return LIST_PRICE_CENTS * quantity


@app.get("/offers/<sku>")
def offer(sku: str):
    cents = price_of(sku, 1)
    plans = requests.get(f"{PAYMENTS}/plans", params={"cents": cents}, timeout=5)
    plans.raise_for_status()
    return jsonify(sku=sku, cents=cents, plans=plans.json())


@app.post("/orders")
def place_order():
    order = request.get_json()
    cents = price_of(order["sku"], order["quantity"])
    charge = requests.post(f"{PAYMENTS}/charges", json={"card": order["card"], "cents": cents}, timeout=5)
    if charge.status_code == 402:
        log.warning("payment of %d cents declined", cents)
        return jsonify(error="declined"), 402
    charge.raise_for_status()
    orders_placed.add(1, {"shop.sku": order["sku"]})
    log.info("order of %d x %s placed for %d cents", order["quantity"], order["sku"], cents)
    return jsonify(cents=cents, charge=charge.json()["id"]), 201


def leave(_signal, _frame):
    """Ends the process in the ordinary way, so that the SDK sends what it still holds."""
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, leave)
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
