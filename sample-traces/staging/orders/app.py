"""Orders: reserves at stock over gRPC, then charges at payments over HTTP."""

import os
import signal
import sys

import grpc
import payments
import requests
import telemetry
from flask import Flask, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

app = Flask("orders")
provider = telemetry.start(app)

# The channel is opened after telemetry has started: it is traced from its first call on.
from stock import Stock  # noqa: E402

stock = Stock()


@app.get("/healthz")
def health():
    return jsonify(ok=True)


@app.get("/orders/<order>")
def place(order: str):
    headers = fault_headers()
    reserved = stock.reserve(order, headers)
    charged = payments.charge(order, headers)
    return jsonify(order=order, charge=charged["id"], shelf=reserved["shelf"])


@app.get("/levels/<item>")
def level(item: str):
    return jsonify(stock.level(item, fault_headers()))


@app.errorhandler(grpc.RpcError)
def stock_failed(error: grpc.RpcError):
    telemetry.failed(error)
    late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    return jsonify(error=f"stock: {error.code().name}"), 504 if late else 503


@app.errorhandler(requests.RequestException)
def payments_failed(error: requests.RequestException):
    telemetry.failed(error)
    late = isinstance(error, requests.Timeout)
    return jsonify(error=f"payments: {type(error).__name__}"), 504 if late else 502


def fault_headers() -> dict[str, str]:
    """Returns what injectors read of a request: it must reach those behind this service, too."""
    names = (name.lower() for name in request.headers.keys())
    return {
        name: request.headers[name] for name in names if name.startswith("x-envoy-fault-") or name == "x-fault-edge"
    }


def leave(_signal, _frame):
    """Ends the process once the SDK has sent what it still holds."""
    provider.shutdown()
    sys.exit(0)


class KeepAlive(WSGIRequestHandler):
    """Werkzeug's handler, with connections that are kept; it says nothing about each request."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes: without this, delayed acknowledgements add 40 ms to each answer.
    disable_nagle_algorithm = True

    def log_request(self, *_code) -> None:
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, leave)
    make_server(
        os.environ["BIND"], int(os.environ["PORT"]), app, threaded=True, request_handler=KeepAlive
    ).serve_forever()
