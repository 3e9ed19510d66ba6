"""Upstreams that answer with what they must not, too late, or not to the end: told in the client's format, and harmless."""

import gzip
import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from calls import HEADERS, call, content, counted, error, events, identified, logged
from conftest import Envoy, Providers, Starter, free_port
from documents import KEYS, gateway_role, render, standalone, with_logs
from hostile import ANSWER, PROMPT, check_unharmed, document
from scripted import Scripted, answer, chunked, head

CLIENTS = list(HEADERS)
PROVIDER = {"open": "openai", "claude": "anthropic"}

JSON = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream"}
HTML = {"content-type": "text/html; charset=utf-8"}
PAGE = f"<html><body>{ANSWER} nothing, {PROMPT}</body></html>".encode()

COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4.1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
GOOD = json.dumps(COMPLETION).encode()


def chunk(delta: dict, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4.1", "choices": [choice]}
    return json.dumps(data).encode()


def event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


BEGIN, TEXT, END, DONE = chunk({"role": "assistant", "content": ""}), chunk({"content": ANSWER}), chunk({}, "stop"), b"[DONE]"
SAID = [event(data) for data in [BEGIN, TEXT, END, DONE]]

# Answers that are no answers: what comes, whether the client streams or not, and the status and message for the client.
BROKEN = {
    "a page": ([answer("200 OK", HTML, PAGE)], 502, "the upstream answered 200 with `text/html` where JSON was expected"),
    "a page of an error": ([answer("502 Bad Gateway", HTML, PAGE)], 502, "the upstream answered 502 with a page of HTML"),
    "a page of an error that is the client's": ([answer("404 Not Found", HTML, PAGE)], 404, "the upstream answered 404 with a page of HTML"),
    "nothing": ([answer("200 OK", JSON)], 502, "the upstream answered 200 with an empty body where JSON was expected"),
    "nothing, in parts": (chunked("200 OK", JSON), 502, "the upstream answered 200 with an empty body where JSON was expected"),
    "no content": ([head("204 No Content", {})], 502, "the upstream answered 204 with an empty body where JSON was expected"),
    "an error without a word": ([answer("500 Internal Server Error", JSON)], 500, "the upstream answered 500"),
    "a redirect": ([answer("301 Moved Permanently", {"location": "/elsewhere"}, b"moved")], 502, "the upstream answered with a redirect (301)"),
    "a redirect without a word": ([answer("308 Permanent Redirect", {"location": "/elsewhere"})], 502, "the upstream answered with a redirect (308)"),
    "not modified": ([head("304 Not Modified", {})], 502, "the upstream answered with a redirect (304)"),
    "compressed": ([answer("200 OK", JSON | {"content-encoding": "gzip"}, gzip.compress(GOOD))], 502, "the upstream answered 200 with `compressed data` where JSON was expected"),
    "a compressed stream": ([answer("200 OK", STREAM | {"content-encoding": "gzip"}, gzip.compress(b"".join(SAID)))], 502, "the upstream answered 200 with `compressed data` where JSON was expected"),
    "half": ([answer("200 OK", JSON, GOOD[:-9])], 502, "the upstream answered 200 with malformed JSON where JSON was expected"),
    "text": ([answer("200 OK", {"content-type": "text/plain"}, ANSWER.encode())], 502, "the upstream answered 200 with `text/plain` where JSON was expected"),
    "no type": ([answer("200 OK", {}, ANSWER.encode())], 502, "the upstream answered 200 with a body of no type where JSON was expected"),
    "an array": ([answer("200 OK", JSON, b"[]")], 502, ""),
    "null": ([answer("200 OK", JSON, b"null")], 502, ""),
    "an empty object": ([answer("200 OK", JSON, b"{}")], 502, ""),
    "no choices": ([answer("200 OK", JSON, b'{"choices": []}')], 502, ""),
    "an error that goes well": ([answer("200 OK", JSON, b'{"error": {"message": "It broke.", "code": 500}}')], 500, "It broke."),
    "no UTF-8": ([answer("200 OK", JSON, GOOD.replace(b"said", b"\xff\xfe"))], 502, "the upstream answered 200 with malformed JSON where JSON was expected"),
    "deep nesting": ([answer("200 OK", JSON, b'{"a":' * 100_000)], 502, "the upstream answered 200 with malformed JSON where JSON was expected"),
    "no HTTP": ([b"SSH-2.0-OpenSSH_9.2\r\n"], 502, "the gateway could not pass the call on"),
    "half a head": ([b"HTTP/1.1 200 OK\r\ncontent-ty"], 502, "the gateway could not pass the call on"),
    "a vast head": ([head("200 OK", {"x-vast": "x" * 100_000})], 502, "the gateway could not pass the call on"),
}  # fmt: skip


# Answers that are odd, and answers all the same.
PRIVATE = {
    "anthropic-organization-id": "org-secret",
    "anthropic-ratelimit-requests-limit": "4000",
    "openai-organization": "org-secret",
    "set-cookie": "session=secret",
    "strict-transport-security": "max-age=1",
    "x-dragoman-attempts": "99",
    "x-dragoman-cost-usd": "99",
    "x-dragoman-upstream": "spoofed",
    "x-ratelimit-remaining-requests": "1",
}
FINE = {
    "of another type": [answer("200 OK", {"content-type": "text/plain"}, GOOD)],
    "of no type": [answer("200 OK", {}, GOOD)],
    "with a code of its own": [answer("299 Whatever", JSON, GOOD)],
    "after a go-ahead": [b"HTTP/1.1 100 Continue\r\n\r\n", answer("200 OK", JSON, GOOD)],
    "after a hint": [head("103 Early Hints", {"link": "</x>; rel=preload"}), answer("200 OK", JSON, GOOD)],
    "until the end": [head("200 OK", JSON), GOOD],
    "byte by byte": chunked("200 OK", JSON, *(GOOD[at : at + 1] for at in range(len(GOOD)))),
    "not compressed": [answer("200 OK", JSON | {"content-encoding": "identity"}, GOOD)],
    "a stream": chunked("200 OK", STREAM, *SAID),
    "a stream until the end": [head("200 OK", STREAM), *SAID],
    "a stream byte by byte": chunked("200 OK", STREAM, *(bytes([byte]) for byte in b"".join(SAID))),
    "with private headers": [answer("200 OK", JSON | PRIVATE, GOOD)],
    "a stream with private headers": chunked("200 OK", STREAM | PRIVATE, *SAID),
}


def lines(ending: bytes) -> list[bytes]:
    """The stream with other ends of lines."""
    return [said.replace(b"\n", ending) for said in SAID]


# Streams, and whether they end in an error.
STREAMS = {
    "CRLF": (lines(b"\r\n"), False),
    "CR": (lines(b"\r"), False),
    "comments": ([b": hello\n\n", *SAID[:2], b":\n\n: still here\n\n", *SAID[2:]], False),
    "no spaces": ([said.replace(b"data: ", b"data:") for said in SAID], False),
    "a byte order mark": ([b"\xef\xbb\xbf", *SAID], False),
    "other fields": ([b"id: 1\nretry: 10\nnonsense\n" + said for said in SAID], False),
    "data over lines": ([said.replace(b', "', b',\ndata: "') for said in SAID], False),
    "no end of its last line": ([*SAID[:3], b"data: [DONE]"], False),
    "more after its end": ([*SAID, event(TEXT), event(DONE)], False),
    "objects that nobody knows": ([event(b'{"object": "new.thing"}'), *SAID], False),
    "nothing": ([], True),
    "only comments": ([b": hello\n\n"], True),
    "a page": ([PAGE], True),
    "no finish": (SAID[:2], True),
    "no finish, but an end": ([*SAID[:2], event(DONE)], True),
    "an error": ([*SAID[:2], event(b'{"error": {"message": "It broke.", "type": "server_error"}}')], True),
    "an error, then more": ([*SAID[:2], event(b'{"error": {"message": "It broke."}}'), *SAID[2:]], True),
    "half an event": ([*SAID[:2], event(TEXT[:-9]), *SAID[2:]], True),
    "no UTF-8": ([*SAID[:2], event(TEXT.replace(b"said", b"\xff\xfe")), *SAID[2:]], True),
    "deep nesting": ([*SAID[:2], event(b'{"choices":' + b"[" * 100_000), *SAID[2:]], True),
    "a vast event": ([*SAID[:2], b"data: " + b"x" * (17 << 20), *SAID[2:]], True),
}  # fmt: skip


@pytest.fixture(scope="module")
def scripted() -> Iterator[Scripted]:
    scripts = {f"broken {name}": script for name, (script, *_) in BROKEN.items()}
    scripts |= {f"fine {name}": script for name, script in FINE.items()}
    scripts |= {f"stream {name}": chunked("200 OK", STREAM, *parts) for name, (parts, _) in STREAMS.items()}
    scripts["half"] = [head("200 OK", JSON | {"content-length": "9999"}), 0.05, GOOD]
    server = Scripted(scripts)
    yield server
    server.stop()


@pytest.fixture(scope="module", params=[standalone, gateway_role])
def role(request: pytest.FixtureRequest) -> Callable[..., dict]:
    return request.param


@pytest.fixture(scope="module")
def envoy(role: Callable[..., dict], shared_gateway: Starter, scripted: Scripted) -> Envoy:
    openai = {"provider": "openai_compatible", "credentials": "none"}
    upstreams = {
        "scripted": openai | {"base_url": f"http://127.0.0.1:{scripted.port}/v1"},
        "refused": openai | {"base_url": f"http://127.0.0.1:{free_port()}/v1"},
        "unrouted": openai | {"base_url": "http://127.0.0.1:9/v1"},
    }
    patient = {"retries": 0, "timeouts": {"first_token": "150ms", "total": "400ms"}}
    models = [
        {"name": "scripted/*", "upstreams": ["scripted"], "retries": 0},
        {"name": "refused", "upstreams": ["refused"], "retries": 0},
        {"name": "unrouted", "upstreams": ["unrouted"], "retries": 0},
        {"name": "openai-soon", "upstreams": ["openai"], "upstream_models": {"openai": "gpt-4.1"}, **patient},
        {"name": "claude-soon", "upstreams": ["claude"], "upstream_models": {"claude": "claude-sonnet-4-5"}, **patient},
    ]
    # What a log of attempts shows of one that broke the filter can help only in the cluster.
    config = with_logs(render(document(role, upstreams, models)), attempts=role is gateway_role)
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    host = manager["route_config"]["virtual_hosts"][0]
    host["routes"] = [route for route in host["routes"] if route["route"].get("cluster") != "unrouted"]
    return shared_gateway(config, env=KEYS)


@pytest.fixture(autouse=True)
def unharmed(envoy: Envoy, providers: Providers) -> Iterator[None]:
    providers.forget()
    yield
    check_unharmed(envoy)
    assert envoy.stat("dragoman_inflight") == 0


def attempts(envoy: Envoy, before: dict) -> dict[tuple[str, str], float]:
    """Attempts since then, by result and upstream."""
    found = counted(before, envoy.samples("dragoman_"), "dragoman_attempts_total")
    return {(result, upstream): count for (_, result, upstream), count in found.items()}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", BROKEN)
def test_an_answer_that_is_none(kind: str, client: str, stream: bool, envoy: Envoy):
    _, status, message = BROKEN[kind]
    before = envoy.samples("dragoman_")
    got = call(envoy, client, f"scripted/broken {kind}", PROMPT, stream=stream)
    assert got.status_code == status, got.text
    told = error(got, client)
    assert told["message"].startswith(message)
    assert sum(attempts(envoy, before).values()) == 1
    requests = counted(before, envoy.samples("dragoman_"), "dragoman_requests_total")
    assert [labels[4] for labels in requests] == [str(status)]
    assert counted(before, envoy.samples("dragoman_"), "dragoman_aborted_total") == {}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_half_an_answer(client: str, stream: bool, role: Callable[..., dict], envoy: Envoy):
    before = envoy.samples("dragoman_")
    got = call(envoy, client, "scripted/half", PROMPT, stream=stream)
    assert got.status_code == 502, got.text
    if role is gateway_role:
        assert error(got, client)["message"].startswith("the gateway could not pass the call on")
    else:
        # The host says so itself: of an answer that has reached a filter in the listener it asks no filter again.
        assert "reset reason" in got.text
    after = envoy.samples("dragoman_")
    assert attempts(envoy, before) == {("reset", "scripted"): 1}
    assert [labels[4] for labels in counted(before, after, "dragoman_requests_total")] == ["502"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", FINE)
def test_an_answer_that_is_odd(kind: str, client: str, stream: bool, envoy: Envoy):
    before = envoy.samples("dragoman_")
    got = call(envoy, client, f"scripted/fine {kind}", PROMPT, stream=stream)
    # An answer that is written anew has the one code that its format knows.
    as_it_came = client == "chat" and not stream and kind == "with a code of its own"
    assert (got.status_code, content(got, client)) == (299 if as_it_came else 200, ANSWER), got.text
    assert got.headers["content-type"] == ("text/event-stream" if stream else "application/json")
    assert attempts(envoy, before) == {("ok", "scripted"): 1}
    private = {name: got.headers[name] for name in PRIVATE if name in got.headers}
    assert private == {"x-dragoman-attempts": "1", "x-dragoman-upstream": "scripted"}
    if stream:
        last = events(got.text)[-1]
        assert last.data == "[DONE]" or last.json["type"] == "message_stop"


def failures(got: httpx.Response, client: str) -> list[str]:
    """The errors in a stream, of which the last must be the stream's last event; or the one in the place of a stream that
    failed before its first word, where another upstream could have been tried."""
    if got.status_code != 200:
        assert got.headers["content-type"] == "application/json"
        return [error(got, client)["message"]]
    assert got.headers["content-type"].startswith("text/event-stream"), got.text
    found = events(got.text)
    if client == "chat":
        errors = [event for event in found if event.data != "[DONE]" and "error" in event.json]
    else:
        errors = [event for event in found if event.name == "error"]
        assert all(event.json["type"] == "error" for event in errors)
    assert not errors or found[-1] == errors[-1]
    return [event.json["error"]["message"] for event in errors]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_that_is_odd(kind: str, client: str, envoy: Envoy):
    _, fails = STREAMS[kind]
    before = envoy.samples("dragoman_")
    got = call(envoy, client, f"scripted/stream {kind}", PROMPT, stream=True)
    found = failures(got, client)
    if fails:
        assert len(found) == 1
        assert "error" not in kind or found == ["It broke."]
        assert attempts(envoy, before) == {("stream_error", "scripted"): 1}
    else:
        assert found == []
        assert content(got, client) == ANSWER
        last = events(got.text)[-1]
        assert last.data == "[DONE]" or last.json["type"] == "message_stop"
        assert attempts(envoy, before) == {("ok", "scripted"): 1}
    assert counted(before, envoy.samples("dragoman_"), "dragoman_aborted_total") == {}


@pytest.mark.parametrize("model", PROVIDER)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("directive", ["error-after=0", "error-after=3", "end-after=0", "end-after=3", "malformed"])
def test_a_providers_stream_that_ends_badly(directive: str, client: str, model: str, envoy: Envoy):
    before = envoy.samples("dragoman_")
    got = call(envoy, client, model, f"{PROMPT} [mock {directive}]", stream=True)
    (message,) = failures(got, client)
    if directive.startswith("error"):
        assert message == {"open": "The server had an error while processing your request. Sorry about that!", "claude": "Overloaded"}[model]
    upstream = {"open": "openai", "claude": "claude"}[model]
    assert attempts(envoy, before) == {("stream_error", upstream): 1}


@pytest.mark.parametrize("model", PROVIDER)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_stream_that_breaks(client: str, model: str, envoy: Envoy):
    before, headers = envoy.samples("dragoman_"), identified(client)
    with pytest.raises(httpx.RemoteProtocolError):
        call(envoy, client, model, f"{PROMPT} [mock tokens=50 cut-after=30]", headers=headers, stream=True)
    line = logged(envoy, headers)[0]
    assert attempts(envoy, before) == {("reset", line["upstream"]): 1}
    assert counted(before, envoy.samples("dragoman_"), "dragoman_aborted_total") == {(PROVIDER[model],): 1}
    assert line["status"] == 200
    assert 20 <= int(line["output_tokens"]) <= 30
    assert json.loads(line["usage"])["complete"] is False


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("upstream", ["openai", "claude"])
def test_an_upstream_that_is_too_slow(upstream: str, client: str, stream: bool, envoy: Envoy):
    before, headers = envoy.samples("dragoman_"), identified(client)
    got = call(envoy, client, f"{upstream}-soon", f"{PROMPT} [mock slow-start=1000]", headers=headers, stream=stream)
    assert got.status_code == 504, got.text
    told = error(got, client)
    assert (told["type"], told["message"].split(" (")[0]) == ("timeout_error", "the upstream did not answer in time")
    line = logged(envoy, headers)[0]
    assert (line["status"], line["error"]) == (504, "timeout")
    # Until its first token a stream may take less.
    assert (100 if stream else 350) < line["duration_ms"] < (400 if stream else 1000)
    assert attempts(envoy, before) == {("timeout", upstream): 1}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("upstream", ["openai", "claude"])
def test_a_stream_may_take_longer_than_its_first_token(upstream: str, client: str, envoy: Envoy):
    got = call(envoy, client, f"{upstream}-soon", f"{PROMPT} [mock tokens=20 delay=10]", stream=True)
    assert failures(got, client) == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_an_upstream_that_is_not_there(client: str, stream: bool, envoy: Envoy):
    before, headers = envoy.samples("dragoman_"), identified(client)
    got = call(envoy, client, "refused", PROMPT, headers=headers, stream=stream)
    assert got.status_code == 503, got.text
    told = error(got, client)
    assert told["message"].startswith("no upstream could be reached")
    assert told["type"] == {"chat": "server_error", "messages": "api_error"}[client]
    line = logged(envoy, headers)[0]
    assert (line["status"], line["error"]) == (503, "unavailable")
    assert attempts(envoy, before) == {("reset", "refused"): 1}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_model_without_a_route(client: str, envoy: Envoy):
    got = call(envoy, client, "unrouted", PROMPT)
    assert got.status_code == 503, got.text
    assert error(got, client)["message"].startswith("no upstream could be reached")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_large_answer(client: str, envoy: Envoy):
    got = call(envoy, client, "open", f"{PROMPT} [mock tokens=700000]", max_tokens=1_000_000)
    assert (got.status_code, len(content(got, client))) == (200, 700_000 * 4)
