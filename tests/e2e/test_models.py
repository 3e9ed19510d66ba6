"""`models` and `health`: what the filter answers itself, in the shape that the client knows."""

import anthropic.types
import openai.types
import pytest
from calls import HEADERS, error
from conftest import HTTP, Envoy, Providers, Starter
from documents import KEYS, MOCKS, gateway_role, render, standalone
from hostile import keys
from official import read

MODELS = [
    {"name": "smart", "aliases": ["gpt-4.1"], "upstreams": ["openai"]},
    {"name": "anthropic/*", "upstreams": ["claude"]},
    {"name": "hidden", "upstreams": ["claude"]},
]
ALL = ["smart", "gpt-4.1", "hidden"]
LIMITED = [
    {"id": "by-name", "models": ["smart"]},
    {"id": "by-alias", "models": ["gpt-4.1"]},
    {"id": "by-pattern", "models": ["anthropic/*"]},
    {"id": "in-a-pattern", "models": ["anthropic/claude-haiku-4-5", "hidden"]},
    {"id": "nothing", "models": []},
]


@pytest.fixture(scope="module", params=[standalone, gateway_role])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter) -> Envoy:
    return shared_gateway(render(request.param(MOCKS, MODELS, keys=keys(*LIMITED))), env=KEYS)


@pytest.fixture(autouse=True)
def no_provider_is_asked(providers: Providers):
    providers.forget()
    yield
    assert providers.received() == []


def get(envoy: Envoy, client: str, path: str, key: str = "demo", method: str = "GET"):
    versions = {name: value for name, value in HEADERS[client].items() if name == "anthropic-version"}
    return HTTP.request(method, envoy.url + path, headers={"authorization": f"Bearer sk-{key}"} | versions)


def listed(envoy: Envoy, client: str, key: str) -> list[str]:
    answer = get(envoy, client, "/v1/models", key)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    body = answer.json()
    ids = [model["id"] for model in body["data"]]
    if client == "chat":
        assert body.keys() == {"object", "data"} and body["object"] == "list"
    else:
        ends = {"first_id": ids[0], "last_id": ids[-1]} if ids else {"first_id": None, "last_id": None}
        assert body == {"data": body["data"], "has_more": False, **ends}
    return ids


@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize(
    ("key", "models"),
    [
        ("demo", ALL),
        ("by-name", ["smart", "gpt-4.1"]),
        ("by-alias", ["gpt-4.1"]),
        # What a pattern matches cannot be told, but where the key says it.
        ("by-pattern", []),
        ("in-a-pattern", ["hidden", "anthropic/claude-haiku-4-5"]),
        ("nothing", []),
    ],
)
def test_the_list_holds_what_the_key_may_use(key: str, models: list[str], client: str, envoy: Envoy):
    assert listed(envoy, client, key) == models


@pytest.mark.parametrize("path", ["/models", "/v1/models/", "/v1/models?limit=1000"])
def test_the_list_has_other_paths(path: str, envoy: Envoy):
    assert get(envoy, "chat", path).json().keys() == {"object", "data"}


@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize(
    ("key", "path", "name"),
    [
        ("demo", "smart", "smart"),
        ("demo", "gpt-4.1", "gpt-4.1"),
        ("demo", "anthropic/claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        # As the SDKs write it.
        ("demo", "anthropic%2Fclaude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("by-name", "gpt-4.1", "gpt-4.1"),
        ("by-alias", "gpt-4.1", "gpt-4.1"),
        ("by-pattern", "anthropic/anything", "anthropic/anything"),
        ("in-a-pattern", "anthropic/claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
    ],
)
def test_one_model(key: str, path: str, name: str, client: str, envoy: Envoy):
    answer = get(envoy, client, f"/v1/models/{path}", key)
    assert (answer.status_code, answer.json()["id"]) == (200, name)
    kinds = {"chat": openai.types.Model, "messages": anthropic.types.ModelInfo}
    assert read(kinds[client], answer.text) == set()
    # It is as the list has it.
    if client == "messages" and name in ALL:
        assert answer.json() in get(envoy, client, "/v1/models").json()["data"]


@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize(
    ("key", "path", "status"),
    [
        ("demo", "nobody", 404),
        ("demo", "anthropic/", 404),
        ("demo", "smart/x", 404),
        ("demo", "%00", 404),
        ("demo", "..%2f..%2fadmin", 404),
        ("demo", "m" * 1000, 404),
        ("by-name", "hidden", 403),
        ("by-alias", "smart", 403),
        ("by-pattern", "smart", 403),
        ("in-a-pattern", "anthropic/claude-opus-4-5", 403),
        ("nothing", "smart", 403),
    ],
)
def test_a_model_that_is_not_for_this_key(key: str, path: str, status: int, client: str, envoy: Envoy):
    answer = get(envoy, client, f"/v1/models/{path}", key)
    assert answer.status_code == status, answer.text
    told = error(answer, client)
    kinds = {(404, "chat"): "invalid_request_error", (404, "messages"): "not_found_error"}
    assert told["type"] == kinds.get((status, client), "permission_error")


@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/smart"])
def test_models_need_a_key(path: str, client: str, envoy: Envoy):
    answer = get(envoy, client, path, "wrong")
    assert (answer.status_code, error(answer, client)["type"]) == (401, "authentication_error")


def test_a_configuration_without_models_lists_none(shared_gateway: Starter):
    # Any name goes there, so none can be told.
    envoy = shared_gateway(render(standalone({"openai": MOCKS["openai"]})), env=KEYS)
    assert listed(envoy, "chat", "demo") == []
    assert get(envoy, "chat", "/v1/models/anything").json()["id"] == "anything"


@pytest.mark.parametrize("headers", [{}, HEADERS["chat"], {"authorization": "Bearer wrong"}])
def test_health_needs_no_key(headers: dict, envoy: Envoy):
    answer = HTTP.get(f"{envoy.url}/health", headers=headers)
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, "application/json", {"status": "ok"})
    answer = HTTP.head(f"{envoy.url}/health", headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
