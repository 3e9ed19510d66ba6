"""What is passed on to a provider in its own words: `/upstream/NAME/…`."""

import json
import threading
from collections.abc import Iterator

import httpx
import openai
import pytest
import websockets
from calls import KEY, counted
from conftest import HTTP, PROVIDERS, Envoy, Providers, Starter
from documents import DEMO, KEYS, MOCKS, gateway_role, render, standalone
from websockets.sync.client import connect
from websockets.sync.server import serve

# Of a secret that nobody has.
OTHER = "sha256:" + "0" * 64
RULES = ["* /chat/**", "GET /models", "GET /models/*", "POST /echo", "GET /realtime"]


class Socket:
    """A provider's WebSocket, which repeats what it hears and knows its key."""

    def __init__(self):
        def converse(connection) -> None:
            if connection.request.headers.get("authorization") != "Bearer sk-openai":
                return connection.close(1008, "no key")
            names = [name.lower() for name, _ in connection.request.headers.raw_items()]
            connection.send(json.dumps({"path": connection.request.path, "headers": names}))
            for message in connection:
                connection.send(f"heard {message}")

        self.server = serve(converse, "127.0.0.1", 0)
        self.port = self.server.socket.getsockname()[1]

    def start(self) -> None:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module", params=[gateway_role, standalone])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter) -> Iterator[Envoy]:
    socket = Socket()
    socket.start()
    live = MOCKS["openai"] | {"base_url": f"http://127.0.0.1:{socket.port}/v1", "pass": ["GET /realtime"]}
    upstreams = {
        "openai": MOCKS["openai"] | {"pass": RULES},
        "claude": MOCKS["claude"] | {"pass": ["POST /v1/messages"]},
        "live": live,
        "closed": MOCKS["openai"],
    }
    keys = [DEMO[0] | {"upstreams": ["openai", "live"], "limits": {"rpm": 1000}}, {"id": "none", "hash": OTHER}]
    models = [{"name": "gpt", "upstreams": ["openai"], "upstream_models": {"openai": "gpt-4o"}}]
    started = shared_gateway(render(request.param(upstreams, models, keys=keys)), env=KEYS)
    started.role = request.param
    yield started
    socket.server.shutdown()


def ask(envoy: Envoy, method: str, path: str, **more) -> httpx.Response:
    headers = {"authorization": f"Bearer {KEY}"} | more.pop("headers", {})
    return HTTP.request(method, f"{envoy.url}/upstream/{path}", headers=headers, **more)


def test_openais_client_talks_to_openai_itself(envoy: Envoy, providers: Providers):
    client = openai.OpenAI(api_key=KEY, base_url=f"{envoy.url}/upstream/openai", max_retries=0)
    before = envoy.samples("dragoman_")
    providers.forget()
    got = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
    assert got.model.startswith("gpt-4o-") and got.choices[0].message.content
    (sent,) = providers.received()
    assert sent["headers"]["authorization"] == "Bearer sk-openai" and sent["path"] == "/v1/chat/completions"
    assert not [name for name in sent["headers"] if name.startswith("x-dragoman")]
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], stream=True))
    assert len(chunks) > 2
    assert [model.id for model in client.models.list()][0] == "gpt-4o"
    after = envoy.samples("dragoman_")
    requests = counted(before, after, "dragoman_requests_total")
    assert {(names[2], names[4]) for names in requests} == {("upstream", "200")} and sum(requests.values()) == 3
    assert not counted(before, after, "dragoman_tokens_total")


def test_answers_come_as_they_are(envoy: Envoy):
    got = ask(envoy, "POST", "openai/chat/completions", json={"model": "gpt-4o", "nonsense": 1})
    assert got.status_code == 400 and "nonsense" in got.json()["error"]["message"]
    assert got.headers["x-dragoman-upstream"] == "openai" and "openai-organization" not in got.headers
    assert got.headers["x-ratelimit-limit-requests"] == "1000"
    got = ask(envoy, "GET", "openai/models/nobody?x=1")
    assert got.status_code == 404 and got.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "openai/files", 403, "path_not_allowed"),
        ("DELETE", "openai/models/x", 403, "path_not_allowed"),
        ("GET", "openai", 400, None),
        ("POST", "closed/chat/completions", 404, "not_found"),
        ("POST", "nobody/chat/completions", 404, "not_found"),
        ("POST", "claude/v1/messages", 403, "upstream_not_allowed"),
        ("GET", "openai/models/%2e%2e/files", 400, None),
        ("GET", "openai/models/..%2ffiles", 400, None),
        ("GET", "openai/models//x", 400, None),
    ],
)
def test_nothing_else_passes(envoy: Envoy, providers: Providers, method: str, path: str, status: int, code: str | None):
    providers.forget()
    got = ask(envoy, method, path, json={} if method == "POST" else None)
    assert got.status_code == status, got.text
    # On its own paths Anthropic's clients get errors in their own format, which have no codes.
    assert got.json()["error"].get("code", code) == code
    assert providers.received() == []


def test_a_stranger_passes_nothing(envoy: Envoy):
    got = ask(envoy, "GET", "openai/models", headers={"authorization": "Bearer sk-wrong"})
    assert got.status_code == 401


def test_long_bodies_are_not_held(envoy: Envoy, providers: Providers):
    """The provider has the first bytes while the client is still at it."""
    sent = []

    def body() -> Iterator[bytes]:
        yield b'{"model":"gpt-4o","messages":[{"role":"user","content":"'
        for _ in range(100):
            sent.append(1)
            yield b"x" * 100_000
        yield b'"}]}'

    got = ask(envoy, "POST", "openai/chat/completions", content=body(), headers={"content-type": "application/json"})
    assert got.status_code == 200, got.text[:200]
    assert got.json()["usage"]["prompt_tokens"] > 1_000_000


def test_websockets_pass_with_the_gateways_key(envoy: Envoy):
    address = envoy.url.replace("http://", "ws://") + "/upstream/live/realtime?model=gpt-realtime"
    with connect(address, additional_headers={"authorization": f"Bearer {KEY}", "cookie": "a=b"}) as socket:
        head = json.loads(socket.recv())
        assert head["path"] == "/v1/realtime?model=gpt-realtime" and "cookie" not in head["headers"]
        for text in ("one", "two" * 10_000):
            socket.send(text)
            assert socket.recv() == f"heard {text}"
    for path, key, status in [("live/other", KEY, 403), ("live/realtime", "sk-wrong", 401)]:
        with pytest.raises(websockets.InvalidStatus) as refused:
            connect(envoy.url.replace("http://", "ws://") + f"/upstream/{path}", additional_headers={"authorization": f"Bearer {key}"})
        assert refused.value.response.status_code == status
