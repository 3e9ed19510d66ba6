"""Configurations to start from, and `dragoman envoy`, which makes Envoy's of them."""

import os
import subprocess
from pathlib import Path

import yaml
from conftest import COMMAND, PROVIDERS

# The secret is `sk-demo`.
DEMO = [{"id": "demo", "hash": "sha256:f77894fdfa58e447c57e077eaa9708e8e009c84dc6aba2db80461275e9b85be7"}]

# Names of providers' keys, and keys that show where they turn up.
KEYS = {"OPENAI_API_KEY": "sk-openai", "ANTHROPIC_API_KEY": "sk-ant"}

# Headers in which keys travel to providers.
CREDENTIALS = ["authorization", "x-api-key"]

OPENAI = {"provider": "openai", "credentials": {"api_key": {"env": "OPENAI_API_KEY"}}}
CLAUDE = {"provider": "anthropic", "credentials": {"api_key": {"env": "ANTHROPIC_API_KEY"}}}
MOCK_OPENAI = OPENAI | {"base_url": f"http://127.0.0.1:{PROVIDERS}/v1"}
MOCK_CLAUDE = CLAUDE | {"base_url": f"http://127.0.0.1:{PROVIDERS}"}
MOCKS = {"openai": MOCK_OPENAI, "claude": MOCK_CLAUDE}


def standalone(upstreams: dict, models: list | None = None, **more) -> dict:
    return {"client_auth": "keys", "upstreams": upstreams, "models": models or [], "keys": DEMO} | more


def gateway_role(upstreams: dict, models: list | None = None, **more) -> dict:
    return {"role": "gateway"} | standalone(upstreams, models, **more)


def render(document: dict, *arguments: str | Path, env: dict[str, str] = KEYS) -> str:
    """What `dragoman envoy` writes for a document."""
    command = [COMMAND, "envoy", "-", *arguments]
    done = subprocess.run(
        command, input=yaml.safe_dump(document), env=os.environ | env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def patient(config: str) -> dict:
    """Has no upstream left alone for failing so often as tests make it do."""
    rendered = yaml.safe_load(config)
    for cluster in rendered["static_resources"]["clusters"]:
        cluster.pop("outlier_detection", None)
    return rendered


def with_logs(config: str, attempts: bool = True) -> dict:
    """Has the access log name the call, and print what carries credentials; a log of each attempt as well."""
    rendered = patient(config)
    manager = rendered["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    log = manager["access_log"][0]
    shown = {f"sent {name}": f"%REQ({name})%" for name in CREDENTIALS} | {"id": "%REQ(x-request-id)%"}
    log["typed_config"]["log_format"]["json_format"] |= shown
    if attempts:
        attempt = {"json_format": {"upstream log": "%UPSTREAM_HOST%", **shown}}
        upstream_log = {"name": log["name"], "typed_config": log["typed_config"] | {"log_format": attempt}}
        manager["http_filters"][-1]["typed_config"]["upstream_log"] = [upstream_log]
    return rendered
