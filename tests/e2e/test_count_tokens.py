"""`messages/count_tokens`: counted by the provider where it can, elsewhere estimated and marked so."""

import httpx
import pytest
from calls import HEADERS, call, error
from conftest import HTTP, Envoy, Providers, Starter
from documents import KEYS, MOCKS, gateway_role, render, standalone

PATH = "/v1/messages/count_tokens"
TEXT = "How many tokens does this sentence have, and who is it that counts them?"

MODELS = [
    {"name": "open", "upstreams": ["openai"], "upstream_models": {"openai": "gpt-4.1"}, "retries": 0},
    {"name": "claude", "upstreams": ["claude"], "upstream_models": {"claude": "claude-sonnet-4-5"}, "retries": 0},
]


@pytest.fixture(scope="module", params=[standalone, gateway_role])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter) -> Envoy:
    return shared_gateway(render(request.param(MOCKS, MODELS)), env=KEYS)


def count(envoy: Envoy, model: str, text: str = TEXT, headers: dict | None = None) -> httpx.Response:
    # Counts come without a limit on output.
    asked = {"model": model, "messages": [{"role": "user", "content": text}]}
    return HTTP.post(envoy.url + PATH, json=asked, headers=headers or HEADERS["messages"])


def test_the_provider_counts(envoy: Envoy, providers: Providers):
    providers.forget()
    answer = count(envoy, "claude")
    assert answer.status_code == 200, answer.text
    (received,) = providers.received()
    assert (received["path"], received["body"]["model"]) == (PATH, "claude-sonnet-4-5")
    assert received["headers"]["x-api-key"] == KEYS["ANTHROPIC_API_KEY"]
    assert answer.json() == {"input_tokens": call(envoy, "messages", "claude", TEXT).json()["usage"]["input_tokens"]}
    assert answer.headers["x-dragoman-upstream"] == "claude"
    assert "x-dragoman-estimated" not in answer.headers


def test_elsewhere_it_is_estimated(envoy: Envoy, providers: Providers):
    providers.forget()
    answer = count(envoy, "open")
    assert (answer.status_code, answer.headers["x-dragoman-estimated"]) == (200, "true")
    assert answer.json().keys() == {"input_tokens"}
    # In OpenAI's `o200k_base` it has 16, and a message has some more.
    assert 16 <= answer.json()["input_tokens"] <= 24
    assert count(envoy, "open", TEXT * 10).json()["input_tokens"] > 140
    assert providers.received() == []
    assert "x-dragoman-upstream" not in answer.headers


def test_a_provider_that_fails_is_told(envoy: Envoy):
    answer = count(envoy, "claude", f"{TEXT} [mock status=529]")
    assert (answer.status_code, error(answer, "messages")) == (529, {"type": "overloaded_error", "message": "Overloaded"})


@pytest.mark.parametrize("model", ["open", "claude"])
def test_who_may_not_ask_may_not_count(model: str, envoy: Envoy):
    answer = count(envoy, model, headers=HEADERS["messages"] | {"x-api-key": "sk-wrong"})
    assert (answer.status_code, error(answer, "messages")["type"]) == (401, "authentication_error")
    answer = count(envoy, "nobody")
    assert (answer.status_code, error(answer, "messages")["type"]) == (404, "not_found_error")


def test_counts_have_an_operation_of_their_own(envoy: Envoy):
    def counted(model: str) -> float:
        return envoy.stat("dragoman_requests_total", operation="count_tokens", model=model, status="200")

    for model in ["open", "claude"]:
        before = counted(model)
        assert count(envoy, model).status_code == 200
        assert counted(model) == before + 1
    assert not envoy.stat("dragoman_tokens_total", model="open")
