"""Trailers over HTTP/2: bodies that end in them are whole, and neither end sees the other's."""

import json
from collections.abc import Iterator

import httpx
import pytest
import yaml
from calls import HEADERS, PATHS, body, content, error, events
from conftest import Envoy, Starter
from documents import KEYS, OPENAI, gateway_role, render, standalone
from http2 import Message, Server, call

# What a client must not hand to a provider in this way, nor a provider to a client.
SENT = {"x-checksum": "1", "authorization": "Bearer sk-demo", "x-dragoman-upstream": "spoofed", "cookie": "a=b"}
BACK = {"x-checksum": "1", "set-cookie": "session=secret", "x-ratelimit-remaining-requests": "1", "x-dragoman-attempts": "9"}

CHUNK = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4.1"}
WHOLE = CHUNK | {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "You said"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
TEXT = CHUNK | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "You said"}, "finish_reason": None}]}
END = CHUNK | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Server]:
    server = Server(Message())
    yield server
    server.stop()


@pytest.fixture(scope="module", params=[standalone, gateway_role])
def envoy(request: pytest.FixtureRequest, upstream: Server, shared_gateway: Starter) -> Envoy:
    at = OPENAI | {"base_url": f"http://127.0.0.1:{upstream.port}/v1"}
    model = {"name": "gpt-4.1", "upstreams": ["openai"], "retries": 0}
    config = yaml.safe_load(render(request.param({"openai": at}, [model])))
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    for cluster in config["static_resources"]["clusters"]:
        protocol = cluster["typed_extension_protocol_options"][options]
        protocol["explicit_http_config"] = {"http2_protocol_options": {}}
    return shared_gateway(config, env=KEYS)


def ask(envoy: Envoy, client: str, trailers: dict, **more) -> httpx.Response:
    raw = json.dumps(body(client, "gpt-4.1", **more)).encode()
    answer = call(envoy, Message({":path": PATHS[client]} | HEADERS[client], raw, trailers))
    assert answer.trailers == {}
    headers = {name: value for name, value in answer.headers.items() if name != ":status"}
    return httpx.Response(int(answer.headers[":status"]), headers=headers, content=answer.body)


@pytest.mark.parametrize("back", [{}, BACK], ids=["none back", "some back"])
@pytest.mark.parametrize("sent", [{}, SENT], ids=["none sent", "some sent"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", HEADERS)
def test_trailers_end_bodies_and_go_no_further(
    client: str, stream: bool, sent: dict, back: dict, envoy: Envoy, upstream: Server
):
    parts = "".join(f"data: {data}\n\n" for data in [json.dumps(TEXT), json.dumps(END), "[DONE]"])
    kind, answer = ("text/event-stream", parts) if stream else ("application/json", json.dumps(WHOLE))
    upstream.answer = Message({":status": "200", "content-type": kind}, answer.encode(), back)
    upstream.received.clear()
    got = ask(envoy, client, sent, stream=stream)
    assert (got.status_code, content(got, client)) == (200, "You said"), got.text
    if stream:
        last = events(got.text)[-1]
        assert last.data == "[DONE]" or last.json["type"] == "message_stop"
    (received,) = upstream.received
    assert json.loads(received.body)["messages"] == [{"role": "user", "content": "Hi"}]
    assert received.headers["authorization"] == f"Bearer {KEYS['OPENAI_API_KEY']}"
    assert received.trailers == {}


@pytest.mark.parametrize("client", HEADERS)
def test_an_error_that_ends_in_trailers(client: str, envoy: Envoy, upstream: Server):
    upstream.answer = Message({":status": "200", "content-type": "application/json"}, b"{", BACK)
    got = ask(envoy, client, SENT)
    assert got.status_code == 502, got.text
    assert error(got, client)["message"].startswith("the upstream answered 200 with malformed JSON")
    failure = json.dumps({"error": {"message": "Slow down.", "type": "requests", "code": "rate_limit_exceeded"}})
    upstream.answer = Message({":status": "429", "content-type": "application/json"}, failure.encode(), BACK)
    got = ask(envoy, client, SENT)
    assert (got.status_code, got.json()["error"]["message"]) == (429, "Slow down."), got.text
