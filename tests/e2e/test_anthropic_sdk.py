"""Anthropic's official SDK through a real Envoy, to an upstream of Anthropic's format and to one of OpenAI's.

Requests that reach the providers and answers that reach the client are held to the official types by the fixture `tap`.
"""

import asyncio
import base64
import re

import anthropic
import httpx2
import pytest
from conftest import Envoy
from documents import DEMO, KEYS, MOCKS, gateway_role, render, standalone
from pydantic import BaseModel
from tap import Tap

CLAUDE, GPT = "claude-haiku-4-5", "gpt-4.1"
# These think: as much as they like, and by effort.
CLAUDE_ADAPTIVE, GPT_THINKING = "claude-opus-5-5", "gpt-5.1"

both = pytest.mark.parametrize("model", [CLAUDE, GPT])

LIST = [
    {"name": "gpt-*", "upstreams": ["openai"], "upstream_models": {"openai": "gpt-*"}, "retries": 0},
    {"name": "claude-*", "upstreams": ["claude"], "upstream_models": {"claude": "claude-*"}, "retries": 0},
    {"name": "smart", "upstreams": ["openai"], "upstream_models": {"openai": GPT}, "retries": 0},
    {"name": "locked", "upstreams": ["locked"], "upstream_models": {"locked": GPT}, "retries": 0},
    {
        "name": "hasty",
        "upstreams": ["openai"],
        "upstream_models": {"openai": GPT},
        "retries": 0,
        "timeouts": {"total": "300ms"},
    },
]
UPSTREAMS = MOCKS | {"locked": MOCKS["openai"] | {"credentials": {"api_key": {"value": "bad-key"}}}}
NARROW = "sha256:94aaec573cd805826e57cfdb57cc38f46842556bbde4cad6cd639e0c885a06b8"
# Their secrets are `sk-demo` and `sk-narrow`.
ALL_KEYS = [*DEMO, {"id": "narrow", "hash": NARROW, "models": ["smart"]}]

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()
PDF = base64.b64encode(b"%PDF-1.4 and so on").decode()
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}

WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        "required": ["city"],
    },
}
TIME = {"name": "get_time", "input_schema": {"type": "object"}}


def said(content: str | list) -> list:
    return [{"role": "user", "content": content}]


def text(text: str) -> dict:
    return {"type": "text", "text": text}


@pytest.fixture(scope="module", params=[standalone, gateway_role], ids=["standalone", "gateway"])
def envoy(request: pytest.FixtureRequest, shared_gateway) -> Envoy:
    return shared_gateway(render(request.param(UPSTREAMS, LIST, keys=ALL_KEYS)), env=KEYS)


@pytest.fixture
def client(envoy: Envoy, tap: Tap) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=envoy.url, api_key="sk-demo", max_retries=0, http_client=tap.client())


@pytest.fixture
def create(client: anthropic.Anthropic):
    def create(model: str, messages: list, max_tokens: int = 4096, **more):
        return client.messages.create(model=model, messages=messages, max_tokens=max_tokens, **more)

    return create


def kinds(message: anthropic.types.Message) -> list[str]:
    return [block.type for block in message.content]


# Text


@both
def test_an_answer(create, model):
    answer = create(model, said("Hello"))
    assert answer.model == model and answer.role == "assistant" and answer.id.startswith("msg_")
    assert [(block.type, block.text) for block in answer.content] == [("text", "You said: Hello")]
    assert (answer.stop_reason, answer.stop_sequence, answer.stop_details) == ("end_turn", None, None)
    assert {"stop_sequence", "stop_details", "usage"} <= answer.model_fields_set
    usage = answer.usage
    assert usage.input_tokens > 0 and usage.output_tokens > 0
    assert usage.cache_read_input_tokens == usage.cache_creation_input_tokens == 0


@both
def test_the_stream_helper(client, create, model):
    ask = {"model": model, "messages": said("Hello there"), "max_tokens": 4096}
    with client.messages.stream(**ask) as stream:
        events = list(stream)
        final = stream.get_final_message()
    order = [event.type for event in events]
    assert order[:2] == ["message_start", "content_block_start"]
    assert order[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert order[2:-3] == ["content_block_delta", "text"] * (len(order[2:-3]) // 2)
    assert "".join(event.text for event in events if event.type == "text") == "You said: Hello there"
    whole = create(**ask)
    assert [block.text for block in final.content] == [block.text for block in whole.content]
    assert (final.stop_reason, final.model, final.role) == (whole.stop_reason, model, "assistant")
    counts = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]
    assert [getattr(final.usage, name) for name in counts] == [getattr(whole.usage, name) for name in counts]
    with client.messages.stream(**ask) as stream:
        assert "".join(stream.text_stream) == "You said: Hello there"


@both
def test_the_async_client(envoy, tap, model):
    async def run():
        options = {"base_url": envoy.url, "api_key": "sk-demo", "max_retries": 0}
        async with anthropic.AsyncAnthropic(**options, http_client=tap.async_client()) as client:
            ask = {"model": model, "messages": said("Hello there"), "max_tokens": 99}
            answers = await asyncio.gather(*(client.messages.create(**ask) for _ in range(8)))
            assert {answer.content[0].text for answer in answers} == {"You said: Hello there"}
            async with client.messages.stream(**ask) as stream:
                assert "".join([piece async for piece in stream.text_stream]) == "You said: Hello there"
                assert (await stream.get_final_message()).stop_reason == "end_turn"

    asyncio.run(run())


@both
def test_headers_of_an_answer(client, tap, model):
    raw = client.messages.with_raw_response.create(
        model=model, messages=said("Hi"), max_tokens=9, metadata={"user_id": "ada"}, inference_geo="eu"
    )
    upstream = {GPT: ("openai", "openai"), CLAUDE: ("claude", "anthropic")}[model]
    assert (raw.headers["x-dragoman-upstream"], raw.headers["x-dragoman-provider"]) == upstream
    assert raw.headers["x-dragoman-upstream-request-id"].startswith("req_")
    assert raw.headers.get("x-dragoman-dropped-params") == {CLAUDE: None, GPT: "inference_geo"}[model]
    assert not [
        name for name in raw.headers if re.fullmatch(r"set-cookie|.*organi[sz]ation.*|.*ratelimit.*|x-envoy.*", name)
    ]
    assert raw.parse().content[0].text == "You said: Hi"
    sent = tap.sent()
    assert (sent["user"] if model == GPT else sent["metadata"]["user_id"]) == "ada"


def test_the_version_that_the_client_speaks(client, providers):
    ask = {"max_tokens": 9, "messages": said("Hi")}
    for version in ["2026-10-21", "2023-06-01"]:
        for model in [CLAUDE, GPT]:
            client.messages.create(model=model, **ask, extra_headers={"anthropic-version": version})
            assert providers.received()[-1]["headers"].get("anthropic-version") == (
                version if model == CLAUDE else None
            )


def test_a_key_as_a_bearers_token(envoy, tap):
    client = anthropic.Anthropic(base_url=envoy.url, auth_token="sk-demo", http_client=tap.client())
    assert client.messages.create(model=CLAUDE, messages=said("Hi"), max_tokens=9).content[0].text == "You said: Hi"


# Conversations


@both
def test_a_system_prompt_in_blocks(create, tap, model):
    system = [text("Be brief."), text("Be kind.") | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    messages = [*said([text("One."), text("Two.")]), {"role": "assistant", "content": [text("Three.")]}, *said("Four.")]
    assert create(model, messages, system=system).content[0].text == "You said: Four."
    sent = tap.sent()
    if model == CLAUDE:
        assert (sent["system"], sent["messages"]) == (system, messages)
    else:
        assert [(message["role"], message["content"]) for message in sent["messages"]] == [
            ("system", "Be brief.\n\nBe kind."),
            ("user", "One.\n\nTwo."),
            ("assistant", "Three."),
            ("user", "Four."),
        ]
    assert create(model, said("Hi"), system="Be brief.").content[0].text == "You said: Hi"


@pytest.mark.parametrize("model", [CLAUDE_ADAPTIVE, GPT])
def test_a_system_prompt_amid_the_conversation(create, model):
    messages = [*said("Hi"), {"role": "system", "content": "Be brief."}, {"role": "assistant", "content": "Hello."}]
    assert create(model, messages + said("Bye")).content[0].text == "You said: Bye"


@both
def test_turns_of_one_role_in_a_row_and_one_that_is_begun(create, model):
    messages = [*said("One"), *said("Two"), {"role": "assistant", "content": "You"}]
    assert create(model, messages).content[0].text.startswith("You said: ")


def test_cached_input(create, client):
    system = [text("Be kind. " * 40) | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    written = create(CLAUDE, said("Hi"), system=system).usage
    assert written.cache_creation.ephemeral_1h_input_tokens == written.cache_creation_input_tokens > 0
    for model in [CLAUDE, GPT]:
        usage = create(model, said("cached"), system=system).usage
        assert usage.cache_read_input_tokens > 0 and usage.input_tokens > 0
        with client.messages.stream(model=model, messages=said("cached"), system=system, max_tokens=4096) as stream:
            assert stream.get_final_message().usage.cache_read_input_tokens == usage.cache_read_input_tokens


# Parameters


@both
def test_limits_and_stop_sequences(create, model):
    answer = create(model, said("Hi"), max_tokens=3)
    assert (answer.content[0].text, answer.stop_reason) == ("You said: Hi", "max_tokens")
    answer = create(model, said("Hi"), stop_sequences=["nowhere", " said"])
    # OpenAI does not tell which of them it was, or whether it was one.
    stop = {CLAUDE: ("stop_sequence", " said"), GPT: ("end_turn", None)}[model]
    assert (answer.content[0].text, answer.stop_reason, answer.stop_sequence) == ("You", *stop)


@pytest.mark.parametrize(
    "model, sent, dropped",
    [
        (CLAUDE, {"temperature": 0.70000000001, "top_k": 5}, None),
        (GPT, {"temperature": 0.70000000001}, "top_k"),
        # It thinks, or is told not to for the sake of the temperature.
        (GPT_THINKING, {"temperature": 0.70000000001, "reasoning_effort": "none"}, "top_k"),
        ("gpt-5", {}, "temperature,top_k"),
    ],
)
def test_sampling(client, tap, model, sent, dropped):
    raw = client.messages.with_raw_response.create(
        model=model,
        messages=said("Hi"),
        max_tokens=9,
        extra_body={"temperature": 0.70000000001, "top_k": 5},
        extra_headers={"anthropic-version": "2023-06-01"},
    )
    names = ["temperature", "top_k", "reasoning_effort"]
    assert {name: tap.sent()[name] for name in names if name in tap.sent()} == sent
    assert raw.headers.get("x-dragoman-dropped-params") == dropped


@pytest.mark.parametrize("tier, sent", [("auto", "auto"), ("standard_only", "default")])
def test_classes_of_service(create, tap, tier, sent):
    assert create(GPT, said("Hi"), service_tier=tier).usage.service_tier == "standard"
    assert tap.sent()["service_tier"] == sent


# Tools


def answered(message: anthropic.types.Message) -> list:
    """The message, and a result for each of its calls."""
    calls = [block for block in message.content if block.type == "tool_use"]
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": f"{call.input.get('city')}: sunny"} for call in calls
    ]
    return [message.to_param(), {"role": "user", "content": results}]


@both
@pytest.mark.parametrize("words, cities", [("weather", ["Paris"]), ("parallel", ["Paris", "London"])])
@pytest.mark.parametrize("streamed", [False, True])
def test_tools(client, create, tap, model, words, cities, streamed):
    ask = {"model": model, "messages": said(words), "tools": [WEATHER], "max_tokens": 4096}
    if streamed:
        with client.messages.stream(**ask) as stream:
            json = "".join(event.partial_json for event in stream if event.type == "input_json")
            answer = stream.get_final_message()
        assert json == "".join(f'{{"city":"{city}"}}' for city in cities)
    else:
        answer = create(**ask)
    assert answer.stop_reason == "tool_use" and kinds(answer) == ["tool_use"] * len(cities)
    assert [(call.name, call.input) for call in answer.content] == [("get_weather", {"city": city}) for city in cities]
    assert len({call.id for call in answer.content}) == len(cities)
    ask["messages"] += answered(answer)
    assert create(**ask).content[0].text == "The tool said: " + "; ".join(f"{city}: sunny" for city in cities)
    if model == GPT:
        assert [(m["role"], m.get("tool_call_id")) for m in tap.sent()["messages"][1:]] == [
            ("assistant", None),
            *(("tool", call.id) for call in answer.content),
        ]


@both
def test_results_of_all_kinds(create, tap, model):
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}}
    others = [call | {"id": "toolu_2"}, call | {"id": "toolu_3"}]
    results = [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "no such city", "is_error": True},
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": [text("a map"), IMAGE]},
        {"type": "tool_result", "tool_use_id": "toolu_3"},
        text("What now?"),
    ]
    messages = [*said("Hi"), {"role": "assistant", "content": [text("Let me see."), call, *others]}, *said(results)]
    answer = create(model, messages, tools=[WEATHER])
    assert answer.content[0].text
    if model == GPT:
        sent = tap.sent()["messages"]
        assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool", "tool", "user"]
        assert sent[1]["content"] == "Let me see." and sent[2]["content"] == "Error: no such city"
        assert sent[3]["content"].startswith("a map") and sent[4]["content"] == ""
        kinds = [part["type"] for part in sent[5]["content"]]
        assert kinds == ["text", "image_url", "text"] and sent[5]["content"][2]["text"] == "What now?"


@both
@pytest.mark.parametrize(
    "choice, called, sent",
    [
        ({"type": "auto"}, [], "auto"),
        ({"type": "none"}, [], "none"),
        ({"type": "any"}, ["get_weather"], "required"),
        ({"type": "tool", "name": "get_time"}, ["get_time"], {"type": "function", "function": {"name": "get_time"}}),
    ],
)
def test_choices_of_tools(create, tap, model, choice, called, sent):
    answer = create(model, said("Hi"), tools=[WEATHER, TIME], tool_choice=choice)
    assert [block.name for block in answer.content if block.type == "tool_use"] == called
    assert answer.stop_reason == ("tool_use" if called else "end_turn")
    assert tap.sent()["tool_choice"] == (choice if model == CLAUDE else sent)


@both
def test_one_call_at_a_time(create, tap, model):
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert kinds(create(model, said("parallel"), tools=[WEATHER], tool_choice=choice)) == ["tool_use"]
    assert model == CLAUDE or tap.sent()["parallel_tool_calls"] is False


@both
def test_the_tool_runner(client, providers, tap, model):
    asked = []

    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return f"{city}: sunny"

    ask = {"model": model, "messages": said("parallel"), "tools": [get_weather], "max_tokens": 4096}
    # It sends what is new, and all of it where the provider has forgotten the rest.
    tap.statuses.add(404)
    final = client.beta.messages.tool_runner(**ask).until_done()
    assert (asked, final.content[0].text) == (["Paris", "London"], "The tool said: Paris: sunny; London: sunny")
    if model == CLAUDE:
        threads = [request["body"].get("thread", {}).get("type") for request in providers.received()]
        assert threads == ["create", "continue", "create"]
    else:
        assert len(providers.received()) == 2


@both
def test_strict_tools(create, tap, model):
    closed = WEATHER["input_schema"] | {"additionalProperties": False}
    tools = [
        WEATHER | {"strict": True, "input_schema": closed},
        TIME | {"strict": True, "input_schema": closed | {"required": ["city", "unit"]}},
    ]
    assert kinds(create(model, said("weather"), tools=tools)) == ["tool_use"]
    if model == GPT:
        # OpenAI holds a model to schemas in which all is required, and to no others.
        assert [tool["function"]["strict"] for tool in tap.sent()["tools"]] == [False, True]


# Structured output


class Address(BaseModel):
    city: str
    street: str | None


class Person(BaseModel):
    """Someone."""

    name: str
    age: int
    homes: list[Address]


@pytest.mark.parametrize("model", [CLAUDE, CLAUDE_ADAPTIVE, GPT, GPT_THINKING])
def test_structured_output(client, model):
    ask = {"model": model, "messages": said("x"), "max_tokens": 4096}
    person = client.messages.parse(**ask, output_format=Person).parsed_output
    assert isinstance(person, Person) and person.homes[0].city == "Paris"
    with client.messages.stream(**ask, output_format=Person) as stream:
        assert stream.get_final_message().parsed_output == person


def test_structured_output_as_openai_gets_it(create, tap):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    schema["additionalProperties"] = False
    create(GPT, said("x"), output_config={"format": {"type": "json_schema", "schema": schema}})
    form = {"name": "response", "schema": schema, "strict": True}
    assert tap.sent()["response_format"] == {"type": "json_schema", "json_schema": form}


@both
def test_a_refusal(client, create, model):
    answer = create(model, said("refuse"))
    assert answer.stop_reason == "refusal"
    with client.messages.stream(model=model, messages=said("refuse"), max_tokens=99) as stream:
        final = stream.get_final_message()
    assert (final.stop_reason, final.content[0].text) == (answer.stop_reason, answer.content[0].text)
    assert model == CLAUDE or answer.content[0].text == "I can't help with that."


# Pictures and documents


@both
@pytest.mark.parametrize("source", [IMAGE["source"], {"type": "url", "url": "https://example.com/cat.png"}])
def test_pictures(create, tap, model, source):
    answer = create(model, said([{"type": "image", "source": source}, text("Look.")]))
    assert answer.content[0].text == "You said: Look. (with image)"
    if model == GPT:
        url = source.get("url") or f"data:image/png;base64,{PNG}"
        assert tap.sent()["messages"][0]["content"][0] == {"type": "image_url", "image_url": {"url": url}}


@both
def test_documents(create, tap, model):
    pdf = {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
        "title": "a.pdf",
    }
    plain = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "All men are mortal."}}
    parts = {"type": "document", "source": {"type": "content", "content": [text("Socrates is a man.")]}}
    answer = create(model, said([pdf, plain, parts, text("Read.")]))
    assert "with document" in answer.content[0].text
    if model == GPT:
        file = {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
        assert tap.sent()["messages"][0]["content"] == [
            {"type": "file", "file": file},
            text("All men are mortal."),
            text("Socrates is a man."),
            text("Read."),
        ]


# Thought


@pytest.mark.parametrize(
    "model, thinking",
    [
        (CLAUDE, {"type": "enabled", "budget_tokens": 1024}),
        (CLAUDE_ADAPTIVE, {"type": "adaptive", "display": "summarized"}),
        (CLAUDE_ADAPTIVE, {"type": "adaptive"}),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("sealed", ["", " [mock redacted]"])
def test_thought_goes_back_as_it_came(client, create, model, thinking, streamed, sealed):
    ask = {"model": model, "messages": said("weather" + sealed), "max_tokens": 4096, "tools": [WEATHER]}
    if streamed:
        with client.messages.stream(**ask, thinking=thinking) as stream:
            order = list(dict.fromkeys(event.type for event in stream))
            answer = stream.get_final_message()
        shown = not sealed and answer.content[0].thinking
        assert ("thinking" in order, "signature" in order) == (bool(shown), not sealed)
    else:
        answer = create(**ask, thinking=thinking)
    assert kinds(answer) == ["redacted_thinking" if sealed else "thinking", "tool_use"]
    ask["messages"] += answered(answer)
    # Its signature is checked there.
    assert create(**ask, thinking=thinking).content[-1].text == "The tool said: Paris: sunny"
    # Another provider has no use for it.
    raw = client.messages.with_raw_response.create(**ask | {"model": GPT_THINKING})
    assert raw.parse().content[0].text == "The tool said: Paris: sunny"
    assert raw.headers["x-dragoman-dropped-params"] == "reasoning"


@pytest.mark.parametrize(
    "model, asked, sent",
    [
        (GPT_THINKING, {"thinking": {"type": "enabled", "budget_tokens": 1024}}, "low"),
        (GPT_THINKING, {"thinking": {"type": "enabled", "budget_tokens": 16_000}}, "high"),
        (GPT_THINKING, {"thinking": {"type": "disabled"}}, "none"),
        (GPT_THINKING, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}}, "medium"),
        (GPT_THINKING, {"output_config": {"effort": "max"}}, "high"),
        (GPT, {"thinking": {"type": "adaptive"}}, None),
    ],
)
def test_how_much_to_think(create, tap, model, asked, sent):
    answer = create(model, said("Hi"), max_tokens=20_000, **asked)
    assert tap.sent().get("reasoning_effort") == sent
    details = answer.usage.output_tokens_details
    assert (details.thinking_tokens if details else 0) == (64 if model == GPT_THINKING and sent != "none" else 0)


# Counts, models, betas


@both
def test_counts_of_tokens(client, create, model):
    ask = {"model": model, "messages": said("How many words are these?"), "tools": [WEATHER], "system": "Be brief."}
    raw = client.messages.with_raw_response.count_tokens(**ask)
    tokens = raw.parse().input_tokens
    if model == CLAUDE:
        assert tokens == create(**ask).usage.input_tokens and "x-dragoman-estimated" not in raw.headers
    else:
        assert 40 < tokens < 120 and raw.headers["x-dragoman-estimated"] == "true"
    assert client.beta.messages.count_tokens(**ask).input_tokens == tokens


def test_models(client):
    listed = list(client.models.list())
    assert [model.id for model in listed] == ["smart", "locked", "hasty"]
    assert {(model.type, model.lifecycle) for model in listed} == {("model", "active")}
    model = client.models.retrieve("smart")
    assert (model.id, model.display_name) == ("smart", "smart") and model.created_at.year >= 1970
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nobody")


@both
def test_betas(client, providers, model):
    ask = {"model": model, "max_tokens": 4096, "messages": said("weather"), "tools": [WEATHER]}
    betas = ["interleaved-thinking-2025-05-14", "context-management-2025-06-27"]
    edits = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    raw = client.beta.messages.with_raw_response.create(**ask, betas=betas, context_management=edits)
    assert kinds(raw.parse()) == ["tool_use"]
    sent = providers.received()[-1]
    if model == CLAUDE:
        assert sent["headers"]["anthropic-beta"].split(",") == betas and sent["body"]["context_management"] == edits
    else:
        assert "anthropic-beta" not in sent["headers"]
        assert raw.headers["x-dragoman-dropped-params"] == "context_management"
    with client.beta.messages.stream(**ask, betas=betas) as stream:
        assert [event.type for event in stream][-1] == "message_stop"
        assert [block.input for block in stream.get_final_message().content] == [{"city": "Paris"}]


# Errors


def fault(error) -> tuple:
    assert error.value.body["type"] == "error"
    return error.value.status_code, error.value.type


def test_wrong_requests(create, tap):
    with pytest.raises(anthropic.BadRequestError, match="`max_tokens`: expected a whole number") as error:
        create(GPT, said("Hi"), max_tokens="many")
    assert fault(error) == (400, "invalid_request_error")
    with pytest.raises(anthropic.BadRequestError, match=r"messages\[0\]"):
        create(GPT, [{"role": "tool", "content": "x"}])
    # What the provider says of it.
    tap.statuses.add(400)
    with pytest.raises(anthropic.BadRequestError, match="max_tokens: 1000000 > 64000") as error:
        create(CLAUDE, said("Hi"), max_tokens=1_000_000, stream=True)
    assert fault(error) == (400, "invalid_request_error")
    with pytest.raises(anthropic.BadRequestError, match="above maximum") as error:
        create(GPT, said("Hi"), extra_body={"temperature": 3})
    assert fault(error) == (400, "invalid_request_error")


def test_wrong_callers(client):
    ask = {"max_tokens": 9, "messages": said("Hi")}
    with pytest.raises(anthropic.AuthenticationError) as error:
        client.with_options(api_key="sk-wrong").messages.create(model=CLAUDE, **ask)
    assert fault(error) == (401, "authentication_error")
    with pytest.raises(anthropic.PermissionDeniedError, match=CLAUDE) as error:
        client.with_options(api_key="sk-narrow").messages.create(model=CLAUDE, **ask)
    assert fault(error) == (403, "permission_error")
    with pytest.raises(anthropic.NotFoundError, match="nobody") as error:
        client.messages.create(model="nobody", **ask)
    assert fault(error) == (404, "not_found_error")


@both
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "status, kind, type",
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (413, anthropic.APIStatusError, "request_too_large"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (503, anthropic.InternalServerError, {CLAUDE: "api_error", GPT: "overloaded_error"}),
        (529, anthropic.OverloadedError, "overloaded_error"),
    ],
)
def test_a_provider_fails(create, model, streamed, status, kind, type):
    with pytest.raises(kind) as error:
        create(model, said(f"Hi [mock status={status} retry-after=7]"), stream=streamed)
    assert fault(error) == (status, type if isinstance(type, str) else type[model])
    assert error.value.api_message and error.value.response.headers["retry-after"] == "7"


@both
@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_provider_refuses_the_gateway(create, model, status):
    with pytest.raises(anthropic.InternalServerError, match="refused the gateway's credentials") as error:
        create(model, said(f"Hi [mock status={status}]"))
    assert fault(error) == (502, "api_error")


def test_a_provider_refuses_the_gateways_key(create):
    with pytest.raises(anthropic.InternalServerError) as error:
        create("locked", said("Hi [mock status=401]"))
    assert fault(error) == (502, "api_error") and "bad-key" not in str(error.value.body)


@both
@pytest.mark.parametrize("what", ["status=502 html", "empty", "malformed", "redirect", "drop"])
def test_a_provider_answers_with_rubbish(create, tap, model, what):
    tap.statuses.add(307)
    with pytest.raises(anthropic.InternalServerError) as error:
        create(model, said(f"Hi [mock {what}]"))
    assert fault(error) == (503 if what == "drop" else 502, "api_error")
    assert "<html" not in error.value.api_message


def stream_of(create, model, what):
    return create(model, said(f"Hello there [mock {what}]"), stream=True)


@both
def test_an_error_in_a_stream(create, model):
    with pytest.raises(anthropic.APIStatusError) as error:
        list(stream_of(create, model, "error-after=4"))
    message, kind = {
        CLAUDE: ("Overloaded", "overloaded_error"),
        GPT: ("The server had an error while processing your request. Sorry about that!", "api_error"),
    }[model]
    assert (error.value.api_message, error.value.type) == (message, kind)


@both
def test_a_stream_without_an_end(create, model):
    with pytest.raises(anthropic.APIStatusError) as error:
        list(stream_of(create, model, "end-after=4"))
    assert error.value.type == "api_error"


@both
def test_a_stream_that_is_cut(create, model):
    with pytest.raises(httpx2.RemoteProtocolError):
        list(stream_of(create, model, "tokens=50 delay=5 cut-after=20"))


@both
@pytest.mark.parametrize("how", ["split=1", "split=7", "crlf"])
def test_a_stream_in_pieces(create, model, how):
    deltas = [
        event.delta for event in stream_of(create, model, f"tokens=20 {how}") if event.type == "content_block_delta"
    ]
    assert "".join(delta.text for delta in deltas) == "".join(f"{number:03} " for number in range(1, 21))


def test_an_answer_that_comes_too_late(create):
    with pytest.raises(anthropic.GatewayTimeoutError) as error:
        create("hasty", said("Hi [mock slow-start=2000]"))
    assert fault(error) == (504, "timeout_error")


@both
def test_the_sdk_tries_again(client, providers, model):
    ask = {"model": model, "max_tokens": 9, "messages": said("Hi [mock status=529 times=1]")}
    assert client.with_options(max_retries=1).messages.create(**ask).content[0].text == "You said: Hi"
    assert [request["status"] for request in providers.received()] == [529, 200]


# Conversations that move


@pytest.mark.parametrize("there", [GPT, GPT_THINKING])
@pytest.mark.parametrize("thinking", [None, {"type": "enabled", "budget_tokens": 1024}])
def test_a_conversation_moves_to_anthropic_and_back(client, there, thinking):
    ask = {"max_tokens": 4096, "tools": [WEATHER], "messages": said("parallel")}
    ask |= {"thinking": thinking} if thinking else {}
    expected = "The tool said: Paris: sunny; London: sunny"
    answer = client.messages.create(model=there, **ask)
    # Ids and thought as servers have them that follow OpenAI's format more or less.
    for number, call in enumerate(answer.content):
        call.id = f"functions.{call.name}:{number}"
    ask["messages"] += answered(answer)
    ask["messages"][1]["content"].insert(0, {"type": "thinking", "thinking": "Hm.", "signature": ""})
    moved = client.messages.with_raw_response.create(model=CLAUDE, **ask)
    assert moved.parse().content[-1].text == expected
    told = {"reasoning", "thinking"} if thinking else {"reasoning"}
    assert set(moved.headers["x-dragoman-dropped-params"].split(",")) == told
    assert client.messages.count_tokens(model=CLAUDE, tools=[WEATHER], messages=ask["messages"]).input_tokens > 0
    ask["messages"] += [moved.parse().to_param(), *said("weather")]
    again = client.messages.create(model=CLAUDE, **ask)
    assert kinds(again)[-1] == "tool_use"
    ask["messages"] += answered(again)
    for model in [there, CLAUDE]:
        assert client.messages.create(model=model, **ask).content[-1].text == "The tool said: Paris: sunny"
