"""Every pair of a client's and an upstream's format, streamed and not, in every way to run the filter.

The mock providers answer the same request with the same bytes. So what a client must get follows from what the provider
says when it is asked directly for what it was sent.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import httpx
import pytest
from calls import HEADERS, KEY, PATHS, body, events
from conftest import HTTP, Envoy, Providers, Starter
from documents import KEYS, MOCKS, gateway_role, render

# Split wherever it falls: in an event, in a character, in an escape.
TEXT = "Grüße an alle 👋 [mock split=7]"
SAID = "You said: Grüße an alle 👋"

MODELS = {"openai": "gpt-4.1", "claude": "claude-sonnet-5-5"}
PROVIDER = {"openai": "openai", "claude": "anthropic"}
FORMAT = {"openai": "chat", "claude": "messages"}
# Each upstream has its own model: so each is reached at once.
APART = [{"name": model, "upstreams": [upstream]} for upstream, model in MODELS.items()]

# What a client sends and no provider may see: of ours, of Envoy's, of its own.
PRIVATE = {
    "accept-encoding": "gzip, br",
    "cookie": "session=client-secret",
    "forwarded": "for=203.0.113.9",
    "openai-organization": "org-client",
    "origin": "https://client.example",
    "proxy-authorization": "Basic Y2xpZW50OnNlY3JldA==",
    "referer": "https://client.example/secret",
    "x-dragoman-endpoint": "spoofed",
    "x-dragoman-model": "spoofed",
    "x-envoy-attempt-count": "9",
    "x-envoy-expected-rq-timeout-ms": "1",
    "x-forwarded-for": "10.0.0.1",
    "x-internal": "client-secret",
}
# What providers see of any client, and of one that speaks their format.
PUBLIC = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "user-agent": "test/1"}
OWN = {"chat": {"openai-beta": "assistants=v2"}, "messages": {"anthropic-beta": "context-1m-2025-08-07"}}

# Headers of the mock's answers that pass, and others of any answer.
PASSES = {
    "openai": {"cf-ray": "9mock0000000000-FRA", "openai-processing-ms": "42", "openai-version": "2020-10-01"},
    "claude": {"cf-ray": "9mock0000000000-FRA"},
}


@dataclass(frozen=True)
class Case:
    way: str
    client: str
    upstream: str
    kind: str

    def __str__(self) -> str:
        return f"{self.way}-{self.client}-{self.upstream}-{self.kind}"

    @property
    def falls_back(self) -> bool:
        """Whether the upstream is reached only when another has failed."""
        return self.way == "gateway" and self.upstream == "claude"

    @property
    def streams(self) -> bool:
        return self.kind != "whole"

    @property
    def same(self) -> bool:
        """Whether client and upstream speak one format."""
        return self.client == FORMAT[self.upstream]

    @property
    def path(self) -> str:
        teams = {"openai": "/team-a", "claude": "/team-b"}
        return (teams[self.upstream] if self.way == "routes" else "") + PATHS[self.client]

    @property
    def model(self) -> str:
        return "smart" if self.way == "gateway" else MODELS[self.upstream]

    @property
    def body(self) -> dict:
        fails = " [mock status=529 upstream=openai]" if self.falls_back else ""
        more = {"stream": True} if self.streams else {}
        if self.kind == "usage":
            more["stream_options"] = {"include_usage": True}
        return body(self.client, self.model, TEXT + fails, **more)


KINDS = {"chat": ["whole", "stream", "usage"], "messages": ["whole", "stream"]}
CASES = [
    Case(way, client, upstream, kind)
    for way in ["standalone", "routes", "gateway", "rendered"]
    for client, kinds in KINDS.items()
    for upstream in MODELS
    for kind in kinds
]


@dataclass
class Exchange:
    """One call, from every side."""

    case: Case
    answer: httpx.Response
    # What the providers got, and what the last of them answers to that without a gateway.
    received: list[dict]
    native: httpx.Response
    log: dict
    counted: dict[tuple[str, frozenset], float]

    @property
    def sent(self) -> dict:
        return self.received[-1]


@pytest.fixture(scope="module")
def envoys(shared_gateway: Starter) -> dict[str, Envoy]:
    """An Envoy for each way: with the files as they are shipped, and with what `dragoman envoy` writes."""
    configs = {name: f"envoy/{name}.yaml" for name in ["standalone", "routes", "gateway"]}
    configs["rendered"] = render(gateway_role(MOCKS, APART))
    return {way: shared_gateway(config, env=KEYS) for way, config in configs.items()}


@pytest.fixture(scope="module", params=CASES, ids=str)
def exchange(request: pytest.FixtureRequest, envoys: dict[str, Envoy], providers: Providers) -> Exchange:
    case = request.param
    envoy = envoys[case.way]
    before, lines = envoy.samples("dragoman_"), len(envoy.access_log(0))
    providers.forget()
    headers = PRIVATE | PUBLIC | OWN[case.client] | HEADERS[case.client]
    # No client chooses its upstream, least of all one that is there.
    headers["x-dragoman-upstream"] = next(name for name in MODELS if name != case.upstream)
    answer = HTTP.post(envoy.url + case.path, json=case.body, headers=headers)
    assert answer.status_code == 200, answer.text
    received = providers.received()
    sent = received[-1]
    # The mock derives its ids from the body's bytes.
    raw = json.dumps(sent["body"], ensure_ascii=False, separators=(",", ":")).encode()
    assert len(raw) == sent["body_bytes"]
    native = HTTP.post(providers.url + sent["path"], content=raw, headers=sent["headers"])
    log = json.loads(envoy.access_log(lines + 1)[lines])
    after = envoy.samples("dragoman_")
    counted = {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}
    return Exchange(case, answer, received, native, log, counted)


# What the provider gets


def test_the_provider_gets_a_request_of_its_own_format(exchange: Exchange):
    case, sent = exchange.case, exchange.sent
    model = MODELS[case.upstream]
    expected = case.body | {"model": model}
    if case.upstream == "openai" and case.streams:
        # Usage is always asked for.
        expected["stream_options"] = {"include_usage": True}
    if not case.same and case.upstream == "openai":
        expected["max_completion_tokens"] = expected.pop("max_tokens")
    if not case.same and case.upstream == "claude":
        # Anthropic demands a limit: the most that the model can.
        expected["max_tokens"] = 128000
        expected.pop("stream_options", None)
    assert (sent["method"], sent["path"]) == ("POST", PATHS[FORMAT[case.upstream]])
    assert sent["body"] == expected
    assert len(exchange.received) == (2 if case.falls_back else 1)


def test_the_provider_gets_our_headers_and_none_that_are_private(exchange: Exchange, providers: Providers):
    case, headers = exchange.case, dict(exchange.sent["headers"])
    expected = PUBLIC | {
        "accept": "application/json, text/event-stream",
        "accept-encoding": "identity",
        "content-length": str(exchange.sent["body_bytes"]),
        "content-type": "application/json",
        "host": f"127.0.0.1:{providers.port}",
    }
    if case.upstream == "openai":
        expected["authorization"] = "Bearer sk-openai"
    else:
        expected |= {"x-api-key": "sk-ant", "anthropic-version": "2023-06-01"}
    if case.same:
        expected |= OWN[case.client]
    # Envoy's, so that logs can be joined.
    assert headers.pop("x-request-id")
    assert headers == expected


# What the client gets


def chat_usage(usage: dict) -> dict:
    """Anthropic's usage in OpenAI's words."""
    tokens = {"prompt_tokens": usage["input_tokens"], "completion_tokens": usage["output_tokens"]}
    cache = {"cached_tokens": 0, "cache_write_tokens": 0, "cache_creation_tokens": 0, "audio_tokens": 0}
    return tokens | {
        "total_tokens": usage["input_tokens"] + usage["output_tokens"],
        "prompt_tokens_details": cache,
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def messages_usage(usage: dict) -> dict:
    """OpenAI's usage in Anthropic's words."""
    cache = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    return {"input_tokens": usage["prompt_tokens"], **cache, "output_tokens": usage["completion_tokens"]}


CACHE_CREATION = {"cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}}


def in_chat(message: dict, model: str, created: int) -> dict:
    """Anthropic's answer in OpenAI's format."""
    text = {"role": "assistant", "content": SAID, "refusal": None}
    return {
        "id": f"chatcmpl-{message['id']}",
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [{"index": 0, "message": text, "logprobs": None, "finish_reason": "stop"}],
        "usage": chat_usage(message["usage"]),
        "service_tier": "default",
    }


def in_messages(completion: dict, model: str) -> dict:
    """OpenAI's answer in Anthropic's format."""
    return {
        "id": f"msg_{completion['id']}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": SAID}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": messages_usage(completion["usage"]) | CACHE_CREATION | {"service_tier": "standard"},
    }


def recent(created: int) -> int:
    assert 0 <= time.time() - created < 30
    return created


def check_whole(exchange: Exchange) -> None:
    case, answer, whole = exchange.case, exchange.answer.json(), exchange.native.json()
    if case.same:
        assert answer == whole | {"model": case.model}
    elif case.client == "chat":
        assert answer == in_chat(whole, case.model, recent(answer["created"]))
    else:
        assert answer == in_messages(whole, case.model)


def chunks(message: list[dict], case: Case, created: int) -> Iterator[dict]:
    """Anthropic's events as OpenAI's chunks."""
    start = message[0]["message"]
    head = {"id": f"chatcmpl-{start['id']}", "object": "chat.completion.chunk", "created": created, "model": case.model}
    tail = {"service_tier": "default"} | ({"usage": None} if case.kind == "usage" else {})

    def chunk(delta: dict, finish: str | None = None) -> dict:
        return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | tail

    yield chunk({"role": "assistant", "content": ""})
    for event in message:
        if event["type"] == "content_block_delta":
            yield chunk({"content": event["delta"]["text"]})
    yield chunk({}, "stop")
    if case.kind == "usage":
        yield head | {"choices": []} | tail | {"usage": chat_usage(message[-2]["usage"])}


def message_events(completion: list[dict], case: Case) -> Iterator[dict]:
    """OpenAI's chunks as Anthropic's events."""
    # OpenAI tells its usage at the end.
    nothing = {"prompt_tokens": 0, "completion_tokens": 0}
    message = in_messages({"id": completion[0]["id"], "usage": nothing}, case.model)
    del message["usage"]["service_tier"]
    yield {"type": "message_start", "message": message | {"content": [], "stop_reason": None}}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for chunk in completion:
        for choice in chunk["choices"]:
            if text := choice["delta"].get("content"):
                delta = {"type": "text_delta", "text": text}
                yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    stop = {"stop_reason": "end_turn", "stop_sequence": None, "stop_details": None}
    yield {"type": "message_delta", "delta": stop, "usage": messages_usage(completion[-1]["usage"])}
    yield {"type": "message_stop"}


def check_stream(exchange: Exchange) -> None:
    case = exchange.case
    got, native = events(exchange.answer.text), events(exchange.native.text)
    if case.client == "chat":
        # Nothing but the end is no JSON, and nothing has a name.
        assert got[-1].data == "[DONE]" and all(event.name == "" for event in got)
        got = [event.json for event in got[:-1]]
    else:
        assert [event.name for event in got] == [event.json["type"] for event in got]
        got = [event.json for event in got]
        # Pings keep connections alive, and may stand anywhere after the start.
        assert got[0]["type"] == "message_start"
        got = [event for event in got if case.same or event["type"] != "ping"]
    native = [event.json for event in native if event.data != "[DONE]"]
    if case.same and case.client == "chat":
        usage = [chunk for chunk in native if not chunk["choices"]]
        assert len(usage) == 1
        assert got == [chunk | {"model": case.model} for chunk in native if case.kind == "usage" or chunk not in usage]
    elif case.same:
        native[0]["message"]["model"] = case.model
        assert got == native
    elif case.client == "chat":
        assert got == list(chunks(native, case, recent(got[0]["created"])))
    else:
        assert got == list(message_events(native, case))


def test_the_client_gets_an_answer_of_its_own_format(exchange: Exchange):
    check_stream(exchange) if exchange.case.streams else check_whole(exchange)


def test_the_client_gets_no_private_header(exchange: Exchange):
    case, headers = exchange.case, dict(exchange.answer.headers)
    expected = PASSES[case.upstream] | {
        "server": "envoy",
        "x-dragoman-attempts": "2" if case.falls_back else "1",
        "x-dragoman-provider": PROVIDER[case.upstream],
        "x-dragoman-upstream": case.upstream,
        "x-dragoman-upstream-model": MODELS[case.upstream],
    }
    if not case.streams:
        expected["x-dragoman-cost-usd"] = f"{cost(exchange) * Decimal('1e-9'):f}".rstrip("0")
    if case.streams:
        expected |= {"cache-control": "no-cache", "content-type": "text/event-stream; charset=utf-8"}
        expected |= {"transfer-encoding": "chunked"}
    else:
        expected |= {"content-type": "application/json", "content-length": str(len(exchange.answer.content))}
    assert headers.pop("date")
    assert headers.pop("x-dragoman-upstream-request-id").startswith("req_")
    assert headers == expected


# What the operator gets


def tokens(exchange: Exchange) -> tuple[int, int]:
    """What the provider says that it used."""
    if exchange.case.streams:
        found = [event.json for event in events(exchange.native.text) if event.data != "[DONE]"]
        usage = next(event["usage"] for event in reversed(found) if event.get("usage"))
    else:
        usage = exchange.native.json()["usage"]
    names = ("prompt", "completion") if exchange.case.upstream == "openai" else ("input", "output")
    return usage[f"{names[0]}_tokens"], usage[f"{names[1]}_tokens"]


def cost(exchange: Exchange) -> int:
    """What that costs, in billionths of a USD, at the providers' published prices."""
    prices = {"openai": (2000, 8000), "claude": (2000, 10000)}[exchange.case.upstream]
    return sum(count * price for count, price in zip(tokens(exchange), prices, strict=True))


def test_the_access_log_tells_all(exchange: Exchange, providers: Providers):
    case, log = exchange.case, dict(exchange.log)
    spent = tokens(exchange)
    where = {
        "key": "demo",
        "model": case.model,
        "attempts": 2 if case.falls_back else 1,
        "upstream": case.upstream,
        "provider": PROVIDER[case.upstream],
        "upstream_model": MODELS[case.upstream],
    }
    cache = {"cache_read_tokens": 0, "cache_write_tokens": 0, "cache_write_1h_tokens": 0, "reasoning_tokens": 0}
    assert json.loads(log.pop("usage")) == where | cache | {
        "input_tokens": spent[0],
        "output_tokens": spent[1],
        "service_tier": "standard",
        "cost_nanousd": cost(exchange),
        "complete": True,
    }
    assert log.pop("time") and log.pop("duration_ms") >= 0
    assert log == where | {
        "path": case.path,
        "status": 200,
        "details": "via_upstream",
        "flags": "-",
        "host": f"127.0.0.1:{providers.port}",
        "team": None,
        "input_tokens": str(spent[0]),
        "output_tokens": str(spent[1]),
        "cost_nanousd": str(cost(exchange)),
        "finish_reason": "stop",
        "error": None,
    }


def test_the_call_is_counted_once(exchange: Exchange):
    case = exchange.case
    spent = tokens(exchange)
    place = {"upstream": case.upstream, "provider": PROVIDER[case.upstream]}
    of = place | {"model": case.model, "key": "demo"}
    expected = {
        ("dragoman_requests_total", frozenset((of | {"operation": case.client, "status": "200"}).items())): 1,
        ("dragoman_tokens_total", frozenset((of | {"type": "input"}).items())): spent[0],
        ("dragoman_tokens_total", frozenset((of | {"type": "output"}).items())): spent[1],
        ("dragoman_cost_nanousd_total", frozenset(of.items())): cost(exchange),
        ("dragoman_attempts_total", frozenset((place | {"result": "ok"}).items())): 1,
    }
    if case.falls_back:
        failed = {"upstream": "openai", "provider": "openai", "result": "5xx"}
        expected["dragoman_attempts_total", frozenset(failed.items())] = 1
    # Histograms show what Envoy has merged of them, which it does every few seconds.
    assert {key: value for key, value in exchange.counted.items() if key[0].endswith("_total")} == expected


def test_nothing_secret_is_logged(exchange: Exchange, envoys: dict[str, Envoy]):
    output = envoys[exchange.case.way].output()
    for secret in [KEY, *KEYS.values(), "client-secret", "Grüße", "You said"]:
        assert secret not in output


# What is the same for all pairs


@pytest.mark.parametrize("way", ["standalone", "routes", "gateway", "rendered"])
def test_large_bodies_pass(way: str, envoys: dict[str, Envoy]):
    case = Case(way, "chat", "openai", "whole")
    large = body("chat", case.model, "x" * (8 << 20))
    answer = HTTP.post(envoys[way].url + case.path, json=large, headers=HEADERS["chat"])
    assert answer.status_code == 200, answer.text
