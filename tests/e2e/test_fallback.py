"""Fallback: when an upstream fails, the host's retry is translated for the next, and leaves no trace of the first."""

import json
from collections.abc import Iterator

import httpx
import pytest
from calls import HEADERS, KEY, call, content, counted, error, identified, logged
from conftest import HTTP, Envoy, Providers, Starter, free_port
from documents import CREDENTIALS, KEYS, MOCKS, OPENAI, gateway_role, render, with_logs

NAMES = {"openai": "gpt-4.1", "claude": "claude-sonnet-4-5", "refused": "gpt-4.1"}
PROVIDER = {"openai": "openai", "claude": "anthropic", "refused": "openai"}
OTHER = {"openai": "claude", "claude": "openai"}

# An answer that fails, and the attempt's result in metrics.
FAILURES = {
    "500": ("status=500", "5xx"),
    "503": ("status=503", "5xx"),
    "529": ("status=529", "5xx"),
    "429": ("status=429", "4xx"),
    "408": ("status=408", "4xx"),
    "our key is refused": ("status=401", "4xx"),
    "a page": ("status=502 html", "5xx"),
    "a redirect": ("redirect", "3xx"),
    "nothing": ("empty", "stream_error"),
    "reset": ("drop", "reset"),
}
# Of a stream the client has had something by then.
WHOLE_FAILURES = {"half of it": ("cut-after=1", "reset"), "broken": ("malformed", "stream_error")}
# Of a stream that has begun with 200 the client has had nothing before its first word.
STREAM_FAILURES = {
    "an error first": ("error-after=0", "stream_error"),
    "an error second": ("error-after=1", "stream_error"),
    "the end first": ("end-after=0", "stream_error"),
    "the end second": ("end-after=1", "stream_error"),
    "a break": ("cut-after=0", "reset"),
}


def model(name: str, upstreams: list[str], **more) -> dict:
    names = {upstream: NAMES[upstream] for upstream in upstreams}
    return {"name": name, "upstreams": upstreams, "upstream_models": names} | more


def document() -> dict:
    refused = OPENAI | {"base_url": f"http://127.0.0.1:{free_port()}/v1"}
    models = [
        # Each is tried first once, and is a model of its own.
        model("openai-first", ["openai", "claude"]),
        model("claude-first", ["claude", "openai"]),
        model("refused-first", ["refused", "claude"]),
        model("openai-soon", ["openai", "claude"], timeouts={"first_token": "200ms"}),
        model("claude-soon", ["claude", "openai"], timeouts={"first_token": "200ms"}),
        model("openai-only", ["openai"], retries=0),
        model("claude-only", ["claude"], retries=0),
        model("refused-only", ["refused"], retries=0),
    ]
    return gateway_role(MOCKS | {"refused": refused}, models)


@pytest.fixture(scope="module")
def envoy(shared_gateway: Starter) -> Envoy:
    return shared_gateway(with_logs(render(document())), env=KEYS)


def unrested(envoy: Envoy, gateway: Starter, directive: str) -> Envoy:
    """An Envoy of its own for a key that will rest: others would be asked first by all calls that follow."""
    rests = directive in ("status=401", "status=429")
    return gateway(with_logs(render(document())), env=KEYS) if rests else envoy


@pytest.fixture(scope="module")
def strict(shared_gateway: Starter) -> Envoy:
    """Refuses parameters that it cannot translate."""
    return shared_gateway(render(document() | {"unsupported_params": "reject"}), env=KEYS)


@pytest.fixture(autouse=True)
def secrets_stay_secret(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    for name in {"envoy", "strict"} & set(request.fixturenames):
        envoy = request.getfixturevalue(name)
        told = envoy.output() + HTTP.get(f"{envoy.admin}/stats").text
        for secret in [KEY, *KEYS.values()]:
            assert secret not in told
        assert "wasm_fail" not in told and "Function: " not in told


def sent(providers: Providers) -> list[dict]:
    """What the providers received, without what differs from call to call."""
    found = providers.received()
    for request in found:
        request["headers"].pop("x-request-id")
        for name in ["number", "status", "outcome"]:
            request.pop(name)
    return found


CASES = [
    (first, client, stream, failure)
    for first in OTHER
    for client in HEADERS
    for stream in [False, True]
    for failure in FAILURES | (STREAM_FAILURES if stream else WHOLE_FAILURES)
]


@pytest.mark.parametrize(("first", "client", "stream", "failure"), CASES)
def test_the_next_upstream_answers(
    first: str, client: str, stream: bool, failure: str, envoy: Envoy, providers: Providers, gateway: Starter
):
    directive, result = (FAILURES | WHOLE_FAILURES | STREAM_FAILURES)[failure]
    envoy = unrested(envoy, gateway, directive)
    second = OTHER[first]
    text = f"Hi [mock {directive} upstream={PROVIDER[first]}]"
    before, headers = envoy.samples("dragoman_"), identified(client)
    providers.forget()
    answer = call(envoy, client, f"{first}-first", text, headers=headers, stream=stream)
    fallback = sent(providers)
    line, *attempts = logged(envoy, headers, attempts=2)
    after = envoy.samples("dragoman_")

    assert answer.status_code == 200, answer.text
    assert content(answer, client) == "You said: Hi"
    assert answer.headers["x-dragoman-upstream"] == second
    assert answer.headers["x-dragoman-attempts"] == "2"
    # Both went out, each as if it had gone out alone.
    alone = []
    for upstream in [first, second]:
        providers.forget()
        only = call_that_may_break(envoy, client, f"{upstream}-only", text, stream)
        assert upstream == first or content(only, client) == "You said: Hi"
        alone += sent(providers)
    assert fallback == alone
    assert counted(before, after, "dragoman_attempts_total") == {
        (PROVIDER[first], result, first): 1,
        (PROVIDER[second], "ok", second): 1,
    }
    assert counted(before, after, "dragoman_aborted_total") == {}
    requests = counted(before, after, "dragoman_requests_total")
    assert requests == {("demo", f"{first}-first", client, PROVIDER[second], "200", second): 1}
    assert (line["attempts"], line["upstream"], line["error"]) == (2, second, None)
    for log in [line, *attempts]:
        assert [log[f"sent {name}"] for name in CREDENTIALS] == [None, None]


def call_that_may_break(envoy: Envoy, client: str, name: str, text: str, stream: bool) -> httpx.Response | None:
    try:
        return call(envoy, client, name, text, stream=stream)
    except httpx.RemoteProtocolError:
        return None


@pytest.mark.parametrize("client", HEADERS)
def test_an_upstream_that_is_not_there_is_passed_over(client: str, envoy: Envoy, providers: Providers):
    before, headers = envoy.samples("dragoman_"), identified(client)
    providers.forget()
    answer = call(envoy, client, "refused-first", headers=headers)
    assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "claude"), answer.text
    fallback = sent(providers)
    providers.forget()
    call(envoy, client, "claude-only")
    assert fallback == sent(providers)
    for log in logged(envoy, headers, attempts=1):
        assert [log[f"sent {name}"] for name in CREDENTIALS] == [None, None]
    attempts = counted(before, envoy.samples("dragoman_"), "dragoman_attempts_total")
    assert attempts["openai", "reset", "refused"] == 1


@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize("first", OTHER)
@pytest.mark.parametrize("directive", ["slow-start=1500", "stall-after=0", "stall-after=1"])
def test_a_first_token_that_does_not_come_is_not_waited_for(
    directive: str, first: str, client: str, envoy: Envoy, providers: Providers
):
    headers = identified(client)
    providers.forget()
    text = f"Hi [mock {directive} upstream={PROVIDER[first]}]"
    answer = call(envoy, client, f"{first}-soon", text, headers=headers, stream=True)
    assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, OTHER[first]), answer.text
    assert content(answer, client) == "You said: Hi"
    _, fallback = sent(providers)
    providers.forget()
    call(envoy, client, f"{OTHER[first]}-only", text, stream=True)
    assert [fallback] == sent(providers)
    line, *attempts = logged(envoy, headers, attempts=2)
    assert 180 < line["duration_ms"] < 1500
    for log in [line, *attempts]:
        assert [log[f"sent {name}"] for name in CREDENTIALS] == [None, None]


# What is left when all have failed


OPENAI_BUSY = "Rate limit reached for requests. Please try again in 1s."
CLAUDE_BUSY = "This request would exceed your organization's rate limit"
LAST_WORDS = {
    # The third attempt goes to the first upstream again.
    ("429", "openai"): ("status=429", 429, OPENAI_BUSY, {"rate_limit_error", "requests"}),
    ("429", "claude"): ("status=429", 429, CLAUDE_BUSY, {"rate_limit_error"}),
    ("529", "openai"): ("status=529", 529, "The server had an error", {"server_error", "overloaded_error"}),
    ("529", "claude"): ("status=529", 529, "Overloaded", {"server_error", "overloaded_error"}),
    ("key", "openai"): ("status=401", 502, "the provider refused the gateway's credentials (401)", {"upstream_error", "api_error"}),
    ("html", "openai"): ("status=502 html", 502, "the upstream answered 502 with a page of HTML", {"upstream_error", "api_error"}),
    ("redirect", "openai"): ("redirect", 502, "the upstream answered with a redirect (307)", {"upstream_error", "api_error"}),
    ("empty", "claude"): ("empty", 502, "the upstream answered 200 with an empty body where JSON was expected", {"upstream_error", "api_error"}),
    ("reset", "openai"): ("drop", 503, "no upstream could be reached", {"server_error", "api_error"}),
}  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize("last", LAST_WORDS, ids="-".join)
def test_the_last_word_is_the_providers_in_the_clients_format(
    last: tuple, client: str, stream: bool, envoy: Envoy, gateway: Starter
):
    directive, status, message, kinds = LAST_WORDS[last]
    envoy = unrested(envoy, gateway, directive)
    first = last[1]
    before, headers = envoy.samples("dragoman_"), identified(client)
    answer = call(envoy, client, f"{first}-first", f"Hi [mock {directive}]", headers=headers, stream=stream)
    assert answer.status_code == status, answer.text
    told = error(answer, client)
    assert told["message"].startswith(message) and told["type"] in kinds
    if directive != "drop":
        assert answer.headers["x-dragoman-upstream"] == first
        assert answer.headers["x-dragoman-attempts"] == "3"
    if status == 429:
        assert answer.headers["retry-after"] == "1"
    after = envoy.samples("dragoman_")
    attempts = counted(before, after, "dragoman_attempts_total")
    assert {upstream: count for (_, _, upstream), count in attempts.items()} == {first: 2, OTHER[first]: 1}
    requests = counted(before, after, "dragoman_requests_total")
    assert requests == {("demo", f"{first}-first", client, PROVIDER[first], str(status), first): 1}
    # The client has its answer: neither end broke off.
    assert counted(before, after, "dragoman_aborted_total") == {}
    line = logged(envoy, headers)[0]
    assert (line["status"], line["attempts"]) == (status, 3)
    assert line["error"]


# What is not tried again


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize("first", OTHER)
@pytest.mark.parametrize("status", [400, 404, 413])
def test_what_the_client_did_wrong_is_not_tried_again(
    status: int, first: str, client: str, stream: bool, envoy: Envoy, providers: Providers
):
    providers.forget()
    text = f"Hi [mock status={status}]"
    answer = call(envoy, client, f"{first}-first", text, stream=stream)
    assert (answer.status_code, answer.headers["x-dragoman-attempts"]) == (status, "1")
    assert error(answer, client)["message"]
    assert len(providers.received()) == 1


BAD_ROLE = [{"role": "robot", "content": "Hi"}]


@pytest.mark.parametrize("stream", [False, True])
def test_a_refused_parameter_is_told_as_such(stream: bool, strict: Envoy, providers: Providers):
    before, seen = strict.samples("dragoman_"), len(strict.access_log(0))
    providers.forget()
    answer = call(strict, "chat", "claude-first", stream=stream, logit_bias={"1": 1})
    assert answer.status_code == 400, answer.text
    told = error(answer, "chat")
    assert told == {
        "message": "`logit_bias`: the upstream does not support this parameter",
        "type": "invalid_request_error",
        "param": "logit_bias",
        "code": "unsupported_parameter",
    }
    assert providers.received() == []
    after = strict.samples("dragoman_")
    assert counted(before, after, "dragoman_attempts_total") == {}
    assert counted(before, after, "dragoman_rejected_total") == {("demo", "invalid"): 1}
    line = json.loads(strict.access_log(seen + 1)[seen])
    assert (line["status"], line["details"], line["error"]) == (400, "dragoman", "invalid_request")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", HEADERS)
def test_a_role_that_the_wire_refuses_is_told_as_such(client: str, stream: bool, envoy: Envoy, providers: Providers):
    other = {"chat": "claude-first", "messages": "openai-first"}
    providers.forget()
    answer = call(envoy, client, other[client], stream=stream, messages=BAD_ROLE)
    assert answer.status_code == 400, answer.text
    told = error(answer, client)
    assert told["type"] == "invalid_request_error"
    assert "robot" in told["message"] and "messages[0].role" in told["message"]
    assert providers.received() == []


def test_a_refusal_after_a_failure_is_told_as_such(strict: Envoy, providers: Providers):
    providers.forget()
    text = "Hi [mock drop upstream=openai]"
    answer = call(strict, "chat", "openai-first", text, logit_bias={"1": 1})
    assert answer.status_code == 400, answer.text
    assert error(answer, "chat")["param"] == "logit_bias"
    assert len(providers.received()) == 1
