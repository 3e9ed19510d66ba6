"""The Envoys that are compared, as bootstrap documents: the same listener, routes and cluster around different filters."""

import hashlib
import json

from traffic import LISTENER, MODELS

KEY = "sk-bench"
ANY_TYPE = "type.googleapis.com/envoy.extensions"
# Bodies of a megabyte and more are held whole by a filter that rewrites them.
BUFFER = 32 << 20


# What arms with a filter in both places have beside it.
SETUPS = {"key": "a key", "limits": "key, team and model limits, a budget"}
# Windows that no bench fills.
LIMITS = {"rpm": 10**9, "tpm": 10**14, "input_tpm": 10**14, "parallel": 10**6}


def dragoman(role: str, rig: int, setup: str = "") -> dict:
    """The filter's own configuration."""
    address = f"http://127.0.0.1:{rig}"
    config = {
        "role": role,
        "client_auth": "keys" if role == "gateway" else "open",
        "upstreams": {
            "claude": {
                "provider": "anthropic",
                "base_url": address,
                "credentials": {"api_key": {"value": "sk-ant-bench"}},
            },
            "openai": {
                "provider": "openai_compatible",
                "base_url": f"{address}/v1",
                "credentials": {"api_key": {"value": "sk-oai-bench"}},
            },
            "gemini": {
                "provider": "gemini",
                "base_url": address,
                "credentials": {"api_key": {"value": "AIza-bench"}},
            },
            "bedrock": {
                "provider": "bedrock",
                "base_url": address,
                "options": {"region": "us-east-1"},
                "credentials": {
                    "aws": {"access_key_id": {"value": "AKIABENCH"}, "secret_access_key": {"value": "bench"}},
                },
            },
        },
        "models": [{"name": model, "upstreams": [upstream]} for model, upstream in {**MODELS, LISTENER: "openai"}.items()],
    }
    if role == "gateway":
        config["keys"] = [
            {
                "id": "bench",
                "hash": "sha256:" + hashlib.sha256(KEY.encode()).hexdigest(),
            }
        ]
    if role == "gateway" and setup == "limits":
        budget = {"usd": 10**9, "per": "month"}
        config["keys"][0] |= {"team": "bench", "limits": LIMITS, "budget": budget}
        config["teams"] = [{"id": "bench", "limits": LIMITS, "budget": budget}]
        config["models"] = [model | {"limits": LIMITS} for model in config["models"]]
    return config


def wasm(name: str, path: str, config: dict | None) -> dict:
    """A wasm HTTP filter."""
    plugin = {
        "name": name,
        "allow_on_headers_stop_iteration": True,
        "failure_policy": "FAIL_RELOAD",
        "vm_config": {
            "vm_id": "dragoman",
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": path}},
        },
    }
    if config is not None:
        plugin["configuration"] = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": json.dumps(config)}
    return {"name": name, "typed_config": {"@type": f"{ANY_TYPE}.filters.http.wasm.v3.Wasm", "config": plugin}}


def filters(arm: str, rig: int, paths: dict[str, str]) -> tuple[list, list]:
    """The filters of the listener and those of the clusters. Arms: plain, noop and dragoman, the latter with `-SETUP` where
    both places have one."""
    name, _, setup = arm.partition("-")
    if name == "plain":
        return [], []
    if name == "noop":
        return [wasm("noop", paths["noop"], None)], [wasm("noop-upstream", paths["noop"], None)] if setup else []
    if not setup:
        return [wasm("standalone", paths["dragoman"], dragoman("standalone", rig))], []
    gateway, upstream = (wasm(role, paths["dragoman"], dragoman(role, rig, setup)) for role in ("gateway", "upstream"))
    return [gateway], [upstream]


def cluster(name: str, rig: int, upstream_filters: list) -> dict:
    options = {
        "@type": f"{ANY_TYPE}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http_protocol_options": {}},
    }
    if upstream_filters:
        codec = {
            "name": "codec",
            "typed_config": {"@type": f"{ANY_TYPE}.filters.http.upstream_codec.v3.UpstreamCodec"},
        }
        options["http_filters"] = [*upstream_filters, codec]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": rig}}
    return {
        "name": name,
        "type": "STATIC",
        "per_connection_buffer_limit_bytes": BUFFER,
        "metadata": {"filter_metadata": {"dragoman": {"upstream": name}}},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }


def bootstrap(arm: str, listener: int, admin: int, rig: int, paths: dict[str, str]) -> dict:
    listener_filters, upstream_filters = filters(arm, rig, paths)
    router = {"name": "router", "typed_config": {"@type": f"{ANY_TYPE}.filters.http.router.v3.Router"}}
    names = list(MODELS.values())
    routes = [
        {
            "match": {
                "prefix": "/",
                "headers": [{"name": "x-dragoman-upstream", "string_match": {"exact": name}}],
            },
            "route": {"cluster": name, "timeout": "0s"},
        }
        for name in names
    ]
    # Where no filter chooses.
    routes.append({"match": {"prefix": "/"}, "route": {"cluster": names[0], "timeout": "0s"}})
    manager = {
        "@type": f"{ANY_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "http_filters": [*listener_filters, router],
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "request_body_buffer_limit": BUFFER, "routes": routes}
            ]
        },
    }
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
        "static_resources": {
            "listeners": [
                {
                    "address": {"socket_address": {"address": "127.0.0.1", "port_value": listener}},
                    "per_connection_buffer_limit_bytes": BUFFER,
                    "filter_chains": [
                        {"filters": [{"name": "http_connection_manager", "typed_config": manager}]}
                    ],
                }
            ],
            "clusters": [cluster(name, rig, upstream_filters) for name in names],
        },
    }
