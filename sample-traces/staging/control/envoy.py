"""Envoy's configuration for a list of proxies in Toxiproxy's form: one listener and one cluster each, with the HTTP fault filter.

Where nothing else is said, the filter is in header mode: a request asks for its own fault with x-envoy-fault-delay-request,
x-envoy-fault-abort-request, x-envoy-fault-abort-grpc-request or x-envoy-fault-throughput-response. The services pass these headers on,
so each edge has to be told apart: `x-fault-edge: orders-payments` lets the fault happen on that edge alone; without it, it happens at
the front. POST /runtime_modify?fault.http.max_active_faults=0 to the admin port ends all faults at once.
"""

import json
from pathlib import Path

# Behind these, HTTP/2 without TLS is spoken: gRPC.
GRPC = {"orders-stock"}
FRONT = "front"
ALL = {"percentage": {"numerator": 100}}
BY_HEADER = {
    "delay": {"header_delay": {}} | ALL,
    "abort": {"header_abort": {}} | ALL,
    "response_rate_limit": {"header_limit": {}} | ALL,
}
EXTENSIONS = "type.googleapis.com/envoy.extensions"


def write(path: Path, proxies: list[dict], admin_port: int, faults: dict[str, dict] | None = None) -> Path:
    """Writes the configuration to `path`. `faults` has the settings of the fault filter for proxies that shall not go by headers."""
    config = {
        "admin": {"address": address(f"127.0.0.1:{admin_port}")},
        "layered_runtime": {"layers": [{"name": "static", "static_layer": {}}, {"name": "admin", "admin_layer": {}}]},
        "static_resources": {
            "listeners": [listener(proxy, (faults or {}).get(proxy["name"])) for proxy in proxies],
            "clusters": [cluster(proxy) for proxy in proxies],
        },
    }
    path.write_text(json.dumps(config, indent=1))
    return path


def address(host_port: str) -> dict:
    host, _, port = host_port.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def listener(proxy: dict, fault: dict | None) -> dict:
    name = proxy["name"]
    manager = {
        "@type": f"{EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        # Envoy adds nothing that the services would read, and gives up nothing by itself.
        "generate_request_id": False,
        "stream_idle_timeout": "0s",
        "route_config": {"name": name, "virtual_hosts": [{"name": name, "domains": ["*"], "routes": [route(name)]}]},
        "http_filters": [fault_filter(name, fault), router()],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {"name": name, "address": address(proxy["listen"]), "filter_chains": [chain]}


def route(name: str) -> dict:
    return {"match": {"prefix": "/"}, "route": {"cluster": name, "timeout": "0s"}}


def fault_filter(name: str, fault: dict | None) -> dict:
    """Returns the filter with `fault`, or by headers."""
    settings = fault if fault is not None else BY_HEADER | {"headers": [edge_header(name)]}
    return {
        "name": "envoy.filters.http.fault",
        "typed_config": {"@type": f"{EXTENSIONS}.filters.http.fault.v3.HTTPFault"} | settings,
    }


def edge_header(name: str) -> dict:
    if name == FRONT:
        named_or_nothing = {"safe_regex": {"regex": f"({FRONT})?"}}
        return {"name": "x-fault-edge", "treat_missing_header_as_empty": True, "string_match": named_or_nothing}
    return {"name": "x-fault-edge", "string_match": {"exact": name}}


def router() -> dict:
    settings = {"@type": f"{EXTENSIONS}.filters.http.router.v3.Router", "suppress_envoy_headers": True}
    return {"name": "envoy.filters.http.router", "typed_config": settings}


def cluster(proxy: dict) -> dict:
    endpoint = {"endpoint": {"address": address(proxy["upstream"])}}
    name = proxy["name"]
    made = {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return made | ({"typed_extension_protocol_options": http2()} if name in GRPC else {})


def http2() -> dict:
    options = {
        "@type": f"{EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options}
