"""Paths and methods: which ones lead somewhere, and what the others are told."""

import pytest
from calls import HEADERS, PATHS, body, call, converse, error, request
from conftest import HTTP, Envoy, Providers, Starter
from documents import KEYS, MOCKS, gateway_role, render, standalone
from hostile import keys

MODELS = [
    {"name": "open", "upstreams": ["openai"], "upstream_models": {"openai": "gpt-4.1"}, "retries": 0},
    {"name": "team/claude", "upstreams": ["claude"], "upstream_models": {"claude": "claude-sonnet-4-5"}, "retries": 0},
]


@pytest.fixture(scope="module", params=[standalone, gateway_role])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter) -> Envoy:
    document = request.param(MOCKS, MODELS, keys=keys({"id": "narrow", "models": ["open"]}))
    return shared_gateway(render(document), env=KEYS)


@pytest.fixture(scope="module")
def routes(shared_gateway: Starter) -> Envoy:
    return shared_gateway("envoy/routes.yaml", env=KEYS)


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("form", ["{}", "{}/", "{}?x=1&y=/v1/models", "{}#part"])
@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_paths_of_calls(prefix: str, form: str, client: str, envoy: Envoy):
    path = form.format(prefix + PATHS[client].removeprefix("/v1"))
    raw = b'{"model": "open", "messages": [{"role": "user", "content": "Hi"}]}'
    headers = HEADERS[client] | {"content-length": str(len(raw)), "connection": "close"}
    answer = converse(envoy, request(client, raw, headers, path=path))
    # Envoy itself refuses a fragment.
    assert answer.status_code == (400 if "#" in path else 200), answer.text


ELSEWHERE = [
    "/",
    "/v1",
    "/v2/chat/completions",
    "//v1/chat/completions",
    "/v1//chat/completions",
    "/v1/../v1/chat/completions",
    "/v1/chat%2Fcompletions",
    "/V1/Chat/Completions",
    "/v1/chat/completions/x",
    "/team/v1/chat/completions",
    "/v1/messages/count_tokens/x",
    "/openai/deployments/chat-completions",
    "/openai/deployments/open/nothing",
    "/health/x",
]


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
@pytest.mark.parametrize("path", ELSEWHERE)
def test_paths_that_lead_nowhere(path: str, method: str, client: str, envoy: Envoy, providers: Providers):
    providers.forget()
    more = {"connection": "close"} | ({"content-length": "2"} if method == "POST" else {})
    raw = b"{}" if method == "POST" else b""
    answer = converse(envoy, request(client, raw, HEADERS[client] | more, method, path), method=method)
    assert answer.status_code == 404, answer.text
    if method == "HEAD":
        assert answer.content == b"" and answer.headers["content-type"] == "application/json"
    else:
        # Who calls such a path knows OpenAI's format, whatever else he sends.
        format = "chat" if path.endswith("/chat/completions") else client
        kinds = {"chat": "invalid_request_error", "messages": "not_found_error"}
        assert error(answer, format)["type"] == kinds[format]
    assert providers.received() == []


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [(method, path, "POST") for path in PATHS.values() for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]]
    + [(method, path, "GET") for path in ["/v1/models", "/v1/models/open", "/health"] for method in ["POST", "OPTIONS", "DELETE"]],
)  # fmt: skip
def test_methods_that_a_path_does_not_take(method: str, path: str, takes: str, envoy: Envoy):
    client = "messages" if path == PATHS["messages"] else "chat"
    answer = HTTP.request(method, envoy.url + path, headers=HEADERS[client])
    assert answer.status_code == 405
    if method != "HEAD":
        told = error(answer, client)
        assert (told["type"], told["message"]) == ("invalid_request_error", f"this path takes {takes} only")


# Azure's

NAMELESS = {name: value for name, value in body("chat", "", "Hi").items() if name != "model"}


@pytest.mark.parametrize(
    ("path", "upstream"),
    [
        ("/openai/deployments/open/chat/completions?api-version=2024-10-21", "openai"),
        ("/openai/deployments/open/chat/completions", "openai"),
        # As the SDK writes a name with a slash.
        ("/openai/deployments/team%2Fclaude/chat/completions?api-version=2024-10-21", "claude"),
    ],
)
@pytest.mark.parametrize("more", [{}, {"model": "nobody"}, {"stream": True}])
def test_azures_paths_name_the_model(path: str, upstream: str, more: dict, envoy: Envoy, providers: Providers):
    providers.forget()
    answer = HTTP.post(envoy.url + path, json=NAMELESS | more, headers={"api-key": "sk-demo"})
    assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, upstream), answer.text
    model = {"openai": "open", "claude": "team/claude"}[upstream]
    assert f'"{model}"' in answer.text
    (received,) = providers.received()
    assert received["body"]["model"] == {"openai": "gpt-4.1", "claude": "claude-sonnet-4-5"}[upstream]
    # Neither the query nor the key is the provider's.
    assert "?" not in received["path"] and "api-key" not in received["headers"]


@pytest.mark.parametrize(("key", "name", "status"), [("wrong", "open", 401), ("narrow", "team%2Fclaude", 403), ("demo", "nobody", 404)])
def test_azures_paths_are_guarded(key: str, name: str, status: int, envoy: Envoy):
    # The body's model does not count.
    sent = NAMELESS | {"model": "open"}
    answer = HTTP.post(f"{envoy.url}/openai/deployments/{name}/chat/completions", json=sent, headers={"api-key": f"sk-{key}"})
    assert answer.status_code == status, answer.text
    assert error(answer, "chat")["message"]


# A team's own


@pytest.mark.parametrize(("team", "model", "upstream"), [("a", "gpt-4.1", "openai"), ("b", "claude-sonnet-4-5", "claude")])
@pytest.mark.parametrize("form", ["/team-{}/v1/chat/completions", "/team-{}/chat/completions", "/team-{}/any/where/v1/chat/completions"])
def test_a_teams_routes_choose(form: str, team: str, model: str, upstream: str, routes: Envoy):
    answer = call(routes, "chat", model, path=form.format(team))
    assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, upstream), answer.text


def test_a_teams_routes_take_azures_paths_and_models(routes: Envoy):
    headers = {"api-key": "sk-demo"}
    answer = HTTP.post(f"{routes.url}/team-a/openai/deployments/gpt-4.1/chat/completions", json=NAMELESS, headers=headers)
    assert (answer.status_code, answer.json()["model"]) == (200, "gpt-4.1"), answer.text
    assert HTTP.get(f"{routes.url}/team-a/v1/models", headers=headers).json()["data"] == []
    assert HTTP.get(f"{routes.url}/team-a/v1/models/gpt-4.1", headers=headers).json()["id"] == "gpt-4.1"


@pytest.mark.parametrize("upstream", ["openai", "claude", "nobody"])
def test_no_header_of_a_clients_chooses(upstream: str, routes: Envoy, providers: Providers):
    headers = HEADERS["chat"] | {"x-dragoman-upstream": upstream}
    answer = call(routes, "chat", "gpt-4.1", path="/team-a/v1/chat/completions", headers=headers)
    assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "openai"), answer.text
    providers.forget()
    for path in ["/v1/chat/completions", "/team-c/v1/chat/completions", "/team-ax/v1/chat/completions"]:
        assert call(routes, "chat", "gpt-4.1", path=path, headers=headers).status_code in (404, 503)
    assert providers.received() == []
