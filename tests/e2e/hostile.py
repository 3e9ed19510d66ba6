"""What the tests of hostile clients and upstreams share: a configuration, and what must hold after each."""

import hashlib
from collections.abc import Callable

from calls import KEY, call, content
from conftest import HTTP, Envoy
from documents import KEYS, MOCKS

# No test says or asks for anything without this word, and no log may hold it.
PROMPT = "quicksilver"
# What the mock answers begins with this.
ANSWER = "You said"


def hashed(secret: str) -> str:
    return f"sha256:{hashlib.sha256(secret.encode()).hexdigest()}"


def keys(*more: dict) -> list[dict]:
    """Keys of which each has its id behind `sk-` as its secret."""
    return [{"hash": hashed(f"sk-{key['id']}"), **key} for key in [{"id": "demo"}, *more]]


MODELS = [
    {"name": "open", "upstreams": ["openai"], "upstream_models": {"openai": "gpt-4.1"}, "retries": 0},
    {"name": "claude", "upstreams": ["claude"], "upstream_models": {"claude": "claude-sonnet-4-5"}, "retries": 0},
]


def document(kind: Callable[..., dict], upstreams: dict | None = None, models: list | None = None, **more) -> dict:
    """A configuration of a role, with an upstream of each format and a model at each."""
    return kind(MOCKS | (upstreams or {}), MODELS + (models or []), **more)


def check_unharmed(envoy: Envoy) -> None:
    """A good call is answered, nothing is left in flight, and the log holds no trap and no secret."""
    for model in ["open", "claude"]:
        answer = call(envoy, "chat", model, PROMPT)
        assert (answer.status_code, content(answer, "chat")) == (200, f"{ANSWER}: {PROMPT}"), answer.text
    told = envoy.output()
    for trap in ["wasm_fail_stream", "Function: ", "panic", "refused to"]:
        assert trap not in told, told[told.index(trap) - 200 :][:1000]
    for secret in [PROMPT, ANSWER, KEY, *KEYS.values()]:
        assert secret not in told, told[told.index(secret) - 200 :][:1000]
    stats = HTTP.get(f"{envoy.admin}/stats").text
    for secret in [PROMPT, KEY, *KEYS.values()]:
        assert secret not in stats
