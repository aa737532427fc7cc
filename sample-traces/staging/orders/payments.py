"""The call to payments over HTTP: each attempt is a connection and a span of its own."""

import os
import time

import requests
from opentelemetry import trace
from requests import RequestException, Response

URL = os.environ["PAYMENTS_URL"]
TIMEOUT_SECONDS = int(os.environ["PAYMENTS_TIMEOUT_MS"]) / 1000
RETRIES = int(os.environ["PAYMENTS_RETRIES"])
PAUSE_SECONDS = 0.05


def charge(order: str, headers: dict[str, str]) -> dict:
    """Charges for an order. Tries again after any failure, and raises that of the last attempt."""
    for attempt in range(RETRIES):
        try:
            return _attempt(order, headers)
        except RequestException as error:
            trace.get_current_span().add_event("retry", {"attempt": attempt + 1, "after": type(error).__name__})
            time.sleep(PAUSE_SECONDS)
    return _attempt(order, headers)


def _attempt(order: str, headers: dict[str, str]) -> dict:
    response: Response = requests.get(f"{URL}/charges/{order}", headers=headers, timeout=TIMEOUT_SECONDS)
    response.raise_for_status()
    return response.json()
