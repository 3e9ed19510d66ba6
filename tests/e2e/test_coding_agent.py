"""What Claude Code sends, through a real Envoy to upstreams of OpenAI's format: a long conversation with many tools.

The requests are modelled on those of Claude Code 2.1: a system prompt in blocks with cache marks behind a note about
billing, tools with rich schemas, `metadata.user_id`, thinking, betas, `?beta=true`, several calls at once, results with
reminders beside them. Everything that passes is held to the official types by the fixture `tap`.
"""

import base64
import itertools
import json

import anthropic
import pytest
from conftest import Envoy
from documents import KEYS, MOCK_OPENAI, MOCKS, gateway_role, render, standalone
from tap import Tap

# At OpenAI, and at a server of one's own that follows its format: how much they think. The third takes thought or tools.
EFFORTS = {
    "gpt-4.1": None,
    "gpt-5.1": "medium",
    "gpt-5.6-terra": "none",
    "local/qwen3-coder": None,
    "local/gpt-5.1": "medium",
}

LIST = [
    {"name": "gpt-*", "upstreams": ["openai"], "upstream_models": {"openai": "gpt-*"}, "retries": 0},
    {"name": "local/*", "upstreams": ["local"], "retries": 0},
    {"name": "claude-*", "upstreams": ["claude"], "upstream_models": {"claude": "claude-*"}, "retries": 0},
]
UPSTREAMS = MOCKS | {"local": MOCK_OPENAI | {"provider": "openai_compatible"}}

BETAS = [
    "claude-code-20250219",
    "interleaved-thinking-2025-05-14",
    "context-management-2025-06-27",
    "prompt-caching-scope-2026-01-05",
    "effort-2025-11-24",
]
HEADERS = {"user-agent": "claude-cli/2.1.29 (external, cli)", "x-app": "cli"}
MARK = {"type": "ephemeral", "ttl": "1h"}
USER = "user_" + "0a1b2c3d" * 8 + "_account__session_01234567-89ab-4cde-8f01-23456789abcd"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}


def tool(name: str, required: list[str], **properties: dict) -> dict:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    return {
        "name": name,
        "description": f'{name}: does what it says.\n\nUsage notes:\n- "Quoted" – and so on',
        "input_schema": schema,
    }


TEXT = {"type": "string"}
COUNT = {"type": "integer", "exclusiveMinimum": 0, "maximum": 9007199254740991}
TODO = {
    "type": "object",
    "properties": {
        "content": {"type": "string", "minLength": 1},
        "status": {"type": "string", "enum": ["pending", "in_progress", "completed"]},
        "activeForm": {"type": "string", "minLength": 1},
    },
    "required": ["content", "status", "activeForm"],
    "additionalProperties": False,
}
OPTION = {
    "type": "object",
    "properties": {"label": TEXT, "description": TEXT},
    "required": ["label", "description"],
    "additionalProperties": False,
}
QUESTION = {
    "type": "object",
    "properties": {
        "question": TEXT,
        "options": {"type": "array", "items": OPTION, "minItems": 2, "maxItems": 4},
        "multiSelect": {"type": "boolean", "default": False},
    },
    "required": ["question", "options", "multiSelect"],
    "additionalProperties": False,
}
TOOLS = [
    tool("Bash", ["command"], command=TEXT, timeout={"type": "number"}, run_in_background={"type": "boolean"}),
    tool("Read", ["file_path"], file_path=TEXT, offset=COUNT, limit=COUNT, pages={"type": "string", "pattern": "^\\d+(-\\d+)?$"}),
    tool("Edit", ["file_path", "old_string", "new_string"], file_path=TEXT, old_string=TEXT, new_string=TEXT,
         replace_all={"type": "boolean", "default": False}),
    tool("Write", ["file_path", "content"], file_path=TEXT, content=TEXT),
    tool("Glob", ["pattern"], pattern=TEXT, path=TEXT),
    tool("Grep", ["pattern"], pattern=TEXT, output_mode={"type": "string", "enum": ["content", "files_with_matches", "count"]},
         **{"-A": {"type": "number"}, "-i": {"type": "boolean"}}),
    tool("Task", ["prompt"], prompt=TEXT, model={"type": "string", "enum": ["sonnet", "opus", "haiku"]},
         isolation={"const": "worktree"}),
    tool("WebFetch", ["url", "prompt"], url={"type": "string", "format": "uri"}, prompt=TEXT),
    tool("WebSearch", ["query"], query={"type": "string", "minLength": 2}, allowed_domains={"type": "array", "items": TEXT}),
    tool("TodoWrite", ["todos"], todos={"type": "array", "items": TODO}),
    tool("NotebookEdit", ["notebook_path", "new_source"], notebook_path=TEXT, new_source=TEXT,
         cell_type={"anyOf": [{"enum": ["code", "markdown"]}, {"type": "null"}]}),
    tool("AskUserQuestion", ["questions"], questions={"type": "array", "items": QUESTION, "minItems": 1, "maxItems": 4},
         answers={"type": "object", "propertyNames": TEXT, "additionalProperties": TEXT}),
    tool("ExitPlanMode", []) | {"input_schema": {"type": "object", "properties": {}, "additionalProperties": {}}},
    tool("Skill", ["skill"], skill=TEXT, args=TEXT),
    # Of other people's servers: without arguments, without `items`, with a name as long as names may be.
    {"name": "mcp__clock__now", "input_schema": {"type": "object"}},
    {"name": "mcp__tags__" + "x" * 53, "input_schema": {"type": "object", "properties": {"tags": {"type": "array"}}}, "cache_control": MARK},
]  # fmt: skip


def text(text: str, **more) -> dict:
    return {"type": "text", "text": text, **more}


def system(call: int) -> list[dict]:
    return [
        text(f"x-anthropic-billing-header: cc_version=2.1.29.a1b; cc_entrypoint=cli; cch={call:05x};"),
        text("You are Claude Code, Anthropic's official CLI for Claude.", cache_control=MARK),
        text("You are an interactive agent.\n\n# Tone\n - Be short.\n" * 50, cache_control=MARK),
    ]


REMINDER = "<system-reminder>\nThe TodoWrite tool hasn't been used recently.\n</system-reminder>"


class Agent:
    """A conversation, kept as Claude Code keeps it."""

    def __init__(self, client: anthropic.Anthropic, model: str):
        self.client, self.model = client, model
        self.messages: list[dict] = []
        self.calls = itertools.count()

    def say(self, *blocks: dict) -> None:
        self.messages.append({"role": "user", "content": list(blocks)})

    def marked(self) -> list[dict]:
        """The messages, with a cache mark at the end of the last."""
        *before, last = self.messages
        *blocks, end = last["content"]
        return [*before, last | {"content": [*blocks, end | {"cache_control": MARK}]}]

    def turn(self) -> anthropic.types.beta.BetaMessage:
        with self.client.beta.messages.stream(
            model=self.model,
            max_tokens=32_000,
            system=system(next(self.calls)),
            tools=TOOLS,
            messages=self.marked(),
            metadata={"user_id": USER},
            thinking={"type": "adaptive"},
            output_config={"effort": "medium"},
            context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
            betas=BETAS,
            extra_headers=HEADERS,
            extra_query={"beta": "true"},
        ) as stream:
            answer = stream.get_final_message()
        assert answer.model == self.model and answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0
        content = [block.model_dump(exclude_none=True) for block in answer.content]
        self.messages.append({"role": "assistant", "content": content})
        return answer

    def answer_calls(self, answer: anthropic.types.beta.BetaMessage) -> None:
        calls = [block for block in answer.content if block.type == "tool_use"]
        first, *others = [{"type": "tool_result", "tool_use_id": call.id} for call in calls]
        results = [first | {"content": "Exit code 1\nmake: *** [all] Error 1", "is_error": True}]
        results += [other | {"content": [text("1→all:"), IMAGE]} for other in others]
        self.say(*results, text(REMINDER))


@pytest.fixture(scope="module", params=[standalone, gateway_role], ids=["standalone", "gateway"])
def envoy(request: pytest.FixtureRequest, shared_gateway) -> Envoy:
    return shared_gateway(render(request.param(UPSTREAMS, LIST)), env=KEYS)


@pytest.fixture
def client(envoy: Envoy, tap: Tap) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=envoy.url, auth_token="sk-demo", max_retries=0, http_client=tap.client())


@pytest.mark.parametrize("model", EFFORTS)
def test_ten_turns(client, providers, model):
    agent = Agent(client, model)
    for number in range(10):
        agent.say(text(REMINDER), text(f"parallel, part {number}"))
        asked = agent.turn()
        assert asked.stop_reason == "tool_use"
        assert [(call.name, sorted(call.input)) for call in asked.content] == [
            ("Bash", ["command"]),
            ("Read", ["file_path"]),
        ]
        agent.answer_calls(asked)
        final = agent.turn()
        assert final.stop_reason == "end_turn" and final.content[0].text.startswith("You said: ")
    bodies = [request["body"] for request in providers.received()]
    assert len(bodies) == 20
    for before, after in itertools.pairwise(bodies):
        # All but the end stays as it was, or nothing could be cached.
        assert after["messages"][: len(before["messages"])] == before["messages"]
        assert (after["tools"], after["user"]) == (before["tools"], before["user"])
    check_last(bodies[-1], model)


def check_last(body: dict, model: str) -> None:
    prompt, *talk = body["messages"]
    assert (prompt["role"], prompt["content"][:15]) == ("system", "You are Claude ")
    assert "billing" not in json.dumps(body) and "cache_control" not in json.dumps(body)
    turn = ["user", "assistant", "tool", "tool", "user"]
    assert [message["role"] for message in talk] == [*turn, "assistant"] * 9 + turn
    asked, failed, read, shown = talk[1:5]
    assert [call["id"] for call in asked["tool_calls"]] == [failed["tool_call_id"], read["tool_call_id"]]
    assert failed["content"] == "Error: Exit code 1\nmake: *** [all] Error 1"
    assert [part["type"] for part in shown["content"]] == ["text", "image_url", "text"]
    tools = {tool["function"]["name"]: tool["function"]["parameters"] for tool in body["tools"]}
    assert list(tools) == [tool["name"] for tool in TOOLS]
    for tool in TOOLS[:-2]:
        assert tools[tool["name"]] == tool["input_schema"]
    assert tools["mcp__clock__now"] == {"type": "object", "properties": {}}
    assert tools[TOOLS[-1]["name"]]["properties"] == {"tags": {"type": "array", "items": {}}}
    limit = "max_tokens" if model == "local/qwen3-coder" else "max_completion_tokens"
    assert body[limit] == 32_000
    assert body.get("reasoning_effort") == EFFORTS[model]


@pytest.mark.parametrize("model", EFFORTS)
def test_what_is_left_out_is_told(client, model):
    raw = client.beta.messages.with_raw_response.create(
        model=model,
        max_tokens=32_000,
        system=system(0),
        tools=TOOLS,
        messages=[{"role": "user", "content": "Hi"}],
        thinking={"type": "enabled", "budget_tokens": 31_999},
        context_management={"edits": []},
        betas=BETAS,
        extra_query={"beta": "true"},
    )
    told = set(raw.headers["x-dragoman-dropped-params"].split(","))
    assert told == {"context_management"} | (set() if EFFORTS[model] == "medium" else {"thinking"})


@pytest.mark.parametrize("model", EFFORTS)
def test_the_small_calls_beside_it(client, model):
    # The title of the session, the check of a connection, the count before the context is full.
    title = {
        "type": "object",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    }
    named = client.beta.messages.create(
        model=model,
        max_tokens=32_000,
        system=[text("Generate a title.")],
        messages=[{"role": "user", "content": [text("Fix the build")]}],
        output_config={"format": {"type": "json_schema", "schema": title}},
        betas=[*BETAS, "structured-outputs-2025-12-15"],
        extra_query={"beta": "true"},
    )
    assert json.loads(named.content[0].text).keys() == {"title"}
    probe = client.beta.messages.create(model=model, max_tokens=1, messages=[{"role": "user", "content": "quota"}])
    assert probe.stop_reason == "max_tokens"
    counted = client.beta.messages.count_tokens(
        model=model, tools=TOOLS, messages=[{"role": "user", "content": "foo"}], betas=BETAS
    )
    assert counted.input_tokens > 500


def test_a_model_of_anthropic_gets_all_as_it_is(client, providers):
    agent = Agent(client, "claude-opus-5-5")
    for number in range(2):
        agent.say(text(REMINDER), text(f"parallel, part {number}"))
        asked = agent.turn()
        assert [block.type for block in asked.content] == ["thinking", "tool_use", "tool_use"]
        agent.answer_calls(asked)
        assert agent.turn().stop_reason == "end_turn"
    request = providers.received()[-1]
    assert request["headers"]["anthropic-beta"].split(",") == BETAS
    assert request["body"]["tools"] == TOOLS and request["body"]["system"] == system(3)
    assert request["body"]["metadata"] == {"user_id": USER}


@pytest.mark.parametrize("fault", ["status=529", "error-after=3", "end-after=3"])
def test_a_fault_amid_the_conversation(client, fault):
    agent = Agent(client, "gpt-5.1")
    agent.say(text(f"parallel [mock {fault} times=1]"))
    with pytest.raises(anthropic.APIStatusError) as error:
        agent.turn()
    assert error.value.type in ("api_error", "overloaded_error")
    assert [call.name for call in agent.turn().content] == ["Bash", "Read"]
