"""The load: always the same requests in the same order, and what each must be answered with."""

import json
import urllib.error
import urllib.request

CUSTOMERS = 3
ROUNDS = 6


def requests() -> list[dict]:
    """Returns all requests: ROUNDS times the same twelve."""
    return [dict(asked, number=number) for number, asked in enumerate(one_round() * ROUNDS)]


def one_round() -> list[dict]:
    return [
        product("lamp", 200),
        product("chair", 200),
        product("carpet", 200),  # pricing is slow
        checkout("lamp", 2, "good", 201),
        product("desk", 200),  # stock is slow
        product("antique", 200),  # pricing fails, orders goes on with the list price
        checkout("chair", 4, "declined", 402),
        product("lamp", 200),
        checkout("desk", 1, "unusual", 201),  # payments is slow
        product("piano", 503),  # stock has no answer
        product("chair", 200),
        checkout("lamp", 1, "stale", 502),  # payments throws
    ]


def product(sku: str, status: int) -> dict:
    return {"method": "GET", "path": f"/product/{sku}", "expected": status}


def checkout(sku: str, quantity: int, card: str, status: int) -> dict:
    body = {"sku": sku, "quantity": quantity, "card": card}
    return {"method": "POST", "path": "/checkout", "body": body, "expected": status}


def send(address: str, asked: dict) -> dict:
    """Sends one request; raises if the shop answers with another status than it should."""
    body = json.dumps(asked["body"]).encode() if "body" in asked else None
    request = urllib.request.Request(address + asked["path"], data=body, method=asked["method"])
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            status = response.status
    except urllib.error.HTTPError as refused:
        status = refused.code
    if status != asked["expected"]:
        raise RuntimeError(f"{asked} was answered with {status}")
    return dict(asked, status=status)
