"""Formats that no client speaks, and OpenAI's in other providers' envelopes, through the official SDKs.

The mock providers refuse what the real ones would, so a call that succeeds was sent as its provider wants it.
"""

import base64
import json

import anthropic
import openai
import pytest
from calls import KEY
from conftest import PROVIDERS, Envoy, Providers, Starter
from documents import KEYS, gateway_role, render, standalone

HERE = f"http://127.0.0.1:{PROVIDERS}"


def upstream(provider: str, base_url: str = HERE, **options: str) -> dict:
    keyed = "none" if provider == "ollama" else {"api_key": {"env": "OPENAI_API_KEY"}}
    return {"provider": provider, "base_url": base_url, "credentials": keyed} | ({"options": options} if options else {})


UPSTREAMS = {
    "openai": upstream("openai", f"{HERE}/v1"),
    "cohere": upstream("cohere"),
    "ollama": upstream("ollama"),
    "azure": upstream("azure", api_version="2024-10-21"),
    "azure-v1": upstream("azure", api_version="v1"),
    # Its key is exchanged for a token.
    "watsonx": upstream("watsonx", project="p-1")
    | {"credentials": {"ibm_iam": {"api_key": {"env": "OPENAI_API_KEY"}, "authority": HERE, "cluster": "tokens"}}},
}
# Each upstream by its name, as a model of its own.
MODELS = [{"name": name, "upstreams": [name]} for name in UPSTREAMS]
MODELS.append({"name": "steered", "upstreams": ["cohere", "openai"]})

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = f"data:image/png;base64,{PIXEL}"
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}  # fmt: skip
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}

each = pytest.mark.parametrize("model", list(UPSTREAMS))


@pytest.fixture(scope="module")
def envoy(shared_gateway: Starter) -> Envoy:
    envoy = shared_gateway(render(gateway_role(UPSTREAMS, MODELS)), KEYS)
    client = openai.OpenAI(base_url=f"{envoy.url}/v1", api_key=KEY, max_retries=9)
    assert client.chat.completions.create(model="watsonx", messages=[{"role": "user", "content": "Hi"}]).choices
    return envoy


@pytest.fixture(scope="module")
def chat(envoy: Envoy) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{envoy.url}/v1", api_key=KEY, max_retries=0)


@pytest.fixture(scope="module")
def claude(envoy: Envoy) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=envoy.url, api_key=KEY, max_retries=0)


def user(text: str, *parts: dict) -> list:
    return [{"role": "user", "content": [{"type": "text", "text": text}, *parts] if parts else text}]


@each
def test_chat(chat: openai.OpenAI, model: str):
    answer = chat.chat.completions.create(model=model, messages=user("Grüße 👋"))
    assert answer.choices[0].message.content == "You said: Grüße 👋"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


@each
def test_chat_streamed(chat: openai.OpenAI, model: str):
    """Split wherever it falls."""
    asked = {"model": model, "messages": user("Grüße 👋 [mock split=7]"), "stream_options": {"include_usage": True}}
    with chat.chat.completions.stream(**asked) as stream:
        stream.until_done()
    answer = stream.get_final_completion()
    assert answer.choices[0].message.content == "You said: Grüße 👋"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens > 0


@each
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
def test_tools(chat: openai.OpenAI, model: str, streams: bool):
    """A call and the turn with its result."""
    asked = {"model": model, "messages": user("weather"), "tools": [TOOL]}
    if streams:
        with chat.chat.completions.stream(**asked) as stream:
            stream.until_done()
        answer = stream.get_final_completion()
    else:
        answer = chat.chat.completions.create(**asked)
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    call = choice.message.tool_calls[0]
    assert call.id and call.function.name == "get_weather" and "city" in json.loads(call.function.arguments)
    said = choice.message.model_dump(exclude_none=True, include={"role", "content"})
    calls = [{"id": call.id, "type": "function",
              "function": {"name": call.function.name, "arguments": call.function.arguments}}]  # fmt: skip
    result = {"role": "tool", "tool_call_id": call.id, "content": "22 degrees"}
    turns = [*asked["messages"], said | {"tool_calls": calls}, result]
    answer = chat.chat.completions.create(**asked | {"messages": turns})
    assert answer.choices[0].finish_reason == "stop" and answer.choices[0].message.content


@each
def test_structured(chat: openai.OpenAI, model: str):
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": SCHEMA}}
    answer = chat.chat.completions.create(model=model, messages=user("Hi"), response_format=wanted)
    assert json.loads(answer.choices[0].message.content).keys() == {"city"}


@each
def test_picture(chat: openai.OpenAI, model: str):
    parts = user("Hi", {"type": "image_url", "image_url": {"url": PICTURE}})
    assert chat.chat.completions.create(model=model, messages=parts).choices[0].message.content


@each
def test_errors(chat: openai.OpenAI, model: str):
    with pytest.raises(openai.BadRequestError) as refused:
        chat.chat.completions.create(model=model, messages=user("[mock status=400]"))
    assert refused.value.body["message"]


@each
def test_claude(claude: anthropic.Anthropic, model: str):
    asked = {"model": model, "max_tokens": 99, "messages": user("Grüße 👋")}
    answer = claude.messages.create(**asked)
    assert [block.text for block in answer.content] == ["You said: Grüße 👋"]
    with claude.messages.stream(**asked) as stream:
        assert stream.get_final_text() == "You said: Grüße 👋"
    assert stream.get_final_message().stop_reason == "end_turn"


@each
def test_embeddings(chat: openai.OpenAI, model: str):
    """The SDK asks for base64 and unpacks it; a number at a time it must be the same."""
    packed = chat.embeddings.create(model=model, input=["one", "two"])
    assert [found.index for found in packed.data] == [0, 1]
    plain = chat.embeddings.create(model=model, input=["one", "two"], encoding_format="float")
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6) and one.embedding
    assert packed.usage.total_tokens > 0


def test_steering(gateway: Starter, providers: Providers):
    """A document goes past an upstream that takes none, where the filter chooses and not a load balancer."""
    envoy = gateway(render(standalone(UPSTREAMS, MODELS)), KEYS)
    chat = openai.OpenAI(base_url=f"{envoy.url}/v1", api_key=KEY, max_retries=0)
    pdf = base64.b64encode(b"%PDF-1.4\n").decode()
    part = {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{pdf}"}}
    for parts, path in (((part,), "/v1/chat/completions"), ((), "/v2/chat")):
        providers.forget()
        chat.chat.completions.create(model="steered", messages=user("Hi", *parts))
        assert [request["path"] for request in providers.received()] == [path]
