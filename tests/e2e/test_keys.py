"""Upstreams with several keys: they take turns, and one that is refused rests for all workers."""

import json
import time

import httpx
import pytest
from calls import HEADERS, PATHS, body, call, error
from conftest import Envoy, Providers, Starter
from documents import CLAUDE, KEYS, MOCKS, gateway_role, render, standalone
from scripted import Scripted, answer

NAMES = ["GOOD_A", "GOOD_B", "BAD"]
ENV = KEYS | {"GOOD_A": "sk-good-a", "GOOD_B": "sk-good-b", "BAD": "bad-key"}


def upstream(providers: Providers, *names: str) -> dict:
    keys = [{"env": name} for name in names]
    return {"provider": "openai", "base_url": f"{providers.url}/v1", "credentials": {"api_key": keys}}


def model(name: str, *upstreams: str, **more) -> dict:
    names = {upstream: "claude-haiku-4-5" if upstream == "claude" else "gpt-4.1" for upstream in upstreams}
    return {"name": name, "upstreams": list(upstreams), "upstream_models": names} | more


def start(gateway: Starter, document: dict, workers: int = 1) -> Envoy:
    return gateway(render(document, env=ENV), env=ENV, workers=workers)


def used(providers: Providers, text: str = "") -> list[str]:
    """The keys of the calls that say this, oldest first."""
    sent = [request for request in providers.received() if text in str(request.get("body"))]
    return [request["headers"]["authorization"].removeprefix("Bearer ") for request in sent]


@pytest.fixture(autouse=True)
def forgotten(providers: Providers) -> None:
    providers.forget()


@pytest.mark.parametrize("kind", [standalone, gateway_role])
def test_keys_take_turns(gateway: Starter, providers: Providers, kind):
    envoy = start(gateway, kind({"u": upstream(providers, "GOOD_A", "GOOD_B")}, [model("m", "u")]))
    for _ in range(6):
        assert call(envoy, "chat", "m").status_code == 200
    keys = used(providers)
    assert keys.count("sk-good-a") == keys.count("sk-good-b") == 3


@pytest.mark.parametrize("client", PATHS)
def test_a_refused_key_is_not_used_again(gateway: Starter, providers: Providers, client):
    envoy = start(gateway, gateway_role({"u": upstream(providers, *NAMES)}, [model("m", "u")]))
    for _ in range(12):
        # The same call goes on with another key.
        assert call(envoy, client, "m").status_code == 200
    assert used(providers).count("bad-key") == 1
    log = envoy.output()
    assert "upstreams.u.credentials.api_key[2] rests for 300000 ms: the answer was 401" in log
    assert not [key for key in ENV.values() if key in log]


def test_a_rest_is_known_to_all_workers(gateway: Starter, providers: Providers):
    document = gateway_role({"u": upstream(providers, "BAD", "GOOD_A")}, [model("m", "u")])
    envoy = start(gateway, document, workers=2)
    for _ in range(40):
        # Over a connection of its own, which either worker may take.
        answer = httpx.post(envoy.url + PATHS["chat"], json=body("chat", "m"), headers=HEADERS["chat"])
        assert answer.status_code == 200, answer.text
    assert used(providers).count("bad-key") == 1


def test_a_limited_key_rests_as_long_as_the_provider_says(gateway: Starter, providers: Providers):
    document = gateway_role(
        {"u": upstream(providers, "GOOD_A", "GOOD_B")}, [model("m", "u"), model("other", "u", upstream_models={"u": "o3"})]
    )
    envoy = start(gateway, document)
    began = time.monotonic()
    assert call(envoy, "chat", "m", "limited [mock status=429 retry-after=3 times=1]").status_code == 200
    limited, other = used(providers, "limited")
    assert limited != other
    for _ in range(4):
        assert call(envoy, "chat", "m", "meanwhile").status_code == 200
        assert call(envoy, "chat", "other", "elsewhere").status_code == 200
    assert time.monotonic() - began < 3, "too slow to tell"
    assert set(used(providers, "meanwhile")) == {other}
    assert limited in used(providers, "elsewhere"), "a limit is a model's"
    time.sleep(began + 3.1 - time.monotonic())
    for _ in range(2):
        assert call(envoy, "chat", "m", "afterwards").status_code == 200
    assert set(used(providers, "afterwards")) == {limited, other}


def test_when_all_rest_the_provider_is_asked_all_the_same(gateway: Starter, providers: Providers):
    document = gateway_role({"u": upstream(providers, "GOOD_A", "GOOD_B")}, [model("m", "u", retries=0)])
    envoy = start(gateway, document)
    for seconds in [9, 5]:
        answer = call(envoy, "chat", "m", f"[mock status=429 retry-after={seconds}]")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, str(seconds))
        assert error(answer, "chat")["code"] == "rate_limit_exceeded"
    sooner = used(providers)[-1]
    for _ in range(3):
        assert call(envoy, "chat", "m", "all rest").status_code == 200
    assert set(used(providers, "all rest")) == {sooner}


def test_calls_start_where_a_key_does_not_rest(gateway: Starter, providers: Providers):
    claude = CLAUDE | {"base_url": providers.url}
    document = standalone({"u": upstream(providers, "GOOD_A"), "claude": claude}, [model("m", "u", "claude")])
    envoy = start(gateway, document)
    assert call(envoy, "chat", "m").headers["x-dragoman-upstream"] == "u"
    assert call(envoy, "chat", "m", "[mock status=429 retry-after=2]").status_code == 429
    assert call(envoy, "chat", "m").headers["x-dragoman-upstream"] == "claude"
    time.sleep(2.1)
    assert call(envoy, "chat", "m").headers["x-dragoman-upstream"] == "u"
    # What the call itself is about is no reason to turn others away.
    assert call(envoy, "chat", "m", "[mock flagged]").status_code == 400
    assert call(envoy, "chat", "m").headers["x-dragoman-upstream"] == "u"
    assert call(envoy, "chat", "m", "[mock status=403]").status_code == 502
    assert call(envoy, "chat", "m").headers["x-dragoman-upstream"] == "claude"


@pytest.mark.parametrize("status", ["402 Payment Required", "403 Forbidden", "429 Too Many Requests"])
def test_an_upstream_without_keys_rests_itself(status: str, gateway: Starter, providers: Providers):
    refusal = json.dumps({"error": {"message": "Not now.", "type": "error", "code": None}}).encode()
    scripted = Scripted({"gpt-4.1": [answer(status, {"content-type": "application/json", "retry-after": "60"}, refusal)]})
    try:
        own = {"provider": "openai_compatible", "base_url": f"http://127.0.0.1:{scripted.port}/v1", "credentials": "none"}
        models = [{"name": "gpt-4.1", "upstreams": ["own", "openai"]}]
        envoy = gateway(render(gateway_role(MOCKS | {"own": own}, models)), env=KEYS)
        call(envoy, "chat", "gpt-4.1")
        for _ in range(3):
            headers = call(envoy, "chat", "gpt-4.1").headers
            assert (headers["x-dragoman-upstream"], headers["x-dragoman-attempts"]) == ("openai", "1")
        assert "upstreams.own rests for" in envoy.output()
    finally:
        scripted.stop()
