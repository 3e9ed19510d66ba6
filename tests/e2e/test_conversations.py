"""Ten turns of an agent's conversation, by every client to every kind of provider: calls of tools and thought go back as they came.

All that passes is held to the official types at every turn: by the fixture `tap` and the mock at OpenAI and Anthropic, by the mock's
reading of Google's descriptions at Gemini, by botocore at Bedrock. Thought that comes back changed is refused there.
"""

import http.server
import json
import threading
from collections.abc import Callable, Iterator

import anthropic
import openai
import pytest
from calls import KEY
from conftest import Envoy, Starter
from documents import KEYS, gateway_role, render, standalone
from google import genai
from google.genai import types
from tap import Tap
from test_bedrock import CLAUDE, NOVA, SECRETS, Bedrock
from test_bedrock_types import KEYS as AWS
from test_gemini import UPSTREAMS

# The names of the upstreams' models, and of those who think.
MODELS = {
    "gpt": ("openai", "gpt-5.1"),
    "claude": ("claude", "claude-sonnet-4-5"),
    "gemini": ("gemini", "gemini-3.8-flash"),
    "nova": ("bedrock", NOVA),
    "bedrock-claude": ("bedrock", CLAUDE),
}
THINK = {"claude", "gemini"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture(scope="module", params=[gateway_role, standalone])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter) -> Iterator[Envoy]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bedrock)
    server.received = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    bedrock = {"provider": "bedrock", "base_url": address, "options": {"region": "eu-central-1"}, "credentials": {"aws": AWS}}
    models = [
        {"name": name, "upstreams": [upstream], "upstream_models": {upstream: model}, "retries": 0}
        for name, (upstream, model) in MODELS.items()
    ]
    env = KEYS | SECRETS
    yield shared_gateway(render(request.param(UPSTREAMS | {"bedrock": bedrock}, models), env=env), env=env)
    server.shutdown()
    server.server_close()


class Chat:
    """OpenAI's client of chat completions."""

    def __init__(self, envoy: Envoy, tap: Tap, model: str):
        self.create = openai.OpenAI(base_url=f"{envoy.url}/v1", api_key=KEY, max_retries=0, http_client=tap.client()).chat.completions
        self.model, self.talk = model, []
        function = {"name": "get_weather", "parameters": SCHEMA}
        self.more = {"tools": [{"type": "function", "function": function}], "max_completion_tokens": 4000}
        if model in THINK:
            self.more["reasoning_effort"] = "low"

    def say(self, text: str, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        self.talk.append({"role": "user", "content": text})
        return self.next(streamed)

    def result(self, call: str, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        self.talk.append({"role": "tool", "tool_call_id": call, "content": "Sun"})
        return self.next(streamed)

    def next(self, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        if streamed:
            with self.create.stream(model=self.model, messages=self.talk, **self.more) as stream:
                message = stream.get_final_completion().choices[0].message
        else:
            message = self.create.create(model=self.model, messages=self.talk, **self.more).choices[0].message
        said = message.model_dump(exclude_none=True, exclude={"parsed"})
        for call in said.get("tool_calls", []):
            call["function"].pop("parsed_arguments", None)
            call.pop("index", None)
        for block in said.get("thinking_blocks", []):
            block.pop("index", None)
        self.talk.append(said)
        calls = [(call.id, json.loads(call.function.arguments)) for call in message.tool_calls or []]
        return message.content or "", calls, "reasoning_content" in said


class Messages:
    """Anthropic's client."""

    def __init__(self, envoy: Envoy, tap: Tap, model: str):
        self.messages = anthropic.Anthropic(base_url=envoy.url, api_key=KEY, max_retries=0, http_client=tap.client()).messages
        self.model, self.talk = model, []
        self.more = {"tools": [{"name": "get_weather", "input_schema": SCHEMA}], "max_tokens": 4000}
        if model in THINK:
            self.more["thinking"] = {"type": "enabled", "budget_tokens": 2000}

    def say(self, text: str, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        self.talk.append({"role": "user", "content": text})
        return self.next(streamed)

    def result(self, call: str, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        self.talk.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": call, "content": "Sun"}]})
        return self.next(streamed)

    def next(self, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        if streamed:
            with self.messages.stream(model=self.model, messages=self.talk, **self.more) as stream:
                message = stream.get_final_message()
        else:
            message = self.messages.create(model=self.model, messages=self.talk, **self.more)
        self.talk.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in message.content]})
        text = "".join(block.text for block in message.content if block.type == "text")
        calls = [(block.id, block.input) for block in message.content if block.type == "tool_use"]
        return text, calls, any(block.type == "thinking" for block in message.content)


class Responses:
    """OpenAI's client of Responses."""

    def __init__(self, envoy: Envoy, tap: Tap, model: str):
        self.create = openai.OpenAI(base_url=f"{envoy.url}/v1", api_key=KEY, max_retries=0, http_client=tap.client()).responses.create
        self.model, self.talk = model, []
        self.more = {"tools": [{"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}], "store": False}
        if model in THINK:
            self.more["reasoning"] = {"effort": "low", "summary": "auto"}

    def say(self, text: str, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        self.talk.append({"role": "user", "content": text})
        return self.next(streamed)

    def result(self, call: str, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        self.talk.append({"type": "function_call_output", "call_id": call, "output": "Sun"})
        return self.next(streamed)

    def next(self, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        answer = self.create(model=self.model, input=self.talk, stream=streamed, **self.more)
        if streamed:
            answer = list(answer)[-1].response
        self.talk += [item.model_dump(exclude_none=True) for item in answer.output]
        calls = [(item.call_id, json.loads(item.arguments)) for item in answer.output if item.type == "function_call"]
        return answer.output_text, calls, any(item.type == "reasoning" for item in answer.output)


class Google:
    """Google's client."""

    def __init__(self, envoy: Envoy, tap: Tap, model: str):
        self.client = genai.Client(api_key=KEY, http_options={"base_url": envoy.url})
        self.model, self.talk = model, []
        function = types.FunctionDeclaration(name="get_weather", parameters_json_schema=SCHEMA)
        # The newer of Google's models take no budget.
        how = {"claude": {"thinking_budget": 2000}, "gemini": {"thinking_level": "LOW"}}.get(model)
        thinking = types.ThinkingConfig(include_thoughts=True, **how) if how else None
        tools = [types.Tool(function_declarations=[function])]
        self.config = types.GenerateContentConfig(tools=tools, thinking_config=thinking, max_output_tokens=4000)

    def say(self, text: str, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        self.talk.append(types.UserContent(text))
        return self.next(streamed)

    def result(self, call: str, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        response = types.FunctionResponse(name="get_weather", id=call or None, response={"output": "Sun"})
        self.talk.append(types.UserContent(types.Part(function_response=response)))
        return self.next(streamed)

    def next(self, streamed: bool) -> tuple[str, list[tuple[str, dict]], bool]:
        models = self.client.models
        ask: Callable = models.generate_content_stream if streamed else models.generate_content
        got = ask(model=self.model, contents=self.talk, config=self.config)
        contents = [answer.candidates[0].content for answer in (got if streamed else [got])]
        self.talk += contents
        parts = [part for content in contents for part in content.parts or []]
        text = "".join(part.text or "" for part in parts if not part.thought)
        calls = [(part.function_call.id or "", part.function_call.args) for part in parts if part.function_call]
        return text, calls, any(part.thought for part in parts)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("client", [Chat, Messages, Responses, Google])
def test_ten_turns(envoy: Envoy, tap: Tap, client: type, model: str):
    agent = client(envoy, tap, model)
    for turn in range(5):
        streamed = turn % 2 == 1
        _, calls, thought = agent.say(f"weather number {turn}", streamed)
        assert [list(arguments) for _, arguments in calls] == [["city"]]
        # OpenAI's own thinks unasked, and says so in Responses alone.
        assert thought == (model in THINK or (client, model) == (Responses, "gpt"))
        text, calls, _ = agent.result(calls[0][0], not streamed)
        assert "Sun" in text and not calls
