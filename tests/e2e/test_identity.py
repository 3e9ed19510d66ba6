"""Callers whom Envoy knows: by tokens, by its own API keys. The shipped files, and the limits of those callers."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from calls import PATHS, body, error
from conftest import HTTP, Envoy, Starter
from documents import KEYS

SECRET = b"demo-secret-of-thirty-two-bytes!"
BUDGET = {"usd": 10, "per": "day"}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(secret: bytes = SECRET, **claims) -> str:
    claims = {"iss": "https://login.example.com", "aud": "llm", "sub": "ann", "exp": int(time.time()) + 60} | claims
    head = f"{encoded(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{head}.{encoded(hmac.digest(secret, head.encode(), hashlib.sha256))}"


def sent(client: str, key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if client == "chat" else {"x-api-key": key, "anthropic-version": "2023-06-01"}


def ask(envoy: Envoy, client: str, headers: dict[str, str]):
    return HTTP.post(envoy.url + PATHS[client], json=body(client, "gpt-4.1"), headers=headers)


@pytest.fixture(scope="module", params=["jwt", "api-keys"])
def known(request: pytest.FixtureRequest, shared_gateway: Starter) -> tuple[Envoy, str, str]:
    """An Envoy, a caller whom it knows, and the key that the caller sends."""
    envoy = shared_gateway(f"envoy/{request.param}.yaml", env=KEYS)
    return envoy, *(("ann", token()) if request.param == "jwt" else ("demo", "demo-secret"))


@pytest.mark.parametrize("client", PATHS)
def test_a_caller_has_limits_and_a_budget(known: tuple[Envoy, str, str], client: str):
    envoy, caller, key = known
    good = ask(envoy, client, sent(client, key))
    assert good.status_code == 200, good.text
    assert good.headers["x-ratelimit-limit-requests"] == "100"
    told = HTTP.get(f"{envoy.url}/v1/key", headers=sent(client, key)).json()
    assert told["id"] == caller and told["limits"]["rpm"]["remaining"] < 100 and told["budget"]["usd"] == BUDGET["usd"]
    assert envoy.stat("dragoman_requests_total", key=caller, status="200") >= 1


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("wrong", ["sk-other", token(b"another secret"), token(exp=1), token(iss="https://evil.example"), token(aud="other")])
def test_nobody_else_is_let_in(known: tuple[Envoy, str, str], client: str, wrong: str):
    envoy, caller, _ = known
    for headers in [sent(client, wrong), sent(client, wrong) | {"x-caller": caller}, {"x-caller": caller}]:
        refused = ask(envoy, client, headers)
        assert refused.status_code in (401, 403), refused.text
        assert wrong not in refused.text


@pytest.mark.parametrize("client", PATHS)
def test_a_caller_without_a_key_is_unknown(shared_gateway: Starter, client: str):
    envoy = shared_gateway("envoy/jwt.yaml", env=KEYS)
    refused = ask(envoy, client, sent(client, token(sub="bob")))
    assert (refused.status_code, error(refused, client)["message"]) == (401, "unknown caller")
