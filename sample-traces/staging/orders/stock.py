"""The calls to stock over gRPC. Messages are google.protobuf.Struct, so that neither side needs generated code."""

import os

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

TIMEOUT_SECONDS = int(os.environ["STOCK_TIMEOUT_MS"]) / 1000
# Comes back within a second once stock, or a proxy before it, does.
CHANNEL = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


class Stock:
    """A channel to stock and the methods of shop.v1.Stock that orders uses."""

    def __init__(self) -> None:
        channel = grpc.insecure_channel(os.environ["STOCK_ADDR"], options=CHANNEL)
        self._level = _method(channel, "Level")
        self._reserve = _method(channel, "Reserve")

    def level(self, item: str, headers: dict[str, str]) -> dict:
        return _ask(self._level, {"item": item}, headers)

    def reserve(self, order: str, headers: dict[str, str]) -> dict:
        return _ask(self._reserve, {"order": order}, headers)


def _method(channel: grpc.Channel, name: str) -> grpc.UnaryUnaryMultiCallable:
    return channel.unary_unary(
        f"/shop.v1.Stock/{name}", request_serializer=Struct.SerializeToString, response_deserializer=Struct.FromString
    )


def _ask(method: grpc.UnaryUnaryMultiCallable, fields: dict, headers: dict[str, str]) -> dict:
    request = Struct()
    request.update(fields)
    return MessageToDict(method(request, timeout=TIMEOUT_SECONDS, metadata=tuple(headers.items())))
