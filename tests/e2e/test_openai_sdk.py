"""OpenAI's official SDK through a real Envoy, to an upstream of OpenAI's format and to one of Anthropic's.

Requests that reach the providers and answers that reach the client are held to the official types by the fixture `tap`.
"""

import asyncio
import base64
import enum
import json
import re

import openai
import pytest
from conftest import Envoy
from documents import DEMO, KEYS, MOCKS, gateway_role, render, standalone
from openai.lib.streaming.chat import ChunkEvent
from openai.types.chat import ChatCompletionMessage, ParsedChatCompletionMessage
from pydantic import BaseModel
from tap import Tap

GPT, CLAUDE = "gpt-4.1", "claude-haiku-4-5"
# These think: by effort, up to a budget, and as much as they like.
GPT_THINKING, CLAUDE_ADAPTIVE = "gpt-5.1", "claude-opus-5-5"
# Held to a schema by an instruction alone.
CLAUDE_OLD = "claude-sonnet-4-20250514"

both = pytest.mark.parametrize("model", [GPT, CLAUDE])

LIST = [
    {"name": "gpt-*", "upstreams": ["openai"], "upstream_models": {"openai": "gpt-*"}, "retries": 0},
    {"name": "claude-*", "upstreams": ["claude"], "upstream_models": {"claude": "claude-*"}, "retries": 0},
    {"name": "smart", "upstreams": ["claude"], "upstream_models": {"claude": CLAUDE}, "retries": 0},
    {"name": "team/smart", "upstreams": ["claude"], "upstream_models": {"claude": CLAUDE}, "retries": 0},
    {"name": "gone", "upstreams": ["openai"], "upstream_models": {"openai": "missing"}, "retries": 0},
    {"name": "locked", "upstreams": ["locked"], "upstream_models": {"locked": CLAUDE}, "retries": 0},
    {"name": "hasty", "upstreams": ["claude"], "upstream_models": {"claude": CLAUDE}, "retries": 0,
     "timeouts": {"total": "300ms"}},
]  # fmt: skip
UPSTREAMS = MOCKS | {"locked": MOCKS["claude"] | {"credentials": {"api_key": {"value": "bad-key"}}}}

# Their secrets are `sk-demo`, `sk-narrow` and `sk-old`.
ALL_KEYS = [
    *DEMO,
    {"id": "narrow", "hash": "sha256:94aaec573cd805826e57cfdb57cc38f46842556bbde4cad6cd639e0c885a06b8", "models": ["smart"]},
    {"id": "old", "hash": "sha256:d3e64608f5182a4408eef248830800d9f4b82167cb91b4b193ac488aa1235fc9", "expires": "2024-01-01T00:00:00Z"},
]  # fmt: skip

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()
PDF = base64.b64encode(b"%PDF-1.4 and so on").decode()

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city"],
        },
    },
}
TIME = {"type": "function", "function": {"name": "get_time"}}


def said(text: str | list) -> list:
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="module", params=[standalone, gateway_role], ids=["standalone", "gateway"])
def envoy(request: pytest.FixtureRequest, shared_gateway) -> Envoy:
    return shared_gateway(render(request.param(UPSTREAMS, LIST, keys=ALL_KEYS)), env=KEYS)


@pytest.fixture
def client(envoy: Envoy, tap: Tap) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="sk-demo", max_retries=0, http_client=tap.client())


@pytest.fixture
def create(client: openai.OpenAI):
    return client.chat.completions.create


# Text


@both
def test_an_answer(create, model):
    answer = create(model=model, messages=said("Hello"))
    assert answer.model == model and answer.object == "chat.completion" and answer.id.startswith("chatcmpl-")
    choice = answer.choices[0]
    assert (choice.message.role, choice.message.content, choice.finish_reason) == (
        "assistant",
        "You said: Hello",
        "stop",
    )
    # OpenAI's own members are there even if they say nothing.
    assert {"content", "refusal", "role"} <= choice.message.model_fields_set
    assert {"finish_reason", "index", "logprobs", "message"} <= choice.model_fields_set
    assert choice.message.tool_calls is None
    usage = answer.usage
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


@both
def test_a_stream(create, model):
    chunks = list(create(model=model, messages=said("Hello there"), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said: Hello there"
    assert {(chunk.model, chunk.id, chunk.created) for chunk in chunks} == {(model, chunks[0].id, chunks[0].created)}
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    # Usage is for those who ask for it.
    assert all(chunk.usage is None for chunk in chunks)


@both
def test_a_stream_with_usage(create, model):
    ask = {"model": model, "messages": said("Hello there")}
    *chunks, last = create(**ask, stream=True, stream_options={"include_usage": True})
    assert all(chunk.usage is None and "usage" in chunk.model_fields_set for chunk in chunks)
    assert last.choices == [] and last.usage == create(**ask).usage


@both
def test_the_stream_helper(client, create, model):
    ask = {"model": model, "messages": said("Hello there")}
    with client.chat.completions.stream(**ask, stream_options={"include_usage": True}) as stream:
        events = [event for event in stream if not isinstance(event, ChunkEvent)]
        final = stream.get_final_completion()
    assert [event.type for event in events] == ["content.delta"] * (len(events) - 1) + ["content.done"]
    assert "".join(event.delta for event in events[:-1]) == events[-1].content == "You said: Hello there"
    whole = create(**ask)
    assert (final.choices[0].message.content, final.choices[0].finish_reason) == ("You said: Hello there", "stop")
    assert final.usage == whole.usage and final.model == whole.model


@both
def test_the_async_client(envoy, tap, model):
    async def run():
        http_client = tap.async_client()
        client = openai.AsyncOpenAI(
            base_url=f"{envoy.url}/v1", api_key="sk-demo", max_retries=0, http_client=http_client
        )
        async with client:
            ask = {"model": model, "messages": said("Hello there")}
            answers = await asyncio.gather(*(client.chat.completions.create(**ask) for _ in range(8)))
            assert {answer.choices[0].message.content for answer in answers} == {"You said: Hello there"}
            chunks = [chunk async for chunk in await client.chat.completions.create(**ask, stream=True)]
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said: Hello there"
            async with client.chat.completions.stream(**ask | {"messages": said("weather")}, tools=[WEATHER]) as stream:
                final = await stream.get_final_completion()
            assert final.choices[0].message.tool_calls[0].function.arguments == '{"city":"Paris"}'

    asyncio.run(run())


@both
def test_headers_of_an_answer(client, model):
    raw = client.chat.completions.with_raw_response.create(model=model, messages=said("Hi"), user="ada", seed=7)
    upstream = {GPT: ("openai", "openai"), CLAUDE: ("claude", "anthropic")}[model]
    assert (raw.headers["x-dragoman-upstream"], raw.headers["x-dragoman-provider"]) == upstream
    assert raw.headers["x-dragoman-upstream-model"] == model and raw.headers["x-dragoman-attempts"] == "1"
    assert raw.headers["x-dragoman-upstream-request-id"].startswith("req_")
    assert raw.headers.get("x-dragoman-dropped-params") == {GPT: None, CLAUDE: "seed"}[model]
    hidden = r"set-cookie|.*organi[sz]ation.*|openai-project|.*ratelimit.*|x-envoy.*"
    assert not [name for name in raw.headers if re.fullmatch(hidden, name)]
    assert raw.parse().choices[0].message.content == "You said: Hi"


def test_a_stream_has_headers_too(client):
    with client.chat.completions.with_streaming_response.create(
        model=CLAUDE, messages=said("Hi"), stream=True, logit_bias={"1": 2}
    ) as response:
        assert response.headers["content-type"].split(";")[0] == "text/event-stream"
        assert response.headers["x-dragoman-dropped-params"] == "logit_bias"
        assert len(list(response.parse())) > 2


@both
def test_roles(create, tap, model):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        *said("Hi"),
        {"role": "assistant", "content": [{"type": "text", "text": "Hello."}, {"type": "refusal", "refusal": "No."}]},
        *said([{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]),
    ]
    assert create(model=model, messages=messages).choices[0].message.content == "You said: One.Two."
    if model == CLAUDE:
        text = lambda text: {"type": "text", "text": text}  # noqa: E731
        assert tap.sent()["system"] == [text("Be brief."), text("Be kind.")]
        assert tap.sent()["messages"] == [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [text("Hello."), text("No.")]},
            {"role": "user", "content": [text("One."), text("Two.")]},
        ]


# Parameters


@both
@pytest.mark.parametrize("stop", [" said", ["nowhere", " said"]])
def test_stop_sequences(create, model, stop):
    choice = create(model=model, messages=said("Hi"), stop=stop).choices[0]
    assert (choice.message.content, choice.finish_reason) == ("You", "stop")


@both
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_limits(create, tap, model, name):
    choice = create(model=model, messages=said("Hi"), **{name: 3}).choices[0]
    assert (choice.message.content, choice.finish_reason) == ("You said: Hi", "length")
    assert tap.sent()["max_tokens" if model == CLAUDE else name] == 3


@both
def test_sampling(client, tap, model):
    ask = {"temperature": 0.70000000001, "top_p": 0.9, "presence_penalty": 0.5, "frequency_penalty": 0}
    raw = client.chat.completions.with_raw_response.create(model=model, messages=said("Hi"), **ask)
    sent = tap.sent()
    if model == GPT:
        assert {name: sent[name] for name in ask} == ask
    else:
        # Claude takes one of the first two, and has never heard of the others.
        assert sent["temperature"] == 0.70000000001 and "top_p" not in sent
        assert raw.headers["x-dragoman-dropped-params"] == "top_p,presence_penalty"


def test_several_choices(create):
    chunks = create(model=GPT, messages=said("Hi"), n=2, stream=True)
    texts = {0: "", 1: ""}
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        texts[choice.index] += choice.delta.content or ""
    assert texts == {0: "You said: Hi", 1: "You said: Hi"}
    assert len(create(model=GPT, messages=said("Hi"), n=2).choices) == 2
    with pytest.raises(openai.BadRequestError) as error:
        create(model=CLAUDE, messages=said("Hi"), n=2)
    assert (error.value.param, error.value.code) == ("n", "unsupported_parameter")


def test_log_probabilities(client):
    ask = {"messages": said("Hi"), "logprobs": True, "top_logprobs": 2}
    content = client.chat.completions.create(model=GPT, **ask).choices[0].logprobs.content
    assert "".join(token.token for token in content) == "You said: Hi" and len(content[0].top_logprobs) == 2
    raw = client.chat.completions.with_raw_response.create(model=CLAUDE, **ask)
    assert raw.headers["x-dragoman-dropped-params"] == "logprobs,top_logprobs"
    assert raw.parse().choices[0].logprobs is None


@both
def test_cached_input(client, tap, model):
    system = {"type": "text", "text": "Be kind. " * 40, "cache_control": {"type": "ephemeral"}}
    messages = [{"role": "system", "content": [system]}, *said("cached")]
    raw = client.chat.completions.with_raw_response.create(model=model, messages=messages)
    details = raw.parse().usage.prompt_tokens_details
    assert details.cached_tokens > 0 and raw.parse().usage.prompt_tokens > details.cached_tokens
    if model == CLAUDE:
        assert tap.sent()["system"] == [system]
        written = client.chat.completions.create(model=model, messages=[messages[0], *said("Hi")]).usage
        assert written.prompt_tokens_details.cache_write_tokens == details.cached_tokens
        assert written.prompt_tokens > details.cached_tokens
    else:
        assert raw.headers["x-dragoman-dropped-params"] == "cache_control"


@pytest.mark.parametrize(
    "model, tier, sent, told",
    [(GPT, "flex", "flex", None), (CLAUDE, "auto", "auto", None), (CLAUDE, "flex", None, "service_tier")],
)
def test_classes_of_service(client, tap, model, tier, sent, told):
    raw = client.chat.completions.with_raw_response.create(model=model, messages=said("Hi"), service_tier=tier)
    assert raw.parse().service_tier == "default"
    assert (tap.sent().get("service_tier"), raw.headers.get("x-dragoman-dropped-params")) == (sent, told)


# Tools


def plain(message: ParsedChatCompletionMessage) -> ChatCompletionMessage:
    """The message without what the SDK's helpers have added."""
    calls = [{"id": call.id, "type": call.type, "function": {"name": call.function.name, "arguments": call.function.arguments}}
             for call in message.tool_calls]  # fmt: skip
    return ChatCompletionMessage(role=message.role, content=message.content, tool_calls=calls)


def answered(message: ChatCompletionMessage) -> list:
    """The message, and a result for each of its calls."""
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"{json.loads(call.function.arguments)['city']}: sunny"}
        for call in message.tool_calls
    ]
    return [message, *results]


@both
@pytest.mark.parametrize("text, cities", [("weather", ["Paris"]), ("parallel", ["Paris", "London"])])
@pytest.mark.parametrize("streamed", [False, True])
def test_tools(client, create, tap, model, text, cities, streamed):
    ask = {"model": model, "messages": said(text), "tools": [WEATHER]}
    if streamed:
        with client.chat.completions.stream(**ask) as stream:
            done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
            choice = stream.get_final_completion().choices[0]
        assert [json.loads(event.arguments)["city"] for event in done] == cities
    else:
        choice = create(**ask).choices[0]
    assert choice.finish_reason == "tool_calls" and choice.message.content is None
    calls = choice.message.tool_calls
    assert [(call.type, call.function.name, call.function.arguments) for call in calls] == [
        ("function", "get_weather", json.dumps({"city": city}, separators=(",", ":"))) for city in cities
    ]
    assert len({call.id for call in calls}) == len(cities)
    if streamed and model == GPT:
        # The helper adds members of its own, which OpenAI refuses.
        choice.message = plain(choice.message)
    ask["messages"] += answered(choice.message)
    final = create(**ask).choices[0]
    assert final.message.content == "The tool said: " + "; ".join(f"{city}: sunny" for city in cities)
    if model == CLAUDE:
        results = [("tool_result", call.id, f"{city}: sunny") for call, city in zip(calls, cities, strict=True)]
        found = tap.sent()["messages"][-1]["content"]
        assert [(block["type"], block["tool_use_id"], block["content"]) for block in found] == results


@both
def test_a_loop_until_the_final_answer(create, model):
    messages = said("weather")
    for turn in range(6):
        choice = create(model=model, messages=messages, tools=[WEATHER, TIME]).choices[0]
        if choice.finish_reason != "tool_calls":
            messages += [choice.message, *said("weather" if turn < 4 else "bye")]
        else:
            messages += answered(choice.message)
    assert [m["role"] if isinstance(m, dict) else m.role for m in messages] == [
        *["user", "assistant", "tool", "assistant"] * 3, "user"
    ]  # fmt: skip
    assert create(model=model, messages=messages, tools=[WEATHER]).choices[0].message.content == "You said: bye"


@both
@pytest.mark.parametrize(
    "choice, called, sent",
    [
        ("auto", None, {"type": "auto"}),
        ("none", None, {"type": "none"}),
        ("required", "get_weather", {"type": "any"}),
        ({"type": "function", "function": {"name": "get_time"}}, "get_time", {"type": "tool", "name": "get_time"}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [TIME]}},
            "get_time",
            {"type": "any"},
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [WEATHER, TIME]}},
            None,
            {"type": "auto"},
        ),
    ],
)
def test_choices_of_tools(create, tap, model, choice, called, sent):
    if model == GPT and called == "get_time" and isinstance(choice, dict) and choice["type"] == "allowed_tools":
        called = "get_weather"  # The mock does not look which are allowed.
    if isinstance(choice, dict) and choice["type"] == "allowed_tools":
        names = [
            {"type": "function", "function": {"name": t["function"]["name"]}} for t in choice["allowed_tools"]["tools"]
        ]
        choice = {"type": "allowed_tools", "allowed_tools": choice["allowed_tools"] | {"tools": names}}
    message = create(model=model, messages=said("Hi"), tools=[WEATHER, TIME], tool_choice=choice).choices[0].message
    assert [call.function.name for call in message.tool_calls or []] == ([called] if called else [])
    assert tap.sent()["tool_choice"] == (choice if model == GPT else sent)


@both
def test_one_call_at_a_time(create, tap, model):
    ask = {"messages": said("parallel"), "tools": [WEATHER], "parallel_tool_calls": False}
    assert len(create(model=model, **ask).choices[0].message.tool_calls) == 1
    if model == CLAUDE:
        assert tap.sent()["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_a_choice_that_the_model_does_not_take(client):
    ask = {"messages": said("Hi"), "tools": [WEATHER], "tool_choice": "required"}
    raw = client.chat.completions.with_raw_response.create(model=CLAUDE_ADAPTIVE, **ask)
    assert raw.headers["x-dragoman-dropped-params"] == "tool_choice"


@both
def test_results_as_parts_and_names_of_other_letters(create, tap, model):
    name = "files.read" if model == CLAUDE else "files-read"
    tool = {"type": "function", "function": {"name": name, "parameters": WEATHER["function"]["parameters"]}}
    messages = said("weather")
    message = create(model=model, messages=messages, tools=[tool]).choices[0].message
    assert message.tool_calls[0].function.name == name
    parts = [{"type": "text", "text": "It is "}, {"type": "text", "text": "sunny."}]
    messages += [message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": parts}]
    assert (
        create(model=model, messages=messages, tools=[tool]).choices[0].message.content == "The tool said: It is sunny."
    )


def test_functions_of_old(create):
    ask = {"model": CLAUDE, "functions": [WEATHER["function"]], "function_call": {"name": "get_weather"}}
    message = create(messages=said("Hi"), **ask).choices[0].message
    assert message.tool_calls[0].function.name == "get_weather"
    old = {
        "role": "assistant",
        "content": None,
        "function_call": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
    }
    result = {"role": "function", "name": "get_weather", "content": "rain"}
    messages = [*said("Hi"), old, result]
    assert create(model=CLAUDE, messages=messages).choices[0].message.content == "The tool said: rain"


# Structured output


class Mood(enum.Enum):
    FINE = "fine"
    SOUR = "sour"


class Address(BaseModel):
    city: str
    street: str | None


class Person(BaseModel):
    """Someone."""

    name: str
    age: int
    mood: Mood
    homes: list[Address]


@pytest.mark.parametrize("model", [GPT, GPT_THINKING, CLAUDE, CLAUDE_ADAPTIVE])
def test_structured_output(client, tap, model):
    ask = {"model": model, "messages": said("x"), "response_format": Person}
    person = client.chat.completions.parse(**ask).choices[0].message.parsed
    assert isinstance(person, Person) and person.mood is Mood.FINE and person.homes[0].city == "Paris"
    if model == CLAUDE:
        schema = tap.sent()["output_config"]["format"]["schema"]
        assert list(schema["properties"]) == ["name", "age", "mood", "homes"]
    with client.chat.completions.stream(**ask) as stream:
        done = [event for event in stream if event.type == "content.done"]
        assert done[0].parsed == stream.get_final_completion().choices[0].message.parsed == person


def test_structured_output_by_an_instruction(create, tap):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    form = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema}}
    create(model=CLAUDE_OLD, messages=said("x"), response_format=form)
    assert "output_config" not in tap.sent() and json.dumps(schema, separators=(",", ":")) in tap.sent()["system"]
    create(model=CLAUDE, messages=said("x"), response_format={"type": "json_object"})
    assert "JSON" in tap.sent()["system"]


@both
def test_strict_tools(client, model):
    tool = openai.pydantic_function_tool(Person, name="introduce")
    answer = client.chat.completions.parse(model=model, messages=said("weather"), tools=[tool])
    assert isinstance(answer.choices[0].message.tool_calls[0].function.parsed_arguments, Person)


@both
def test_an_answer_that_is_cut_is_not_parsed(client, model):
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(model=model, messages=said("x"), response_format=Person, max_completion_tokens=3)


@both
def test_a_refusal(client, create, model):
    message = create(model=model, messages=said("refuse")).choices[0].message
    assert message.refusal
    with client.chat.completions.stream(model=model, messages=said("refuse")) as stream:
        assert [event.refusal for event in stream if event.type == "refusal.done"] == [message.refusal]


# Pictures and documents


@both
@pytest.mark.parametrize("url", [f"data:image/png;base64,{PNG}", "https://example.com/cat.png"])
def test_pictures(create, tap, model, url):
    parts = [{"type": "text", "text": "Look."}, {"type": "image_url", "image_url": {"url": url, "detail": "auto"}}]
    assert create(model=model, messages=said(parts)).choices[0].message.content == "You said: Look. (with image)"
    if model == CLAUDE:
        source = (
            {"type": "base64", "media_type": "image/png", "data": PNG} if PNG in url else {"type": "url", "url": url}
        )
        assert tap.sent()["messages"][0]["content"][1] == {"type": "image", "source": source}


@both
def test_a_document(create, tap, model):
    file = {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
    parts = [{"type": "file", "file": file}, {"type": "text", "text": "Read."}]
    assert create(model=model, messages=said(parts)).choices[0].message.content == "You said: Read. (with document)"
    if model == CLAUDE:
        source = {"type": "base64", "media_type": "application/pdf", "data": PDF}
        assert tap.sent()["messages"][0]["content"][0] == {"type": "document", "source": source, "title": "a.pdf"}


def test_sound(create):
    parts = [{"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}}]
    assert create(model=GPT, messages=said(parts)).choices[0].message.content == "You said:  (with audio)"
    with pytest.raises(openai.BadRequestError, match="takes no audio") as error:
        create(model=CLAUDE, messages=said(parts))
    assert error.value.param == "messages[0].content[0]"


# Thought


@pytest.mark.parametrize("model", [CLAUDE, CLAUDE_ADAPTIVE])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("sealed", ["", " [mock redacted]"])
def test_thought_goes_back_as_it_came(client, create, tap, model, streamed, sealed):
    ask = {"model": model, "messages": said("weather" + sealed), "tools": [WEATHER], "reasoning_effort": "low"}
    if streamed:
        with client.chat.completions.stream(**ask) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = create(**ask).choices[0].message
    blocks = message.thinking_blocks
    assert [block["type"] for block in blocks] == ["redacted_thinking" if sealed else "thinking"]
    if not sealed:
        assert message.reasoning_content == blocks[0]["thinking"] != ""
    ask["messages"] += answered(message)
    # Its signature is checked there.
    assert create(**ask).choices[0].message.content == "The tool said: Paris: sunny"
    turn = tap.sent()["messages"][1]["content"]
    assert [block["type"] for block in turn] == [blocks[0]["type"], "tool_use"]
    if not streamed:
        # Another provider refuses it, and does not get it.
        raw = client.chat.completions.with_raw_response.create(**ask | {"model": GPT_THINKING})
        assert raw.parse().choices[0].message.content == "The tool said: Paris: sunny"
        named = {"thinking_blocks"} | (set() if sealed else {"reasoning_content"})
        assert set(raw.headers["x-dragoman-dropped-params"].split(",")) == named


@pytest.mark.parametrize(
    "model, effort, sent",
    [
        (GPT_THINKING, "high", {"reasoning_effort": "high"}),
        (CLAUDE, "high", {"thinking": {"type": "enabled", "budget_tokens": 4096}}),
        (CLAUDE, "none", {"thinking": {"type": "disabled"}}),
        (CLAUDE_ADAPTIVE, "xhigh",
         {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "xhigh"}}),
    ],
)  # fmt: skip
def test_efforts(create, tap, model, effort, sent):
    answer = create(model=model, messages=said("Hi"), reasoning_effort=effort)
    assert {name: tap.sent().get(name) for name in sent} == sent
    details = answer.usage.completion_tokens_details
    assert (details.reasoning_tokens > 0) == (effort != "none")


def test_thought_is_streamed_before_the_text(create):
    chunks = create(
        model=CLAUDE,
        messages=said("Hi"),
        stream=True,
        extra_body={"thinking": {"type": "enabled", "budget_tokens": 1024}},
    )
    kinds = [name for chunk in chunks for name in chunk.choices[0].delta.model_dump(exclude_unset=True)]
    assert list(dict.fromkeys(kinds[2:])) == ["reasoning_content", "thinking_blocks", "content"]


# Models


def test_models(client):
    ids = [model.id for model in client.models.list()]
    assert ids == ["smart", "team/smart", "gone", "locked", "hasty"]
    for name in ["smart", "team/smart"]:
        assert client.models.retrieve(name).id == name
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")
    assert [model.id for model in client.with_options(api_key="sk-narrow").models.list()] == ["smart"]


# Errors


def fault(error) -> tuple:
    return error.value.status_code, error.value.type, error.value.param, error.value.code


def test_wrong_requests(create, tap):
    with pytest.raises(openai.BadRequestError, match="expected a number") as error:
        create(model=CLAUDE, messages=said("Hi"), temperature="hot")
    assert fault(error) == (400, "invalid_request_error", "temperature", None)
    with pytest.raises(openai.BadRequestError, match="at least one message") as error:
        create(model=CLAUDE, messages=[])
    assert fault(error) == (400, "invalid_request_error", "messages", None)
    # What the provider says of it.
    tap.statuses.add(400)
    with pytest.raises(openai.BadRequestError, match="above maximum") as error:
        create(model=GPT, messages=said("Hi"), temperature=3)
    assert fault(error) == (400, "invalid_request_error", "temperature", "decimal_above_max_value")
    with pytest.raises(openai.BadRequestError, match="max_tokens: 1000000 > 64000") as error:
        create(model=CLAUDE, messages=said("Hi"), max_tokens=1_000_000)
    assert fault(error) == (400, "invalid_request_error", None, None)


def test_wrong_callers(client):
    for key in ["sk-wrong", "sk-old"]:
        with pytest.raises(openai.AuthenticationError) as error:
            client.with_options(api_key=key).chat.completions.create(model=GPT, messages=said("Hi"))
        assert fault(error) == (401, "authentication_error", None, "invalid_api_key")
    with pytest.raises(openai.PermissionDeniedError, match=GPT) as error:
        client.with_options(api_key="sk-narrow").chat.completions.create(model=GPT, messages=said("Hi"))
    assert fault(error) == (403, "permission_error", "model", "model_not_allowed")


def test_models_that_are_not_there(create):
    with pytest.raises(openai.NotFoundError, match="nobody") as error:
        create(model="nobody", messages=said("Hi"))
    assert fault(error) == (404, "invalid_request_error", "model", "model_not_found")


@both
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "status, kind, type",
    [
        (400, openai.BadRequestError, "invalid_request_error"),
        (404, openai.NotFoundError, "invalid_request_error"),
        (413, openai.APIStatusError, "invalid_request_error"),
        (429, openai.RateLimitError, {GPT: "requests", CLAUDE: "rate_limit_error"}),
        (500, openai.InternalServerError, "server_error"),
        (503, openai.InternalServerError, "server_error"),
        (529, openai.InternalServerError, "server_error"),
    ],
)
def test_a_provider_fails(create, model, streamed, status, kind, type):
    with pytest.raises(kind) as error:
        create(model=model, messages=said(f"Hi [mock status={status} retry-after=7]"), stream=streamed)
    assert error.value.status_code == status and error.value.message
    assert error.value.type == (type if isinstance(type, str) else type[model])
    assert error.value.response.headers["retry-after"] == "7"
    assert error.value.response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("model", [GPT, CLAUDE])
@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_provider_refuses_the_gateway(create, model, status):
    with pytest.raises(openai.InternalServerError) as error:
        create(model=model, messages=said(f"Hi [mock status={status}]"))
    assert fault(error) == (502, "upstream_error", None, "upstream_authentication")


def test_a_provider_refuses_the_gateways_key(create, tap):
    with pytest.raises(openai.InternalServerError) as error:
        create(model="locked", messages=said("Hi [mock status=401]"))
    assert fault(error) == (502, "upstream_error", None, "upstream_authentication")
    assert "bad-key" not in str(error.value.body)


@both
@pytest.mark.parametrize("what", ["status=502 html", "empty", "malformed", "redirect", "drop"])
def test_a_provider_answers_with_rubbish(create, tap, model, what):
    tap.statuses.add(307)
    with pytest.raises(openai.InternalServerError) as error:
        create(model=model, messages=said(f"Hi [mock {what}]"))
    assert error.value.status_code == (503 if what == "drop" else 502)
    assert error.value.type in ("server_error", "upstream_error") and "<html" not in error.value.message


def stream_of(create, model, what):
    return create(model=model, messages=said(f"Hello there [mock {what}]"), stream=True)


@both
def test_an_error_in_a_stream(create, model):
    with pytest.raises(openai.APIError) as error:
        list(stream_of(create, model, "error-after=4"))
    assert (
        error.value.message
        == {
            GPT: "The server had an error while processing your request. Sorry about that!",
            CLAUDE: "Overloaded",
        }[model]
    )
    assert (error.value.type, error.value.code) == ("server_error", {GPT: None, CLAUDE: "overloaded"}[model])


@both
def test_a_stream_without_an_end(create, model):
    with pytest.raises(openai.APIError) as error:
        list(stream_of(create, model, "end-after=4"))
    assert (error.value.type, error.value.code) == ("upstream_error", "bad_upstream_answer")


@both
def test_a_stream_that_is_cut(create, model):
    chunks = stream_of(create, model, "tokens=50 delay=5 cut-after=20")
    with pytest.raises(openai.APIConnectionError):
        for _ in chunks:
            pass


@both
@pytest.mark.parametrize("how", ["split=1", "split=7", "crlf"])
def test_a_stream_in_pieces(create, model, how):
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream_of(create, model, f"tokens=20 {how}"))
    assert text == "".join(f"{number:03} " for number in range(1, 21))


def test_an_answer_that_comes_too_late(create):
    with pytest.raises(openai.InternalServerError) as error:
        create(model="hasty", messages=said("Hi [mock slow-start=2000]"))
    assert fault(error)[:2] == (504, "timeout_error") and error.value.code == "timeout"


def test_a_client_that_does_not_wait(client, envoy):
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model=GPT, messages=said("Hi [mock slow-start=3000]"), timeout=0.3)


def test_the_sdk_tries_again(client, providers):
    answer = client.with_options(max_retries=1).chat.completions.create(
        model=CLAUDE, messages=said("Hi [mock status=529 times=1]")
    )
    assert answer.choices[0].message.content == "You said: Hi"
    assert [request["status"] for request in providers.received()] == [529, 200]


# Azure's client


@both
def test_the_azure_client(envoy, tap, model):
    options = {"api_version": "2025-04-01-preview", "api_key": "sk-demo", "max_retries": 0}
    client = openai.AzureOpenAI(azure_endpoint=envoy.url, http_client=tap.client(), **options)
    ask = {"model": model, "messages": said("weather"), "tools": [WEATHER]}
    assert client.chat.completions.create(**ask).choices[0].message.tool_calls[0].function.name == "get_weather"
    chunks = list(client.chat.completions.create(model=model, messages=said("Hi"), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said: Hi"
    wrong = openai.AzureOpenAI(azure_endpoint=envoy.url, http_client=tap.client(), **options | {"api_key": "sk-wrong"})
    with pytest.raises(openai.AuthenticationError):
        wrong.chat.completions.create(**ask)


def test_the_azure_client_with_a_deployment(envoy, tap):
    options = {"api_version": "2025-04-01-preview", "api_key": "sk-demo", "max_retries": 0, "azure_deployment": CLAUDE}
    client = openai.AzureOpenAI(azure_endpoint=envoy.url, http_client=tap.client(), **options)
    answer = client.chat.completions.create(model="what the deployment has", messages=said("Hi"))
    assert (answer.choices[0].message.content, answer.model) == ("You said: Hi", CLAUDE)


# Conversations that move


@pytest.mark.parametrize("first, second", [(GPT, CLAUDE), (CLAUDE, GPT), (CLAUDE_ADAPTIVE, GPT_THINKING)])
def test_a_conversation_moves_to_another_provider(create, first, second):
    ask = {"messages": said("parallel"), "tools": [WEATHER]}
    effort = {"reasoning_effort": "low"} if first == CLAUDE_ADAPTIVE else {}
    message = create(model=first, **ask, **effort).choices[0].message
    # As servers have them that carry thought in their ids.
    for number, call in enumerate(message.tool_calls):
        call.id = f"call_{number}_" + "thought/" * 9
    ask["messages"] += answered(message)
    for model in [second, first]:
        answer = create(model=model, **ask, **effort).choices[0].message.content
        assert answer == "The tool said: Paris: sunny; London: sunny"
