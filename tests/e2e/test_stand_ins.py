"""Models that stand in for others: where the conversation is too long, or the provider does not want it."""

import json

import pytest
from calls import HEADERS, KEY, call, content, counted, error, events, identified, logged
from conftest import HTTP, Envoy, Providers, Starter
from documents import CREDENTIALS, DEMO, KEYS, MOCKS, gateway_role, render, standalone, with_logs

UPSTREAM_MODELS = {"openai": "gpt-4.1", "claude": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash"}
GEMINI = {"provider": "gemini", "base_url": MOCKS["claude"]["base_url"], "credentials": {"api_key": {"value": "AIza-mock"}}}
UPSTREAMS = MOCKS | {"gemini": GEMINI}


def model(name: str, upstream: str, context: list[str] = (), policy: list[str] = (), **more) -> dict:
    fallbacks = {"context_window": list(context), "content_policy": list(policy)}
    return {
        "name": name,
        "upstreams": [upstream],
        "upstream_models": {upstream: UPSTREAM_MODELS[upstream]},
        "fallbacks": fallbacks,
    } | more


MODELS = [
    model("openai", "openai", ["claude"], ["claude"]),
    model("claude", "claude", ["openai"], ["openai"]),
    model("gemini", "gemini", ["claude"], ["claude"]),
    model("gemini-alone", "gemini"),
    # The second of a list, and a list of the second's.
    model("listed", "openai", ["other", "claude"]),
    model("other", "openai"),
    model("chained", "openai", ["first"]),
    model("first", "openai", ["second"]),
    model("second", "claude"),
    # A model has a smaller context than the conversation, as the price table says.
    model("small", "openai", ["claude"], upstream_models={"openai": "gpt-3.5-turbo"}),
    model("limited", "claude", limits={"rpm": 1}),
    model("to-limited", "openai", ["limited"]),
]

WORDS = {"too-long": "context_window", "flagged": "content_policy"}
OTHER = {"openai": "claude", "claude": "openai", "gemini": "claude"}
PROVIDER = {"openai": "openai", "claude": "anthropic", "gemini": "gemini"}


@pytest.fixture(scope="module")
def envoy(shared_gateway: Starter) -> Envoy:
    key = DEMO[0] | {"models": [model["name"] for model in MODELS if model["name"] != "second"], "limits": {"parallel": 9, "rpm": 10**6}}
    return shared_gateway(with_logs(render(gateway_role(UPSTREAMS, MODELS, keys=[key]))), env=KEYS)


def limits(envoy: Envoy) -> dict:
    return HTTP.get(f"{envoy.url}/v1/key", headers={"authorization": f"Bearer {KEY}"}).json()["limits"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("first", OTHER)
def test_another_model_answers(first: str, word: str, client: str, stream: bool, envoy: Envoy, providers: Providers):
    rpm = limits(envoy)["rpm"]["remaining"]
    before, headers = envoy.samples("dragoman_"), identified(client)
    providers.forget()
    text = f"Hi [mock {word} upstream={PROVIDER[first]}]"
    answer = call(envoy, client, first, text, headers=headers, stream=stream)
    assert answer.status_code == 200, answer.text
    assert content(answer, client) == "You said: Hi"
    assert answer.headers["x-dragoman-upstream"] == OTHER[first]
    assert answer.headers["x-dragoman-fallback"] == WORDS[word]
    assert answer.headers["x-dragoman-attempts"] == "2"
    assert "location" not in answer.headers
    if not stream:
        # The client knows nothing of the other model.
        assert answer.json()["model"] == first
    assert len(providers.received()) == 2
    after = envoy.samples("dragoman_")
    assert counted(before, after, "dragoman_fallbacks_total") == {(first, WORDS[word]): 1}
    requests = counted(before, after, "dragoman_requests_total")
    assert requests == {("demo", OTHER[first], client, PROVIDER[OTHER[first]], "200", OTHER[first]): 1}
    attempts = counted(before, after, "dragoman_attempts_total")
    assert attempts == {(PROVIDER[first], "4xx", first): 1, (PROVIDER[OTHER[first]], "ok", OTHER[first]): 1}
    # One call, one line, one place of those at once, which has come back.
    line, *attempts = logged(envoy, headers, attempts=2)
    assert len(attempts) == 2
    assert (line["status"], line["upstream"]) == (200, OTHER[first])
    usage = json.loads(line["usage"])
    assert (usage["fallback"], usage["attempts"]) == (WORDS[word], 2)
    for log in [line, *attempts]:
        assert [log[f"sent {name}"] for name in CREDENTIALS] == [None, None]
    left = limits(envoy)
    assert left["parallel"]["remaining"] == 9 and rpm - left["rpm"]["remaining"] == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", HEADERS)
def test_what_a_provider_blocks_without_an_error(client: str, stream: bool, envoy: Envoy):
    answer = call(envoy, client, "gemini", "Please refuse", stream=stream)
    assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "claude"), answer.text
    assert answer.headers["x-dragoman-fallback"] == "content_policy"


@pytest.mark.parametrize("client", HEADERS)
def test_what_is_blocked_ends_as_it_should_where_no_model_stands_in(client: str, envoy: Envoy):
    answer = call(envoy, client, "gemini-alone", "Please refuse [mock split=20]", stream=True)
    assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "gemini"), answer.text
    last = events(answer.text)[-1]
    assert last.data == "[DONE]" or last.json["type"] == "message_stop"


@pytest.mark.parametrize("name", ["listed", "chained"])
def test_models_are_tried_in_order_and_none_twice(name: str, envoy: Envoy, providers: Providers):
    providers.forget()
    answer = call(envoy, "chat", name, "Hi [mock too-long upstream=openai]")
    assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "claude"), answer.text
    assert answer.headers["x-dragoman-attempts"] == "3"
    assert len(providers.received()) == 3


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", HEADERS)
def test_the_last_word_is_the_last_models(client: str, stream: bool, envoy: Envoy, providers: Providers):
    before = envoy.samples("dragoman_")
    providers.forget()
    answer = call(envoy, client, "openai", "Hi [mock too-long]", stream=stream)
    assert answer.status_code == 400
    assert "prompt is too long: 208310 tokens" in error(answer, client)["message"]
    if client == "chat":
        assert error(answer, client)["code"] == "context_length_exceeded"
    assert len(providers.received()) == 2
    requests = counted(before, envoy.samples("dragoman_"), "dragoman_requests_total")
    assert requests == {("demo", "claude", client, "anthropic", "400", "claude"): 1}


@pytest.mark.parametrize("client", HEADERS)
def test_the_first_models_error_stands_where_the_other_has_no_room(client: str, envoy: Envoy):
    call(envoy, client, "limited")
    before = envoy.samples("dragoman_")
    answer = call(envoy, client, "to-limited", "Hi [mock too-long]")
    assert answer.status_code == 400
    assert "maximum context length is 8192 tokens" in error(answer, client)["message"]
    assert (answer.headers["x-dragoman-upstream"], answer.headers["x-dragoman-attempts"]) == ("openai", "1")
    after = envoy.samples("dragoman_")
    requests = counted(before, after, "dragoman_requests_total")
    assert requests == {("demo", "to-limited", client, "openai", "400", "openai"): 1}
    assert counted(before, after, "dragoman_fallbacks_total") == {}


@pytest.mark.parametrize("role", [gateway_role, standalone])
@pytest.mark.parametrize("client", HEADERS)
def test_what_is_known_to_be_too_long_goes_to_the_other_at_once(
    client: str, role, shared_gateway: Starter, providers: Providers
):
    envoy = shared_gateway(render(role(UPSTREAMS, MODELS)), env=KEYS)
    before = envoy.samples("dragoman_")
    providers.forget()
    answer = call(envoy, client, "small", "word " * 20_000)
    assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "claude"), answer.text[:300]
    assert (answer.headers["x-dragoman-fallback"], answer.headers["x-dragoman-attempts"]) == ("context_window", "1")
    assert len(providers.received()) == 1
    fallbacks = counted(before, envoy.samples("dragoman_"), "dragoman_fallbacks_total")
    assert fallbacks == {("small", "context_window"): 1}
    assert call(envoy, client, "small").headers["x-dragoman-upstream"] == "openai"


def test_a_providers_own_redirect_is_not_followed(envoy: Envoy, providers: Providers):
    providers.forget()
    answer = call(envoy, "chat", "other", "Hi [mock redirect]")
    assert (answer.status_code, error(answer, "chat")["code"]) == (502, "bad_upstream_answer")
    assert {request["path"] for request in providers.received()} == {"/v1/chat/completions"}


def test_nobody_takes_up_a_call_of_others(envoy: Envoy):
    headers = {"x-dragoman-fallback": "0" * 32, "content-type": "application/json"}
    body = {"model": "openai", "messages": [{"role": "user", "content": "Hi"}]}
    assert HTTP.post(f"{envoy.url}/v1/chat/completions", json=body, headers=headers).status_code == 401


def test_routes_that_do_not_go_around_leave_the_error_as_it_is(gateway: Starter):
    config = with_logs(render(gateway_role(UPSTREAMS, MODELS)))
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    for route in manager["route_config"]["virtual_hosts"][0]["routes"]:
        route["route"].pop("internal_redirect_policy", None)
    envoy = gateway(config, env=KEYS)
    for stream in [False, True]:
        answer = call(envoy, "chat", "openai", "Hi [mock too-long upstream=openai]", stream=stream)
        assert answer.status_code == 400, answer.text
        assert error(answer, "chat")["code"] == "context_length_exceeded"
        assert "location" not in answer.headers
    assert "wasm_fail" not in envoy.output()


def test_a_call_that_goes_around_keeps_its_body(envoy: Envoy, providers: Providers):
    providers.forget()
    text = "Hi [mock too-long upstream=openai] " + "x" * (8 << 20)
    answer = call(envoy, "chat", "openai", text)
    assert answer.status_code == 200, answer.text[:300]
    assert answer.headers["x-dragoman-upstream"] == "claude"
    assert len(providers.received()[-1]["body"]["messages"][0]["content"]) >= 8 << 20
