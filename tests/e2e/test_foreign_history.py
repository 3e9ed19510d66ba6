"""A conversation that other providers have answered goes on at the next one when an upstream fails: between every two of
OpenAI, Anthropic, Gemini and Bedrock. Each takes what the others' answers have left in it."""

import http.server
import itertools
import threading

import anthropic
import openai
import pytest
from conftest import PROVIDERS
from documents import KEYS, MOCK_CLAUDE, MOCK_OPENAI, gateway_role, render
from test_bedrock import Bedrock
from test_bedrock_types import KEYS as AWS
from test_bedrock_types import SECRETS

# The provider's model that answers, and one that does not.
MODELS = {
    "openai": ("gpt-4.1", "gpt-4.1+status=503"),
    "claude": ("claude-haiku-4-5", "claude-haiku-4-5+status=503"),
    "gemini": ("gemini-2.5-flash", "gemini-2.5-flash+status=503"),
    "bedrock": ("us.amazon.nova-pro-v1:0", "us.amazon.nova-pro-fails"),
    "bedrock-claude": ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "us.anthropic.claude-fails"),
}
PAIRS = list(itertools.permutations(MODELS, 2))
TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture(scope="module")
def envoy(shared_gateway):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bedrock)
    server.received = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}"
    aws = {"provider": "bedrock", "base_url": here, "options": {"region": "eu-central-1"}, "credentials": {"aws": AWS}}
    gemini = {"provider": "gemini", "base_url": f"http://127.0.0.1:{PROVIDERS}", "credentials": {"api_key": {"env": "OPENAI_API_KEY"}}}
    upstreams = {"openai": MOCK_OPENAI, "claude": MOCK_CLAUDE, "gemini": gemini, "bedrock": aws, "bedrock-claude": aws}
    models = [
        {
            "name": f"{first}-{second}",
            "upstreams": [first, second],
            "upstream_models": {first: MODELS[first][1], second: MODELS[second][0]},
            "retries": 1,
        }
        for first, second in PAIRS
    ]
    patch = pytest.MonkeyPatch()
    for name, value in SECRETS.items():
        patch.setenv(name, value)
    document = render(gateway_role(upstreams, models))
    patch.undo()
    yield shared_gateway(document, env=KEYS | SECRETS)
    server.shutdown()
    server.server_close()


def check(headers, second: str) -> None:
    assert (headers["x-dragoman-attempts"], headers["x-dragoman-upstream"]) == ("2", second)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_messages(envoy, first, second):
    client = anthropic.Anthropic(base_url=envoy.url, api_key="sk-demo", max_retries=0)
    calls = {"toolu_1": "Paris", "call_abc": "Rome", "call_1__vertex__Awo-_w": "Oslo", "tooluse_x": "Bern"}
    said = [
        {"type": "thinking", "thinking": "Google Cloud's.", "signature": "__vertex__Awo-_w"},
        {"type": "thinking", "thinking": "Nova's.", "signature": "__bedrock__c2lnbmVk"},
        {"type": "text", "text": "I look."},
        *({"type": "tool_use", "id": id, "name": "get_weather", "input": {"city": city}} for id, city in calls.items()),
    ]
    results = [{"type": "tool_result", "tool_use_id": id, "content": f"Sunny in {city}"} for id, city in calls.items()]
    raw = client.messages.with_raw_response.create(
        model=f"{first}-{second}",
        max_tokens=100,
        tools=[{"name": "get_weather", "description": "Weather", "input_schema": TOOL}],
        messages=[{"role": "user", "content": "Weather?"}, {"role": "assistant", "content": said}, {"role": "user", "content": results}],
    )
    check(raw.headers, second)
    # Google Cloud has signed one of the thoughts, and that none of these can read.
    assert "reasoning" in raw.headers["x-dragoman-dropped-params"].split(",")
    assert raw.parse().content


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_chat(envoy, first, second):
    client = openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="sk-demo", max_retries=0)
    calls = {"call_abc": "Rome", "call_1__vertex__Awo-_w": "Oslo", "toolu_1": "Paris", "tooluse_x": "Bern"}
    said = {
        "role": "assistant",
        "content": "I look.",
        "tool_calls": [
            {"id": id, "type": "function", "function": {"name": "get_weather", "arguments": f'{{"city": "{city}"}}'}}
            for id, city in calls.items()
        ],
    }
    results = [{"role": "tool", "tool_call_id": id, "content": f"Sunny in {city}"} for id, city in calls.items()]
    raw = client.chat.completions.with_raw_response.create(
        model=f"{first}-{second}",
        tools=[{"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": TOOL}}],
        messages=[{"role": "user", "content": "Weather?"}, said, *results],
    )
    check(raw.headers, second)
    assert raw.parse().choices
