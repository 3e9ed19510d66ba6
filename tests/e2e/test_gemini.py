"""Gemini behind a real Envoy, for the clients of OpenAI and of Anthropic: at the Gemini API and at Google Cloud.

The mock provider takes a call's signature only as it was given, and wants one with the first call of every step. So a
loop of tools that ends shows that the signature went through a client that knows nothing of it, and back.
"""

import base64
import json
from collections.abc import Iterator

import anthropic
import openai
import pytest
from calls import HEADERS, KEY, call
from conftest import HTTP, PROVIDERS, Envoy, Providers, Starter
from documents import KEYS, MOCKS, gateway_role, render
from pydantic import BaseModel

SECRETS = {"gemini": "AIza-gemini", "vertex": "AQ.vertex"}
MOCK = {"base_url": f"http://127.0.0.1:{PROVIDERS}"}
UPSTREAMS = MOCKS | {
    "gemini": {"provider": "gemini", "credentials": {"api_key": {"value": SECRETS["gemini"]}}} | MOCK,
    "vertex": {
        "provider": "vertex",
        "credentials": {"api_key": {"value": SECRETS["vertex"]}},
        "options": {"project": "demo", "region": "us-central1"},
    } | MOCK,
}  # fmt: skip
MODELS = {
    "gemini": ("gemini", "gemini-3.8-flash"),
    "gemini-old": ("gemini", "gemini-2.5-flash"),
    "gemini-draws": ("gemini", "gemini-3-pro-image"),
    "gemini-embeds": ("gemini", "gemini-embedding-001"),
    "vertex": ("vertex", "gemini-3.8-flash"),
    "vertex-embeds": ("vertex", "gemini-embedding-001"),
    "vertex-embeds-old": ("vertex", "text-embedding-005"),
    "vertex-claude": ("vertex", "claude-sonnet-4-5@20250929"),
    "vertex-llama": ("vertex", "meta/llama-4-maverick-17b-128e-instruct-maas"),
    "gpt": ("openai", "gpt-4.1"),
    "claude": ("claude", "claude-sonnet-4-5"),
}
BOTH = {"gemini": "gemini-3.8-flash", "vertex": "gemini-3.8-flash"}
# Where each upstream is reached.
DOORS = {"gemini": "/v1beta/models/", "vertex": "/v1/projects/demo/locations/us-central1/publishers/google/models/"}

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
OPENAI_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
ANTHROPIC_TOOL = {"name": "get_weather", "input_schema": SCHEMA}


class Person(BaseModel):
    name: str
    age: int


@pytest.fixture(scope="module")
def envoy(shared_gateway: Starter) -> Envoy:
    models = [
        {"name": name, "upstreams": [upstream], "upstream_models": {upstream: model}, "retries": 0}
        for name, (upstream, model) in MODELS.items()
    ]
    models.append({"name": "either", "upstreams": ["gemini", "vertex"], "upstream_models": BOTH})
    return shared_gateway(render(gateway_role(UPSTREAMS, models)), env=KEYS)


@pytest.fixture(autouse=True)
def secrets_stay_secret(envoy: Envoy) -> Iterator[None]:
    yield
    told = envoy.output() + HTTP.get(f"{envoy.admin}/stats").text
    for secret in [KEY, *KEYS.values(), *SECRETS.values()]:
        assert secret not in told
    assert "wasm_fail" not in told and "Function: " not in told


@pytest.fixture(params=DOORS)
def model(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def gpt(envoy: Envoy) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{envoy.url}/v1", api_key=KEY, max_retries=0)


@pytest.fixture
def claude(envoy: Envoy) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=envoy.url, api_key=KEY, max_retries=0)


def said(content: str | list) -> list[dict]:
    return [{"role": "user", "content": content}]


def last(providers: Providers) -> dict:
    """What the provider received last, with the key that it knows us by."""
    request = providers.received()[-1]
    assert request["headers"]["x-goog-api-key"] in SECRETS.values()
    assert not {"authorization", "x-api-key", "cookie"} & request["headers"].keys()
    return request


# OpenAI's client


def test_chat(model: str, gpt: openai.OpenAI, providers: Providers):
    answer = gpt.chat.completions.create(model=model, messages=[{"role": "system", "content": "Be brief."}, *said("Hi")])
    assert answer.model == model
    assert answer.choices[0].message.content == "You said: Hi"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 5
    assert answer.service_tier == "default"
    request = last(providers)
    assert request["path"] == f"{DOORS[model]}gemini-3.8-flash:generateContent"
    assert request["body"]["systemInstruction"] == {"parts": [{"text": "Be brief."}]}


def test_chat_stream(model: str, gpt: openai.OpenAI, providers: Providers):
    with gpt.chat.completions.stream(
        model=model, messages=said("Grüße 👋 [mock split=3]"), reasoning_effort="low", stream_options={"include_usage": True}
    ) as stream:
        deltas = [event.chunk.choices[0].delta for event in stream if event.type == "chunk" and event.chunk.choices]
        whole = stream.get_final_completion()
    assert whole.choices[0].message.content == "You said: Grüße 👋"
    thought = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    assert thought.startswith("The user said something.")
    assert whole.usage.completion_tokens_details.reasoning_tokens > 0
    assert last(providers)["path"].endswith(":streamGenerateContent?alt=sse")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("text", ["weather", "parallel"])
@pytest.mark.parametrize("model", [*DOORS, "gemini-old"])
def test_chat_tools(model: str, text: str, stream: bool, gpt: openai.OpenAI, providers: Providers):
    messages = said(text)
    ask = {"model": model, "tools": [OPENAI_TOOL]}
    if stream:
        with gpt.chat.completions.stream(messages=messages, **ask) as answer:
            choice = answer.get_final_completion().choices[0]
    else:
        choice = gpt.chat.completions.create(messages=messages, **ask).choices[0]
    assert choice.finish_reason == "tool_calls"
    calls = choice.message.tool_calls
    assert [json.loads(call.function.arguments)["city"] for call in calls] == ["Paris", "London"][: len(calls)]
    assert len({call.id for call in calls}) == len(calls) == (2 if text == "parallel" else 1)
    # As clients do that keep nothing but what they know.
    kept = [{"id": call.id, "type": "function", "function": call.function.to_dict(mode="json")} for call in calls]
    for call_ in kept:
        call_["function"] = {name: call_["function"][name] for name in ("name", "arguments")}
    messages.append({"role": "assistant", "content": None, "tool_calls": kept})
    messages += [{"role": "tool", "tool_call_id": call.id, "content": f"sun {call.id[:3]}"} for call in calls]
    answer = gpt.chat.completions.create(messages=messages, **ask)
    assert answer.choices[0].message.content.startswith("The tool said: sun ")
    parts = last(providers)["body"]["contents"][1]["parts"]
    signatures = [part.get("thoughtSignature") for part in parts]
    assert bool(signatures[0]) == (model != "gemini-old") and not any(signatures[1:])


def test_chat_structured_output(model: str, gpt: openai.OpenAI):
    answer = gpt.chat.completions.parse(model=model, messages=said("Ada"), response_format=Person)
    assert answer.choices[0].message.parsed == Person(name="example", age=1)


def test_chat_media(model: str, gpt: openai.OpenAI):
    parts = [
        {"type": "text", "text": "See"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjQK"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "video_url", "video_url": {"url": "https://www.youtube.com/watch?v=9hE5-98ZeCg"}},
    ]
    answer = gpt.chat.completions.create(model=model, messages=said(parts))
    assert answer.choices[0].message.content == "You said: See (with image, document, audio, video)"


@pytest.mark.parametrize("stream", [False, True])
def test_chat_pictures(stream: bool, gpt: openai.OpenAI, providers: Providers):
    ask = {"model": "gemini-draws", "messages": said("Draw"), "extra_body": {"modalities": ["text", "image"]}}
    if stream:
        chunks = list(gpt.chat.completions.create(stream=True, **ask))
        found = [chunk.choices[0].delta.images for chunk in chunks if hasattr(chunk.choices[0].delta, "images")]
        (images,) = found
    else:
        images = gpt.chat.completions.create(**ask).choices[0].message.images
    assert [image["image_url"]["url"] for image in images] == [f"data:image/png;base64,{PNG}"]
    # Given back, they stand in the model's turn.
    again = [*said("Draw"), {"role": "assistant", "content": "Here", "images": images}, *said("Bigger")]
    gpt.chat.completions.create(model="gemini-draws", messages=again)
    assert last(providers)["body"]["contents"][1]["parts"][1]["inlineData"]["data"] == PNG


def test_chat_web_search(gpt: openai.OpenAI):
    answer = gpt.chat.completions.create(model="gemini", messages=said("Grüße"), web_search_options={})
    message = answer.choices[0].message
    (citation,) = [annotation.url_citation for annotation in message.annotations]
    assert (citation.title, citation.url) == ("example.com", "https://example.com/found")
    assert message.content[citation.start_index : citation.end_index] == "You said: Grüße"


def test_chat_choices_and_logprobs(gpt: openai.OpenAI):
    answer = gpt.chat.completions.create(model="gemini", messages=said("Hi"), n=2, logprobs=True, top_logprobs=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    tokens = answer.choices[1].logprobs.content
    assert "".join(token.token for token in tokens) == answer.choices[1].message.content
    assert all(len(token.top_logprobs) == 2 for token in tokens)


def test_chat_ends(model: str, gpt: openai.OpenAI):
    refused = gpt.chat.completions.create(model=model, messages=said("refuse")).choices[0]
    assert refused.finish_reason == "content_filter" and "blocked" in refused.message.refusal
    short = gpt.chat.completions.create(model=model, messages=said("one two three"), max_completion_tokens=4).choices[0]
    assert (short.finish_reason, short.message.content) == ("length", "You said: one tw")
    stopped = gpt.chat.completions.create(model=model, messages=said("one STOP two"), stop="STOP").choices[0]
    assert (stopped.finish_reason, stopped.message.content) == ("stop", "You said: one ")


ERRORS = {400: "BadRequestError", 404: "NotFoundError", 429: "RateLimitError", 503: "InternalServerError"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", ERRORS)
def test_errors(status: int, stream: bool, model: str, gpt: openai.OpenAI, claude: anthropic.Anthropic):
    text = f"[mock status={status}]"
    with pytest.raises(getattr(openai, ERRORS[status])) as caught:
        gpt.chat.completions.create(model=model, messages=said(text), stream=stream)
    assert caught.value.status_code == status and caught.value.body["message"]
    kind = "ServiceUnavailableError" if status == 503 else ERRORS[status]
    with pytest.raises(getattr(anthropic, kind)) as told:
        claude.messages.create(model=model, max_tokens=99, messages=said(text), stream=stream)
    assert told.value.body["error"]["message"] == caught.value.body["message"]


def test_our_key_is_refused(shared_gateway: Starter, providers: Providers):
    refused = UPSTREAMS["gemini"] | {"credentials": {"api_key": {"value": "bad-key"}}}
    models = [{"name": "m", "upstreams": ["gemini"], "upstream_models": {"gemini": "gemini-3.8-flash"}, "retries": 0}]
    envoy = shared_gateway(render(gateway_role({"gemini": refused}, models)))
    answer = call(envoy, "chat", "m")
    assert answer.status_code == 502 and answer.json()["error"]["code"] == "upstream_authentication"
    assert "bad-key" not in answer.text


def test_a_stream_that_breaks_off(model: str, gpt: openai.OpenAI):
    for directive, message in [("error-after=2", "overloaded"), ("end-after=2", "ended before its finish")]:
        with pytest.raises(openai.APIError, match=message):
            list(gpt.chat.completions.create(model=model, messages=said(f"a b [mock {directive}]"), stream=True))


def test_the_next_upstream_answers(gpt: openai.OpenAI, providers: Providers):
    providers.forget()
    answer = gpt.chat.completions.create(model="either", messages=said("Hi [mock status=503 upstream=gemini]"))
    assert answer.choices[0].message.content == "You said: Hi"
    assert [request["path"].split("/models/")[0] + "/models/" for request in providers.received()] == [*DOORS.values()]


@pytest.mark.parametrize("model", ["gemini-embeds", "vertex-embeds", "vertex-embeds-old"])
def test_embeddings(model: str, gpt: openai.OpenAI, providers: Providers):
    # The SDK asks for base64 by itself.
    answer = gpt.embeddings.create(model=model, input=["a", "b"], dimensions=4, extra_body={"input_type": "query"})
    assert [vector.index for vector in answer.data] == [0, 1] and answer.model == model
    assert all(len(vector.embedding) == 4 for vector in answer.data)
    assert answer.data[0].embedding != answer.data[1].embedding
    assert answer.usage.prompt_tokens > 0
    assert "RETRIEVAL_QUERY" in json.dumps(last(providers)["body"])
    plain = gpt.embeddings.create(model=model, input="a", dimensions=4, encoding_format="float")
    assert plain.data[0].embedding == pytest.approx(answer.data[0].embedding, rel=1e-6)


# Anthropic's client


def test_messages(model: str, claude: anthropic.Anthropic, providers: Providers):
    answer = claude.messages.create(model=model, max_tokens=99, system="Be brief.", messages=said("Hi"))
    assert [block.text for block in answer.content if block.type == "text"] == ["You said: Hi"]
    assert (answer.model, answer.stop_reason) == (model, "end_turn")
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0
    assert last(providers)["body"]["generationConfig"]["maxOutputTokens"] == 99


@pytest.mark.parametrize("stream", [False, True])
def test_messages_thought_comes_back(stream: bool, model: str, claude: anthropic.Anthropic, providers: Providers):
    ask = {"model": model, "max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    if stream:
        with claude.messages.stream(messages=said("Hi"), **ask) as answer:
            content = answer.get_final_message().content
    else:
        content = claude.messages.create(messages=said("Hi"), **ask).content
    assert content[0].type == "thinking" and content[0].thinking
    assert content[-1].type == "thinking" and content[-1].signature.startswith(f"__{model}__")
    again = [*said("Hi"), {"role": "assistant", "content": [block.to_dict() for block in content]}, *said("And?")]
    claude.messages.create(messages=again, **ask)
    parts = last(providers)["body"]["contents"][1]["parts"]
    assert parts[0]["text"] == "You said: Hi" and base64.b64decode(parts[0]["thoughtSignature"], validate=True)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("text", ["weather", "parallel"])
def test_messages_tools(model: str, text: str, stream: bool, claude: anthropic.Anthropic):
    messages = said(text)
    ask = {"model": model, "max_tokens": 99, "tools": [ANTHROPIC_TOOL]}
    if stream:
        with claude.messages.stream(messages=messages, **ask) as answer:
            message = answer.get_final_message()
    else:
        message = claude.messages.create(messages=messages, **ask)
    assert message.stop_reason == "tool_use"
    calls = [block for block in message.content if block.type == "tool_use"]
    assert [call.input for call in calls] == [{"city": city} for city in ["Paris", "London"][: len(calls)]]
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "sun"}, picture]}
        for call in calls
    ]
    messages += [{"role": "assistant", "content": [block.to_dict() for block in message.content]}, *said(results)]
    answer = claude.messages.create(messages=messages, **ask)
    assert answer.content[0].text == f"The tool said: {'; '.join(['sun'] * len(calls))}"


def test_messages_structured_output(model: str, claude: anthropic.Anthropic):
    answer = claude.messages.parse(model=model, max_tokens=99, messages=said("Ada"), output_format=Person)
    assert answer.parsed_output == Person(name="example", age=1)


def test_messages_documents(model: str, claude: anthropic.Anthropic):
    parts = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"}},
        {"type": "text", "text": "See"},
    ]
    answer = claude.messages.create(model=model, max_tokens=99, messages=said(parts))
    assert answer.content[0].text == "You said: See (with image, document)"


def test_messages_count_tokens(model: str, claude: anthropic.Anthropic, providers: Providers):
    few = claude.messages.count_tokens(model=model, messages=said("Hi"))
    more = claude.messages.count_tokens(model=model, messages=said("Hi"), system="Be brief.", tools=[ANTHROPIC_TOOL])
    assert 0 < few.input_tokens < more.input_tokens
    assert last(providers)["path"] == f"{DOORS[model]}gemini-3.8-flash:countTokens"


# Others at Google Cloud


def test_claude_at_google_cloud(gpt: openai.OpenAI, claude: anthropic.Anthropic, providers: Providers):
    ask = {"model": "vertex-claude", "max_tokens": 99, "messages": said("Hi")}
    assert claude.messages.create(**ask).content[0].text == "You said: Hi"
    place = "/v1/projects/demo/locations/us-central1/publishers/anthropic/models/"
    assert last(providers)["path"] == f"{place}claude-sonnet-4-5%4020250929:rawPredict"
    assert last(providers)["body"].keys() == {"anthropic_version", "max_tokens", "messages"}
    with claude.messages.stream(**ask) as stream:
        assert stream.get_final_text() == "You said: Hi"
    assert last(providers)["path"].endswith(":streamRawPredict")
    assert claude.messages.count_tokens(model="vertex-claude", messages=said("Hi")).input_tokens > 0
    assert last(providers)["path"] == f"{place}count-tokens:rawPredict"
    chat = gpt.chat.completions.create(model="vertex-claude", messages=said("weather"), tools=[OPENAI_TOOL])
    assert chat.choices[0].message.tool_calls[0].function.name == "get_weather"


def test_llama_at_google_cloud(gpt: openai.OpenAI, claude: anthropic.Anthropic, providers: Providers):
    assert gpt.chat.completions.create(model="vertex-llama", messages=said("Hi")).choices[0].message.content == "You said: Hi"
    assert last(providers)["path"] == "/v1/projects/demo/locations/us-central1/endpoints/openapi/chat/completions"
    answer = claude.messages.create(model="vertex-llama", max_tokens=99, messages=said("Hi"))
    assert answer.content[0].text == "You said: Hi"


# From provider to provider


@pytest.mark.parametrize("second", ["vertex", "gpt", "claude", "vertex-claude"])
@pytest.mark.parametrize("client", HEADERS)
def test_a_conversation_goes_on_elsewhere(
    client: str, second: str, gpt: openai.OpenAI, claude: anthropic.Anthropic, providers: Providers
):
    messages = said("weather")
    if client == "chat":
        message = gpt.chat.completions.create(model="gemini", messages=messages, tools=[OPENAI_TOOL]).choices[0].message
        identity = message.tool_calls[0].id
        messages += [message.to_dict(), {"role": "tool", "tool_call_id": identity, "content": "sun"}]
        answer = gpt.chat.completions.create(model=second, messages=messages, tools=[OPENAI_TOOL])
        text = answer.choices[0].message.content
    else:
        ask = {"max_tokens": 99, "tools": [ANTHROPIC_TOOL]}
        content = claude.messages.create(model="gemini", messages=messages, **ask).content
        identity = content[-1].id
        result = {"type": "tool_result", "tool_use_id": identity, "content": "sun"}
        messages += [{"role": "assistant", "content": [block.to_dict() for block in content]}, *said([result])]
        text = claude.messages.create(model=second, messages=messages, **ask).content[0].text
    assert text == "The tool said: sun"
    assert "__gemini__" in identity
    assert "__gemini__" not in json.dumps(providers.received()[-1]["body"])
