"""The services of staging: where each listens, how it is started, and in which environment."""

import os
from dataclasses import dataclass, field
from pathlib import Path

FRONT_PORT, ORDERS_PORT, PAYMENTS_PORT, STOCK_PORT = 18080, 18081, 18082, 18083
# Edges by way of an injector: its port, and the service behind it. As in proxies.json.
FRONT_PROXY, ORDERS_PROXY, PAYMENTS_PROXY, STOCK_PROXY = 19000, 19001, 19002, 19003

# How a service is asked whether it answers.
HTTP, HTTP2 = "http", "http2"
PASSED_ON = ("ORDERS_TIMEOUT_MS", "PAYMENTS_TIMEOUT_MS", "PAYMENTS_RETRIES", "STOCK_TIMEOUT_MS")


@dataclass(frozen=True)
class Edges:
    """Whom each service calls: HOST:PORT."""

    orders: str
    payments: str
    stock: str


DIRECT = Edges(f"127.0.0.1:{ORDERS_PORT}", f"127.0.0.1:{PAYMENTS_PORT}", f"127.0.0.1:{STOCK_PORT}")
PROXIED = Edges(f"127.0.0.1:{ORDERS_PROXY}", f"127.0.0.1:{PAYMENTS_PROXY}", f"127.0.0.1:{STOCK_PROXY}")


@dataclass(frozen=True)
class Deployment:
    """One set of the services: its name, whom they call, where their spans go, the domain of their hosts, and where they listen."""

    environment: str
    edges: Edges
    otlp: str
    domain: str
    binds: dict[str, str]


@dataclass
class Service:
    """One process."""

    name: str
    address: str
    port: int
    check: str
    command: list[str]
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)


def staging(edges: Edges) -> Deployment:
    """Returns the deployment that `up` starts."""
    otlp = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    ports = {"gateway": FRONT_PORT, "orders": ORDERS_PORT, "payments": PAYMENTS_PORT, "stock": STOCK_PORT}
    return Deployment(
        "staging", edges, otlp, "staging.example", {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    )


def services(home: Path, deployment: Deployment) -> list[Service]:
    """Returns the services built in `home`, callees before callers."""
    return [stock(home, deployment), payments(home, deployment), orders(home, deployment), gateway(home, deployment)]


def stock(home: Path, deployment: Deployment) -> Service:
    return service(deployment, "stock", "0.9.2", HTTP2, [str(home / "bin" / "stock")], home / "stock", {})


def payments(home: Path, deployment: Deployment) -> Service:
    target = home / "payments" / "target"
    # Small and quick to start; headers and body of an answer are two writes, which wait for each other with Nagle's algorithm.
    flags = ["-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dsun.net.httpserver.nodelay=true"]
    command = ["java", *flags, "-cp", f"{target}/payments.jar:{target}/lib/*", "staging.Payments"]
    return service(deployment, "payments", "3.2.0", HTTP, command, home / "payments",
                   {"OTEL_JAVA_EXPORTER_OTLP_RETRY_DISABLED": "true"})  # fmt: skip


def orders(home: Path, deployment: Deployment) -> Service:
    settings = {
        "PAYMENTS_URL": f"http://{deployment.edges.payments}",
        "STOCK_ADDR": deployment.edges.stock,
        "PAYMENTS_TIMEOUT_MS": "1500",
        "PAYMENTS_RETRIES": "1",
        "STOCK_TIMEOUT_MS": "1000",
        # Python's exporter reads seconds.
        "OTEL_EXPORTER_OTLP_TIMEOUT": "2",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [str(home / "orders" / "venv" / "bin" / "python"), "app.py"]
    return service(deployment, "orders", "5.0.3", HTTP, command, home / "orders", settings)


def gateway(home: Path, deployment: Deployment) -> Service:
    settings = {
        "ORDERS_URL": f"http://{deployment.edges.orders}",
        "ORDERS_TIMEOUT_MS": "5000",
        "OTEL_NODE_RESOURCE_DETECTORS": "env",
    }
    return service(deployment, "gateway", "2.4.1", HTTP, ["node", "server.js"], home / "gateway", settings)


def service(deployment: Deployment, name: str, version: str, check: str, command: list[str], folder: Path,
            settings: dict[str, str]) -> Service:  # fmt: skip
    address, _, port = deployment.binds[name].rpartition(":")
    whole = environment(deployment, name, version) | settings | {"PORT": port, "BIND": address}
    whole |= {key: os.environ[key] for key in PASSED_ON if key in os.environ and key in settings}
    return Service(name, address, int(port), check, command, folder, whole)


def environment(deployment: Deployment, name: str, version: str) -> dict[str, str]:
    """Returns a whole environment: nothing of this machine but PATH gets in."""
    resource = {
        "service.namespace": "shop",
        "service.version": version,
        "service.instance.id": f"{name}-1.{deployment.domain}",
        "deployment.environment.name": deployment.environment,
        "host.name": f"{name}-1.{deployment.domain}",
    }
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "TZ": "UTC",
        "OTEL_SERVICE_NAME": name,
        "OTEL_RESOURCE_ATTRIBUTES": ",".join(f"{key}={value}" for key, value in resource.items()),
        "OTEL_PROPAGATORS": propagators(name),
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
        "OTEL_EXPORTER_OTLP_ENDPOINT": deployment.otlp,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "2000",
        "OTEL_BSP_SCHEDULE_DELAY": "500",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }


def propagators(name: str) -> str:
    """Returns GATEWAY_PROPAGATORS, ORDERS_PROPAGATORS, ... of this service, else what all have."""
    everybody = os.environ.get("OTEL_PROPAGATORS", "tracecontext,baggage")
    return os.environ.get(f"{name.upper()}_PROPAGATORS", everybody)
