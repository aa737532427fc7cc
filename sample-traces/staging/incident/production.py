"""Production, for a recording: the services of staging under other names and addresses, in a network of their own (see record.sh)."""

from fleet import Deployment, Edges

DOMAIN = "prod.example"
OTLP = "127.0.0.1:4318"
FRONT = f"http://shop.{DOMAIN}"
# Where the services listen, and the addresses by which they are known: those of the tool before them.
BINDS = {
    "gateway": "10.20.0.10:80",
    "orders": "10.20.0.11:8080",
    "payments": "10.20.0.12:8080",
    "stock": "10.20.0.13:50051",
}
KNOWN = {"orders": "10.20.1.11:80", "payments": "10.20.1.12:80", "stock": "10.20.1.13:50051"}
EDGES = Edges(orders=f"orders.{DOMAIN}", payments=f"payments.{DOMAIN}", stock=f"stock.{DOMAIN}:50051")
CALLERS = {"orders": "gateway", "payments": "orders", "stock": "orders"}


def deployment() -> Deployment:
    return Deployment("production", EDGES, f"http://{OTLP}", DOMAIN, BINDS)


def proxies() -> list[dict]:
    """Returns the edges in Toxiproxy's form."""
    return [
        {"name": f"{CALLERS[server]}-{server}", "listen": known, "upstream": BINDS[server], "enabled": True}
        for server, known in KNOWN.items()
    ]


def hosts() -> dict[str, str]:
    """Returns addresses by host name."""
    named = {f"{server}.{DOMAIN}": known for server, known in KNOWN.items()} | {f"shop.{DOMAIN}": BINDS["gateway"]}
    return {name: known.rpartition(":")[0] for name, known in named.items()}


if __name__ == "__main__":
    # For record.sh: lines of /etc/hosts. Addresses without a name of their own stand there, too.
    unnamed = {f"{name}-1.{DOMAIN}": bind.rpartition(":")[0] for name, bind in BINDS.items()}
    for name, address in (hosts() | unnamed).items():
        print(address, name)
