"""A small load: an HTTP server and clients whose requests carry `traceparent` or `b3`, one after the other.

usage: load.py SECONDS
"""

import http.client
import secrets
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_) -> None:
        pass


def headers(number: int) -> dict[str, str]:
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    if number % 3 == 0:
        return {"traceparent": f"00-{trace}-{span}-01"}
    if number % 3 == 1:
        return {"b3": f"{trace}-{span}-1"}
    return {"X-B3-TraceId": trace, "X-B3-SpanId": span, "X-B3-Sampled": "1"}


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    end, number = time.monotonic() + float(sys.argv[1]), 0
    while time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
        connection.request("GET", f"/stock/{number}", headers=headers(number))
        connection.getresponse().read()
        connection.close()
        number += 1
        time.sleep(0.1)


if __name__ == "__main__":
    main()
