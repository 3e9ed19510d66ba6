"""OpenAI's official SDK speaking Responses through a real Envoy: to OpenAI, who speaks them too, to Anthropic, to Google, and to a
server that knows nothing but chat completions.

Requests that reach the providers and answers that reach the client are held to the official types by the fixture `tap`.
"""

import base64
import json

import openai
import pytest
from conftest import PROVIDERS, Envoy
from documents import DEMO, KEYS, MOCKS, gateway_role, render, standalone
from pydantic import BaseModel
from tap import Tap

GPT, CLAUDE, GEMINI, LOCAL = "gpt-4.1", "claude-haiku-4-5", "gemini-3.8-flash", "local-model"
# These think: one seals its thought, one signs it.
GPT_THINKING, CLAUDE_THINKING = "gpt-5.1", "claude-opus-5-5"
# What they call the proof of it.
PROOF = {GPT_THINKING: "encrypted_content", CLAUDE_THINKING: '"signature"', GEMINI: "thoughtSignature"}

every = pytest.mark.parametrize("model", [GPT, CLAUDE, GEMINI, LOCAL])
translated = pytest.mark.parametrize("model", [CLAUDE, GEMINI, LOCAL])

SERVER = {"provider": "openai_compatible", "base_url": f"http://127.0.0.1:{PROVIDERS}/v1",
          "credentials": {"api_key": {"value": "sk-local"}}}  # fmt: skip
GOOGLE = {"provider": "gemini", "base_url": f"http://127.0.0.1:{PROVIDERS}", "credentials": {"api_key": {"value": "AIza-gemini"}}}
UPSTREAMS = MOCKS | {"gemini": GOOGLE, "local": SERVER}
LIST = [
    {"name": "gpt-*", "upstreams": ["openai"], "upstream_models": {"openai": "gpt-*"}, "retries": 0},
    {"name": "claude-*", "upstreams": ["claude"], "upstream_models": {"claude": "claude-*"}, "retries": 0},
    {"name": "gemini-*", "upstreams": ["gemini"], "upstream_models": {"gemini": "gemini-*"}, "retries": 0},
    {"name": "local-*", "upstreams": ["local"], "upstream_models": {"local": "local-*"}, "retries": 0},
    # Whoever needs what only OpenAI has goes there.
    {"name": "any", "upstreams": ["claude", "openai"], "upstream_models": {"claude": CLAUDE, "openai": GPT}, "retries": 0},
]  # fmt: skip
# The secret of the second is `sk-narrow`.
TWO_KEYS = [*DEMO, {"id": "other", "hash": "sha256:94aaec573cd805826e57cfdb57cc38f46842556bbde4cad6cd639e0c885a06b8"}]

PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
TIME = {"type": "function", "name": "get_time", "parameters": {"type": "object", "properties": {}}, "strict": False}
SHELL = {"type": "custom", "name": "shell", "description": "Runs a command."}


@pytest.fixture(scope="module", params=[standalone, gateway_role], ids=["standalone", "gateway"])
def envoy(request: pytest.FixtureRequest, shared_gateway) -> Envoy:
    return shared_gateway(render(request.param(UPSTREAMS, LIST, keys=TWO_KEYS)), env=KEYS)


@pytest.fixture
def client(envoy: Envoy, tap: Tap) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="sk-demo", max_retries=0, http_client=tap.client())


@pytest.fixture
def other(envoy: Envoy, tap: Tap) -> openai.OpenAI:
    """A client with another key."""
    return openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="sk-narrow", max_retries=0, http_client=tap.client())


@pytest.fixture
def create(client: openai.OpenAI):
    return client.responses.create


@every
def test_an_answer(create, model):
    answer = create(model=model, input="Hello", instructions="Be brief.", store=False)
    assert (answer.output_text, answer.status, answer.model) == ("You said: Hello", "completed", model)
    assert answer.id.startswith("resp_") and answer.instructions == "Be brief."
    assert [item.type for item in answer.output] == ["message"]
    usage = answer.usage
    assert usage.input_tokens > 0 and usage.total_tokens == usage.input_tokens + usage.output_tokens


@every
def test_a_stream(client, model):
    with client.responses.stream(model=model, input="Hello there") as stream:
        events = list(stream)
        final = stream.get_final_response()
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    assert "".join(event.delta for event in deltas) == final.output_text == "You said: Hello there"
    assert len(deltas) > 1 and deltas[-1].snapshot == final.output_text
    assert {event.response.id for event in events if hasattr(event, "response")} == {final.id}


@every
def test_an_agent_with_two_tools(client, model):
    """As agents do: all of the conversation goes back and forth, streamed."""
    talk = [{"role": "user", "content": "The weather, in parallel"}]
    tools = [WEATHER, TIME]
    with client.responses.stream(model=model, input=talk, tools=tools, store=False) as stream:
        final = stream.get_final_response()
    calls = [item for item in final.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["get_weather", "get_time"]
    assert json.loads(calls[0].arguments) == {"city": "Paris"}
    talk += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in final.output]
    talk += [{"type": "function_call_output", "call_id": call.call_id, "output": "Sunny"} for call in calls]
    answer = client.responses.create(model=model, input=talk, tools=tools, store=False)
    assert answer.output_text == "The tool said: Sunny; Sunny"


@every
def test_a_custom_tool(client, create, model):
    talk = [{"role": "user", "content": "weather"}]
    ask = {"model": model, "tools": [SHELL], "store": False}
    events = list(create(**ask, input=talk, stream=True, tool_choice={"type": "custom", "name": "shell"}))
    (call,) = [item for item in events[-1].response.output if item.type == "custom_tool_call"]
    assert call.name == "shell" and call.input
    said = [event.delta for event in events if event.type == "response.custom_tool_call_input.delta"]
    assert "".join(said) == call.input
    talk += [call.model_dump(exclude_none=True)]
    talk += [{"type": "custom_tool_call_output", "call_id": call.call_id, "output": "done"}]
    assert create(**ask, input=talk).output_text == "The tool said: done"


class Person(BaseModel):
    name: str
    age: int


@every
def test_structured_output(client, model):
    answer = client.responses.parse(model=model, input="Who?", text_format=Person)
    assert isinstance(answer.output_parsed, Person)
    with client.responses.stream(model=model, input="Who?", text_format=Person) as stream:
        assert stream.get_final_response().output_parsed == answer.output_parsed


@every
def test_pictures(create, model):
    content = [{"type": "input_text", "text": "Look"}, {"type": "input_image", "image_url": PNG, "detail": "auto"}]
    answer = create(model=model, input=[{"role": "user", "content": content}])
    assert answer.output_text == "You said: Look (with image)"


@every
def test_a_limit(create, model):
    answer = create(model=model, input="[mock tokens=40]", max_output_tokens=16)
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")


@pytest.mark.parametrize("model", [GPT, LOCAL])
def test_a_refusal(client, model):
    with client.responses.stream(model=model, input="Please refuse") as stream:
        final = stream.get_final_response()
    assert final.output[0].content[0].refusal == "I can't help with that."


@pytest.mark.parametrize("model", [GPT_THINKING, CLAUDE_THINKING, GEMINI, LOCAL])
def test_ten_turns_with_tools_and_thought(create, tap, model):
    """The providers refuse thought that comes back changed."""
    talk, thoughts = [], 0
    more = {} if model == LOCAL else {"reasoning": {"effort": "low", "summary": "auto"}}
    for turn in range(10):
        talk.append({"role": "user", "content": f"weather {turn}" if turn % 2 else f"Turn {turn}"})
        for _ in range(2):
            answer = create(model=model, input=talk, tools=[WEATHER], store=False, stream=turn % 3 == 0, **more)
            if turn % 3 == 0:
                answer = list(answer)[-1].response
            talk += [item.model_dump(exclude_none=True) for item in answer.output]
            # Google signs each answer once, wherever in it.
            thoughts += 1 if model == GEMINI else sum(item.type == "reasoning" for item in answer.output)
            calls = [item for item in answer.output if item.type == "function_call"]
            talk += [{"type": "function_call_output", "call_id": call.call_id, "output": "Sun"} for call in calls]
            if not calls:
                break
        assert answer.output_text == ("The tool said: Sun" if turn % 2 else f"You said: Turn {turn}")
    if model != LOCAL:
        assert thoughts >= 10
        sent = json.dumps(tap.sent())
        # All that was thought went back, as far as the provider had it signed.
        assert sent.count(PROOF[model]) >= thoughts - 1


def test_a_conversation_moves(client, tap):
    """Thought that one provider has signed is not for another, and the client is told."""
    talk = [{"role": "user", "content": "Hello"}]
    for model in (CLAUDE_THINKING, GPT_THINKING, LOCAL, CLAUDE_THINKING):
        more = {} if model == LOCAL else {"reasoning": {"effort": "low", "summary": "auto"}}
        answer = client.responses.with_raw_response.create(model=model, input=talk, store=False, **more)
        dropped = answer.headers.get("x-dragoman-dropped-params", "")
        assert ("reasoning" in dropped) == (model != CLAUDE_THINKING or len(talk) > 1), model
        response = answer.parse()
        talk += [item.model_dump(exclude_none=True) for item in response.output]
        talk.append({"role": "user", "content": "Go on"})
    assert response.output_text == "You said: Go on"


@translated
@pytest.mark.parametrize("more", [{"store": True}, {"background": True}, {"previous_response_id": "resp_1"},
                                  {"conversation": "conv_1"}])  # fmt: skip
def test_what_only_a_provider_keeps_is_refused_elsewhere(create, model, more):
    with pytest.raises(openai.BadRequestError) as failure:
        create(model=model, input="Hello", **more)
    assert failure.value.param == next(iter(more))


def test_what_is_kept(client, other, create):
    first = create(model=GPT, input="Hello", store=True)
    assert client.responses.retrieve(first.id) == first.model_copy(update={"model": "gpt-4.1-2026-01-15"})
    assert [item.type for item in client.responses.input_items.list(first.id)] == ["message"]
    second = create(model=GPT, input="Go on", previous_response_id=first.id)
    assert second.previous_response_id == first.id and second.output_text == "You said: Go on"
    # Nobody else reads it, changes it or goes on from it.
    for use in (other.responses.retrieve, other.responses.delete, other.responses.cancel):
        with pytest.raises(openai.NotFoundError):
            use(first.id)
    with pytest.raises(openai.BadRequestError) as failure:
        other.responses.create(model=GPT, input="Go on", previous_response_id=first.id)
    assert failure.value.code == "previous_response_not_found"
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_work_in_the_background(client, create):
    begun = create(model=GPT, input="Hello", background=True)
    assert begun.status == "queued"
    assert client.responses.cancel(begun.id).status == "cancelled"


@pytest.mark.parametrize("path", ["resp_1", "resp_1-0123456789abcdef0123456789abcdef", "..", "%2e%2e%2fmodels"])
def test_ids_of_nobody(client, tap, path):
    with pytest.raises(openai.APIStatusError) as failure:
        client.get(f"/responses/{path}", cast_to=object)
    assert failure.value.status_code in (400, 404)
    assert tap.providers.received() == []


def test_who_needs_openai_gets_it(create, tap):
    assert create(model="any", input="Hello").output_text == "You said: Hello"
    assert tap.providers.received()[-1]["path"] == "/v1/messages"


def test_steering_by_what_is_needed(envoy, create, tap):
    if "standalone" not in envoy.process.name:
        pytest.skip("the host chooses among the endpoints")
    answer = create(model="any", input="Hello", store=True)
    assert tap.providers.received()[-1]["path"] == "/v1/responses"
    create(model="any", input="Go on", previous_response_id=answer.id)
    assert tap.providers.received()[-1]["path"] == "/v1/responses"


@every
def test_errors(create, tap, model):
    tap.statuses.add(429)
    with pytest.raises(openai.RateLimitError):
        create(model=model, input="[mock status=429]")


@every
def test_an_error_in_a_stream(create, model):
    events = list(create(model=model, input="Hello there you [mock error-after=4]", stream=True))
    assert events[-1].type in ("error", "response.failed")
    if events[-1].type == "response.failed":
        assert events[-1].response.status == "failed" and events[-1].response.error.code


@every
def test_usage_is_counted(envoy, create, model):
    before = envoy.stat("dragoman_tokens_total", type="output")
    answer = create(model=model, input="Hello")
    events = list(create(model=model, input="Hello", stream=True))
    counted = envoy.stat("dragoman_tokens_total", type="output") - before
    assert counted == 2 * answer.usage.output_tokens == 2 * events[-1].response.usage.output_tokens
    assert envoy.stat("dragoman_requests_total", operation="responses") > 0
