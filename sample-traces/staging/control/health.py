"""Asks services whether they answer."""

import http.client
import socket
import time
from collections.abc import Callable

LOOK_AGAIN_SECONDS = 0.05
ANSWER_SECONDS = 2
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = 4
EMPTY_SETTINGS = b"\0\0\0" + bytes([SETTINGS]) + b"\0" + b"\0\0\0\0"


def http_answers(address: str, port: int) -> bool:
    """Tells whether GET /healthz is answered with 200."""
    connection = http.client.HTTPConnection(address, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def http2_answers(address: str, port: int) -> bool:
    """Tells whether the preface of HTTP/2 is answered with SETTINGS."""
    try:
        with socket.create_connection((address, port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(PREFACE + EMPTY_SETTINGS)
            header = connection.recv(9, socket.MSG_WAITALL)
            return len(header) == 9 and header[3] == SETTINGS
    except OSError:
        return False


def accepts(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(ANSWER_SECONDS)
        return probe.connect_ex((address, port)) == 0


def wait(answers: Callable[[], bool], still_runs: Callable[[], bool], seconds: float) -> bool:
    """Waits until `answers`; gives up when the process has ended or the time is over."""
    end = time.monotonic() + seconds
    while not answers():
        if not still_runs() or time.monotonic() > end:
            return False
        time.sleep(LOOK_AGAIN_SECONDS)
    return True
