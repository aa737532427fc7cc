"""Writes every body that is posted to it into a file, numbered, named after its path and service.

usage: sink.py PORT FOLDER
"""

import gzip
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
LOCK = Lock()
NAMES = {"application/json": "json", "application/x-protobuf": "pb", "application/x-thrift": "thrift"}


class Sink(BaseHTTPRequestHandler):
    num_bodies = 0

    def do_POST(self) -> None:
        body = b"".join(self.chunks())
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        kind = self.headers["content-type"].split(";")[0]
        with LOCK:
            Sink.num_bodies += 1
            source = self.path.split("?")[0].strip("/").replace("/", "-")
            (FOLDER / f"{Sink.num_bodies:03}-{source}.{NAMES.get(kind, 'bin')}").write_bytes(body)
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()

    def chunks(self):
        if "content-length" in self.headers:
            yield self.rfile.read(int(self.headers["content-length"]))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, *_) -> None:
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Sink).serve_forever()
