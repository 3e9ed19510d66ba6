"""Clients that send what they must not, or leave when they must not: refused in their own format, and harmless."""

import itertools
import json
import socket
import time
from collections.abc import Iterator

import h2.config
import h2.connection
import h2.events
import httpx
import pytest
import yaml
from calls import HEADERS, PATHS, body, call, content, converse, counted, error, identified, logged, request
from conftest import HTTP, Envoy, Providers, Starter, wait_until
from documents import CREDENTIALS, KEYS, gateway_role, render, standalone, with_logs
from hostile import ANSWER, PROMPT, check_unharmed, document, keys

CLIENTS = list(HEADERS)
SAID = [{"role": "user", "content": PROMPT}]


@pytest.fixture(scope="module", params=[standalone, gateway_role])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter) -> Envoy:
    many = keys(
        {"id": "disabled", "disabled": True},
        {"id": "expired", "expires": "2026-01-01T00:00:00Z"},
        {"id": "narrow", "models": ["claude"]},
    )
    return shared_gateway(with_logs(render(document(request.param, keys=many))), env=KEYS)


@pytest.fixture(autouse=True)
def unharmed(envoy: Envoy, providers: Providers) -> Iterator[None]:
    providers.forget()
    yield
    check_unharmed(envoy)
    # The stream is over for the client before it is for the filter.
    wait_until(lambda: envoy.stat("dragoman_inflight") == 0, envoy.process)


def post(envoy: Envoy, client: str, raw: bytes, headers: dict | None = None) -> httpx.Response:
    sent = HEADERS[client] | {"content-type": "application/json"} | (headers or {})
    return HTTP.post(envoy.url + PATHS[client], content=raw, headers={name: value for name, value in sent.items() if value})


def rejected(envoy: Envoy, before: dict) -> dict[tuple[str, str], float]:
    """Refusals since then, by key and reason."""
    found = {}

    def counts() -> bool:
        found.update(counted(before, envoy.samples("dragoman_"), "dragoman_rejected_total"))
        return bool(found)

    wait_until(counts, envoy.process)
    return found


# Bodies


def with_model(model: str) -> bytes:
    """A body with a model's name as it stands in JSON."""
    return b'{"model": ' + model.encode() + b', "max_tokens": 9, "messages": ' + json.dumps(SAID).encode() + b"}"


def nested(opening: str, closing: str) -> bytes:
    deep = opening * 100_000 + "1" + closing * 100_000
    return f'{{"model": "open", "max_tokens": 9, "metadata": {deep}, "messages": {json.dumps(SAID)}}}'.encode()


INVALID = {
    "nothing": b"",
    "white space": b" \n\t",
    "half": b'{"model": "open",',
    "text": b"model=open",
    "an array": b'[{"model": "open"}]',
    "null": b"null",
    "a string": b'"open"',
    "two documents": with_model('"open"') * 2,
    "a byte order mark": b"\xef\xbb\xbf" + with_model('"open"'),
    "UTF-16": with_model('"open"').decode().encode("utf-16"),
    "no UTF-8": with_model('"open"').replace(b"quick", b"\xff\xfe"),
    "NaN": with_model('"open"').replace(b"9", b"NaN"),
    "a control character": with_model('"open"').replace(b"quick", b"\x00"),
    "a name twice": with_model('"open", "model": "claude"'),
    "a name twice, once in escapes": with_model('"open", "m\\u006fdel": "claude"'),
    "a name twice, deep down": with_model('"open", "metadata": {"a": {"b": 1, "b": 2}}'),
    "no model": b'{"max_tokens": 9, "messages": []}',
    "no name": with_model("null"),
    "an empty name": with_model('""'),
    "a number for a name": with_model("4"),
    "an object for a name": with_model("{}"),
    "a name of 1 MB": with_model(f'"{"m" * (1 << 20)}"'),
    "stream in words": with_model('"open", "stream": "yes"'),
    "deep arrays": nested("[", "]"),
    "deep objects": nested('{"a":', "}"),
    "open arrays": b'{"model": ' + b"[" * 1_000_000,
    "millions of values": b'{"model": "open", "metadata": [' + b"0," * 1_500_000 + b"0]}",
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", INVALID)
def test_a_body_that_is_wrong(kind: str, client: str, envoy: Envoy, providers: Providers):
    before = envoy.samples("dragoman_")
    answer = post(envoy, client, INVALID[kind])
    assert answer.status_code == 400, answer.text
    told = error(answer, client)
    assert told["type"] == "invalid_request_error"
    assert 0 < len(told["message"]) < 400
    assert providers.received() == []
    assert rejected(envoy, before) == {("demo", "invalid"): 1}


UNKNOWN = {
    "unknown": '"nobody"',
    "with control characters": '"open\\u0000\\r\\nx-injected: 1"',
    "a path": '"../../admin"',
    "a path in escapes": '"..%2f..%2fadmin"',
    "half a character": '"open\\ud800"',
    "close to a known one": '"open "',
    "a pattern": '"*"',
    "markup": '"<script>alert(1)</script>\\"}"',
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_model_that_is_not_there(kind: str, client: str, envoy: Envoy, providers: Providers):
    before = envoy.samples("dragoman_")
    answer = post(envoy, client, with_model(UNKNOWN[kind]))
    assert answer.status_code == 404, answer.text
    told = error(answer, client)
    if client == "chat":
        assert (told["type"], told["param"], told["code"]) == ("invalid_request_error", "model", "model_not_found")
    else:
        assert told["type"] == "not_found_error"
    assert "x-injected" not in answer.headers
    assert providers.received() == []
    assert rejected(envoy, before) == {("demo", "model"): 1}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense"])
def test_a_body_of_another_type(kind: str, client: str, envoy: Envoy, providers: Providers):
    answer = post(envoy, client, with_model('"open"'), {"content-type": kind})
    assert answer.status_code == 415, answer.text
    assert error(answer, client)["type"] == "invalid_request_error"
    assert providers.received() == []


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", ["", "application/json; charset=utf-8", "Application/JSON", "application/vnd.llm+json"])
def test_a_body_whose_type_is_json_by_another_name(kind: str, client: str, envoy: Envoy):
    answer = post(envoy, client, with_model('"open"'), {"content-type": kind})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, identity", "nonsense"])
def test_a_compressed_body(coding: str, client: str, envoy: Envoy, providers: Providers):
    answer = post(envoy, client, with_model('"open"'), {"content-encoding": coding})
    assert answer.status_code == 415, answer.text
    assert error(answer, client)["type"] == "invalid_request_error"
    assert providers.received() == []


@pytest.mark.parametrize("model", ["open", "claude"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_body_of_8_mb(client: str, model: str, envoy: Envoy):
    answer = call(envoy, client, model, PROMPT + " " * (8 << 20))
    assert (answer.status_code, content(answer, client)[: len(ANSWER)]) == (200, ANSWER), answer.text


@pytest.mark.parametrize("client", CLIENTS)
def test_a_body_that_is_too_large(client: str, envoy: Envoy, providers: Providers):
    # The shipped configurations take 64 MiB.
    before = envoy.samples("dragoman_")
    answer = post(envoy, client, with_model('"open"') + b" " * (64 << 20))
    assert answer.status_code == 413, answer.text
    told = error(answer, client)
    assert told["type"] == {"chat": "invalid_request_error", "messages": "request_too_large"}[client]
    assert providers.received() == []
    assert rejected(envoy, before) == {("demo", "size"): 1}


# Ways to send a body


@pytest.mark.parametrize("client", CLIENTS)
def test_a_body_without_a_length(client: str, envoy: Envoy):
    pieces = iter([with_model('"open"')[:20], with_model('"open"')[20:]])
    answer = HTTP.post(envoy.url + PATHS[client], content=pieces, headers=HEADERS[client])
    assert (answer.status_code, content(answer, client)) == (200, f"{ANSWER}: {PROMPT}")


@pytest.mark.parametrize("client", CLIENTS)
def test_an_empty_body_without_a_length(client: str, envoy: Envoy):
    answer = HTTP.post(envoy.url + PATHS[client], content=iter([]), headers=HEADERS[client])
    assert answer.status_code == 400, answer.text
    assert error(answer, client)["type"] == "invalid_request_error"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_body_that_trickles_in(client: str, envoy: Envoy):
    raw = with_model('"open"')
    head = request(client, b"", HEADERS[client] | {"content-length": str(len(raw)), "connection": "close"})
    pieces = [raw[at : at + 1] for at in range(len(raw))]
    answer = converse(envoy, head, *pieces, pause=0.001)
    assert (answer.status_code, content(answer, client)) == (200, f"{ANSWER}: {PROMPT}")


class Http2:
    """A connection in HTTP/2, for one call."""

    def __init__(self, envoy: Envoy):
        self.socket = socket.create_connection(("127.0.0.1", envoy.port), timeout=20)
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        self.http.initiate_connection()

    def call(self, client: str, raw: bytes, headers: dict, trailers: dict | None = None) -> httpx.Response:
        target = {":method": "POST", ":path": PATHS[client], ":scheme": "http", ":authority": "gateway"}
        self.http.send_headers(1, list((target | headers).items()))
        self.http.send_data(1, raw, end_stream=trailers is None)
        if trailers is not None:
            self.http.send_headers(1, list(trailers.items()), end_stream=True)
        self.socket.sendall(self.http.data_to_send())
        found, got = [], b""
        with self.socket:
            while data := self.socket.recv(65536):
                for event in self.http.receive_data(data):
                    match event:
                        case h2.events.ResponseReceived():
                            found = event.headers
                        case h2.events.DataReceived():
                            got += event.data
                        case h2.events.StreamEnded():
                            return httpx.Response(int(dict(found)[b":status"]), headers=found[1:], content=got)
                        case h2.events.StreamReset():
                            raise httpx.RemoteProtocolError(f"reset: {event.error_code}")
        raise httpx.RemoteProtocolError("the connection ended")


TRAILERS = {"x-checksum": "1", "authorization": "Bearer sk-demo", "x-dragoman-upstream": "claude", "cookie": "a=b"}


@pytest.mark.parametrize("trailers", [None, TRAILERS], ids=["none", "private"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_http_2_with_trailers(client: str, stream: bool, trailers: dict | None, envoy: Envoy, providers: Providers):
    raw = json.dumps(body(client, "open", PROMPT, stream=stream)).encode()
    answer = Http2(envoy).call(client, raw, HEADERS[client], trailers)
    assert (answer.status_code, content(answer, client)) == (200, f"{ANSWER}: {PROMPT}"), answer.text
    (received,) = providers.received()
    assert not received["headers"].keys() & {"x-checksum", "cookie", "x-dragoman-upstream"}
    assert received["headers"]["authorization"] == f"Bearer {KEYS['OPENAI_API_KEY']}"


# Headers


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", ["x-odd", "user-agent", "traceparent", "x-dragoman-model", "anthropic-beta", "openai-beta"])
def test_a_header_that_is_no_utf_8(name: str, client: str, envoy: Envoy):
    raw = with_model('"open"')
    headers = HEADERS[client] | {name: b"\xff\xfe\x80", "content-length": str(len(raw)), "connection": "close"}
    answer = converse(envoy, request(client, raw, headers))
    assert (answer.status_code, content(answer, client)) == (200, f"{ANSWER}: {PROMPT}"), answer.text


SPOOFED = {
    "x-dragoman-model": "claude",
    "x-dragoman-upstream": "claude",
    "x-dragoman-endpoint": "embeddings",
    "x-dragoman-anything": "1",
    "x-dragoman-nowhere": "claude",
    "x-envoy-attempt-count": "7",
    "x-envoy-expected-rq-timeout-ms": "1",
    "x-envoy-hedge-on-per-try-timeout": "true",
    "x-envoy-max-retries": "5",
    "x-envoy-retriable-status-codes": "503",
    "x-envoy-retry-on": "5xx,retriable-status-codes",
    "x-envoy-upstream-alt-stat-name": "spoofed",
    "x-envoy-upstream-rq-per-try-timeout-ms": "20",
    "x-envoy-upstream-rq-timeout-alt-response": "true",
    "x-envoy-upstream-rq-timeout-ms": "20",
    "x-envoy-internal": "true",
}


@pytest.mark.parametrize("internal", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_headers_of_the_hosts_and_ours_have_no_effect(client: str, internal: bool, envoy: Envoy, providers: Providers):
    # Envoy believes callers from such addresses.
    headers = HEADERS[client] | SPOOFED | ({"x-forwarded-for": "10.0.0.1"} if internal else {})
    slow = call(envoy, client, "open", f"{PROMPT} [mock slow-start=100]", headers=headers)
    assert (slow.status_code, slow.headers["x-dragoman-upstream"]) == (200, "openai"), slow.text
    (received,) = providers.received()
    assert not received["headers"].keys() & SPOOFED.keys()
    providers.forget()
    failed = call(envoy, client, "open", f"{PROMPT} [mock status=503]", headers=headers)
    assert failed.status_code == 503
    assert len(providers.received()) == 1
    assert not envoy.stats("spoofed")


# Keys

CARRIERS = {
    "authorization": "Bearer {}",
    "x-api-key": "{}",
    "api-key": "{}",
    "x-goog-api-key": "{}",
}
REFUSED = {"wrong": "unknown key", "disabled": "this key is disabled", "expired": "this key has expired"}


def carried(carrier: str, secret: str) -> dict[str, str]:
    return {carrier: CARRIERS[carrier].format(secret)}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("kind", REFUSED)
def test_a_key_that_is_no_good(kind: str, carrier: str, client: str, envoy: Envoy, providers: Providers):
    before = envoy.samples("dragoman_")
    answer = call(envoy, client, "open", PROMPT, headers=carried(carrier, f"sk-{kind}"))
    assert answer.status_code == 401, answer.text
    told = error(answer, client)
    assert (told["type"], told["message"]) == ("authentication_error", REFUSED[kind])
    assert client == "messages" or told["code"] == "invalid_api_key"
    assert providers.received() == []
    assert rejected(envoy, before) == {("" if kind == "wrong" else kind, "auth"): 1}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_key_that_may_not_use_the_model(carrier: str, client: str, envoy: Envoy, providers: Providers):
    before = envoy.samples("dragoman_")
    answer = call(envoy, client, "open", PROMPT, headers=carried(carrier, "sk-narrow"))
    assert answer.status_code == 403, answer.text
    told = error(answer, client)
    assert told["type"] == "permission_error"
    assert client == "messages" or (told["code"], told["param"]) == ("model_not_allowed", "model")
    assert providers.received() == []
    assert rejected(envoy, before) == {("narrow", "model"): 1}
    answer = call(envoy, client, "claude", PROMPT, headers=carried(carrier, "sk-narrow"))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer"}, {"authorization": "Basic c2stZGVtbzo="},
     {"authorization": "sk-demo"}, {"x-api-key": ""}, {"api-key": "Bearer sk-demo"}, {"cookie": "api-key=sk-demo"},
     {"x-api-key": b"\xff\xfe"}],
)  # fmt: skip
def test_no_key_at_all(headers: dict, client: str, envoy: Envoy, providers: Providers):
    answer = call(envoy, client, "open", PROMPT, headers=headers)
    assert answer.status_code == 401, answer.text
    assert error(answer, client)["type"] == "authentication_error"
    assert providers.received() == []


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(CARRIERS, 2)))
def test_two_keys(first: str, second: str, client: str, envoy: Envoy, providers: Providers):
    """The first header decides, in the order in which they are tried; none of both goes on."""
    both = carried(first, "sk-narrow") | carried(second, "sk-demo")
    assert call(envoy, client, "open", PROMPT, headers=both).status_code == 403
    both = carried(first, "sk-demo") | carried(second, "sk-wrong")
    answer = call(envoy, client, "claude", PROMPT, headers=both)
    assert answer.status_code == 200, answer.text
    (received,) = providers.received()
    carriers = {name: value for name, value in received["headers"].items() if name in CARRIERS}
    assert carriers == {"x-api-key": KEYS["ANTHROPIC_API_KEY"]}


# Upgrades


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_upgrade(method: str, client: str, envoy: Envoy):
    more = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": "AAAA"}
    answer = converse(envoy, request(client, b"", HEADERS[client] | more, method), method=method)
    assert answer.status_code == 501, answer.text
    assert error(answer, client)["type"] == "invalid_request_error"


# Clients that leave


@pytest.mark.parametrize("model", ["open", "claude"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_that_leaves_in_mid_stream(client: str, model: str, envoy: Envoy, providers: Providers):
    before, headers = envoy.samples("dragoman_"), identified(client)
    raw = body(client, model, f"{PROMPT} [mock tokens=1000 delay=5]", stream=True)
    raw |= {"max_tokens": 2000}
    with HTTP.stream("POST", envoy.url + PATHS[client], json=raw, headers=headers) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert any('"020 "' in line for line in lines)
        assert envoy.stat("dragoman_inflight") == 1
    line = logged(envoy, headers)[0]
    provider = {"open": "openai", "claude": "anthropic"}[model]
    after = envoy.samples("dragoman_")
    assert counted(before, after, "dragoman_aborted_total") == {(provider,): 1}
    wait_until(lambda: providers.received()[-1]["outcome"] == "client closed", envoy.process)
    assert (line["status"], line["flags"], line["upstream_model"] is None) == (200, "DC", False)
    usage = json.loads(line["usage"])
    assert usage["complete"] is False
    assert 20 <= int(line["output_tokens"]) < 1000
    assert usage["output_tokens"] == int(line["output_tokens"])
    assert [line[f"sent {name}"] for name in CREDENTIALS] == [None, None]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_that_leaves_before_the_answer(client: str, stream: bool, envoy: Envoy, providers: Providers):
    before, headers = envoy.samples("dragoman_"), identified(client)
    raw = body(client, "claude", f"{PROMPT} [mock slow-start=5000]", stream=stream)
    with pytest.raises(httpx.ReadTimeout):
        HTTP.post(envoy.url + PATHS[client], json=raw, headers=headers, timeout=0.2)
    line = logged(envoy, headers)[0]
    assert (line["status"], line["flags"], line["upstream"]) == (0, "DC", "claude")
    assert [line[f"sent {name}"] for name in CREDENTIALS] == [None, None]
    after = envoy.samples("dragoman_")
    assert counted(before, after, "dragoman_aborted_total") == {("anthropic",): 1}
    assert counted(before, after, "dragoman_attempts_total") == {("anthropic", "reset", "claude"): 1}
    wait_until(lambda: providers.received()[-1]["outcome"] == "client closed", envoy.process)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_that_leaves_in_its_body(client: str, envoy: Envoy, providers: Providers):
    before, headers = envoy.samples("dragoman_"), identified(client)
    head = request(client, b'{"model": "open"', headers | {"content-length": "1000"})
    with socket.create_connection(("127.0.0.1", envoy.port)) as connection:
        connection.sendall(head)
        wait_until(lambda: envoy.stat("dragoman_inflight") == 1, envoy.process)
    line = logged(envoy, headers)[0]
    assert (line["status"], line["upstream"], line["usage"]) == (0, None, None)
    assert providers.received() == []
    assert counted(before, envoy.samples("dragoman_"), "dragoman_attempts_total") == {}
