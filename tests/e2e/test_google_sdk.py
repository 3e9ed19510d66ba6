"""Google's own library, `google-genai`, as a client of upstreams of every format."""

import base64
from collections.abc import Iterator

import pytest
from calls import KEY, counted
from conftest import HTTP, Envoy, Starter
from documents import KEYS, gateway_role, render, standalone
from google import genai
from google.genai import errors, types
from pydantic import BaseModel
from test_gemini import SECRETS, UPSTREAMS

MODELS = {
    "claude": ("claude", "claude-sonnet-4-5"),
    "gpt": ("openai", "gpt-4.1"),
    "gemini": ("gemini", "gemini-3.8-flash"),
    "vertex": ("vertex", "gemini-3.8-flash"),
}
ALL = list(MODELS)
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


class City(BaseModel):
    name: str
    people: int


@pytest.fixture(scope="module", params=[gateway_role, standalone])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter) -> Envoy:
    models = [
        {"name": name, "upstreams": [upstream], "upstream_models": {upstream: model}, "retries": 0}
        for name, (upstream, model) in MODELS.items()
    ]
    return shared_gateway(render(request.param(UPSTREAMS, models)), env=KEYS)


@pytest.fixture(autouse=True)
def secrets_stay_secret(envoy: Envoy) -> Iterator[None]:
    yield
    told = envoy.output() + HTTP.get(f"{envoy.admin}/stats").text
    for secret in [KEY, *KEYS.values(), *SECRETS.values()]:
        assert secret not in told
    assert "wasm_fail" not in told and "Function: " not in told


def connect(envoy: Envoy, key: str = KEY) -> genai.Client:
    return genai.Client(api_key=key, http_options={"base_url": envoy.url})


@pytest.fixture
def client(envoy: Envoy) -> genai.Client:
    return connect(envoy)


@pytest.mark.parametrize("model", ALL)
def test_whole_and_streamed_are_the_same(envoy: Envoy, client: genai.Client, model: str):
    before = envoy.samples("dragoman_")
    config = {"system_instruction": "Be brief.", "temperature": 0.5, "max_output_tokens": 500}
    whole = client.models.generate_content(model=model, contents="Tell me of foxes", config=config)
    assert whole.text and whole.model_version == model
    assert whole.candidates[0].finish_reason == types.FinishReason.STOP
    after = envoy.samples("dragoman_")
    upstream = MODELS[model][0]
    ((labels, count),) = counted(before, after, "dragoman_requests_total").items()
    assert (labels[1], labels[2], labels[4], count) == (model, "generate_content", "200", 1), labels
    tokens = counted(before, after, "dragoman_tokens_total")
    both = sum(count for names, count in tokens.items() if {"input", "output"} & set(names))
    assert both == whole.usage_metadata.total_token_count and upstream in str(tokens)
    chunks = list(client.models.generate_content_stream(model=model, contents="Tell me of foxes", config=config))
    assert "".join(chunk.text or "" for chunk in chunks) == whole.text and len(chunks) > 2
    assert {chunk.model_version for chunk in chunks} == {model}
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert chunks[-1].usage_metadata.candidates_token_count == whole.usage_metadata.candidates_token_count


def get_weather(city: str) -> dict:
    """The weather in a city."""
    return {"sky": "clear", "degrees": 20}


@pytest.mark.parametrize("model", ALL)
def test_functions_are_called_by_the_library(client: genai.Client, model: str):
    """The library runs the loop: it gives back the calls of the model as it got them."""
    config = types.GenerateContentConfig(tools=[get_weather])
    got = client.models.generate_content(model=model, contents="Use get_weather for Paris", config=config)
    assert "clear" in got.text
    roles = [content.role for content in got.automatic_function_calling_history]
    assert roles == ["user", "model", "user"]


@pytest.mark.parametrize("model", ALL)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_chat_of_ten_turns_thinks_and_calls(client: genai.Client, model: str, streamed: bool):
    """Thought and calls go back as they came: the mock refuses thought that is not signed, or not whole."""
    # The newer of Google's models take no budget.
    how = {"thinking_budget": 2048} if model in ("claude", "gpt") else {"thinking_level": "HIGH"}
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[types.FunctionDeclaration.from_callable(client=client._api_client, callable=get_weather)])],
        thinking_config=types.ThinkingConfig(include_thoughts=True, **how),
    )
    chat = client.chats.create(model=model, config=config)

    def say(message: object) -> list[types.Part]:
        answers = list(chat.send_message_stream(message)) if streamed else [chat.send_message(message)]
        return [part for answer in answers for part in (answer.candidates[0].content.parts or []) if answer.candidates]

    thoughts = 0
    for turn in range(5):
        parts = say(f"Use get_weather for city number {turn}")
        thoughts += any(part.thought for part in parts)
        calls = [part.function_call for part in parts if part.function_call]
        assert [call.name for call in calls] == ["get_weather"] and "city" in calls[0].args
        result = types.Part.from_function_response(name="get_weather", response={"sky": f"number {turn}"})
        result.function_response.id = calls[0].id
        said = "".join(part.text or "" for part in say(result) if not part.thought)
        assert f"number {turn}" in said
    assert thoughts == (0 if model == "gpt" else 5)
    assert len(chat.get_history(curated=True)) >= 20


@pytest.mark.parametrize("model", ALL)
def test_answers_keep_to_a_schema(client: genai.Client, model: str):
    config = {"response_mime_type": "application/json", "response_schema": City}
    got = client.models.generate_content(model=model, contents="A city", config=config)
    assert isinstance(got.parsed, City)


@pytest.mark.parametrize("model", ALL)
def test_pictures_are_seen(client: genai.Client, model: str):
    contents = ["What is it?", types.Part.from_bytes(data=PNG, mime_type="image/png")]
    assert "image" in client.models.generate_content(model=model, contents=contents).text.lower()


@pytest.mark.parametrize("model", ALL)
def test_tokens_are_counted(client: genai.Client, model: str):
    assert client.models.count_tokens(model=model, contents="The quick brown fox").total_tokens > 0


def test_models_are_listed(client: genai.Client):
    assert [model.name for model in client.models.list()] == [f"models/{name}" for name in ALL]
    assert client.models.get(model="claude").name == "models/claude"


def test_errors_are_googles(envoy: Envoy, client: genai.Client):
    with pytest.raises(errors.ClientError) as unknown:
        client.models.generate_content(model="nobody", contents="Hi")
    assert (unknown.value.code, unknown.value.status) == (404, "NOT_FOUND") and "nobody" in unknown.value.message
    other = connect(envoy, "sk-wrong")
    with pytest.raises(errors.ClientError) as stranger:
        other.models.generate_content(model="claude", contents="Hi")
    assert (stranger.value.code, stranger.value.status) == (401, "UNAUTHENTICATED")
    for model in ALL:
        with pytest.raises(errors.ClientError) as limited:
            client.models.generate_content(model=model, contents="Hi [mock status=429]")
        assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")
        with pytest.raises(errors.APIError):
            list(client.models.generate_content_stream(model=model, contents="Hi [mock error_after=3]"))
    path = "/v1beta/models/claude:streamGenerateContent"
    got = HTTP.post(envoy.url + path, json={"contents": []}, headers={"x-goog-api-key": KEY})
    assert got.status_code == 400 and "alt=sse" in got.json()["error"]["message"]
    got = HTTP.post(f"{envoy.url}/v1beta/models/claude:embedContent", json={}, headers={"x-goog-api-key": KEY})
    assert got.status_code == 404 and got.json()["error"]["status"] == "NOT_FOUND"


def test_clouds_paths_are_understood(envoy: Envoy):
    path = "/v1/projects/p/locations/l/publishers/google/models/claude:generateContent"
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    got = HTTP.post(envoy.url + path, json=body, headers={"authorization": f"Bearer {KEY}"})
    assert got.status_code == 200 and got.json()["candidates"][0]["content"]["parts"]
