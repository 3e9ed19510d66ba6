"""The mock providers against the official SDKs: what they answer, and what they refuse.

The fixture `mock` is the address of a running `dragoman mock`.
"""

import base64
import json
import time

import anthropic
import httpx
import openai
import pytest
from pydantic import BaseModel

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOSED = SCHEMA | {"additionalProperties": False}
OPENAI_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
ANTHROPIC_TOOL = {"name": "get_weather", "input_schema": SCHEMA}


class Person(BaseModel):
    name: str
    age: int
    tags: list[str]


def said(text):
    return [{"role": "user", "content": text}]


@pytest.fixture
def gpt(mock):
    return openai.OpenAI(base_url=f"{mock}/v1", api_key="sk-test", max_retries=0)


@pytest.fixture
def claude(mock):
    return anthropic.Anthropic(base_url=mock, api_key="sk-ant-test", max_retries=0)


def chat(mock, headers={}, **body):
    body = {"model": "gpt-4o", "messages": said("Hi")} | body
    return httpx.post(f"{mock}/v1/chat/completions", json=body, headers={"authorization": "Bearer sk"} | headers)


def message(mock, headers={}, path="/v1/messages", **body):
    body = {"model": "claude-haiku-4-5", "max_tokens": 4096, "messages": said("Hi")} | body
    body = {name: value for name, value in body.items() if value is not ...}
    return httpx.post(mock + path, json=body, headers={"x-api-key": "sk", "anthropic-version": "2023-06-01"} | headers)


# Answers


def test_openai_text(gpt):
    answer = gpt.chat.completions.create(model="gpt-4o", messages=said("Hello"))
    assert answer.choices[0].message.content == "You said: Hello"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    again = gpt.chat.completions.create(model="gpt-4o", messages=said("Hello"))
    assert answer.model_dump() == again.model_dump()


def test_openai_stream(gpt):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(gpt.chat.completions.create(model="gpt-4o", messages=said("Hello there"), **options))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1]) == "You said: Hello there"
    assert [c.choices[0].finish_reason for c in chunks[:-1]] == [None] * (len(chunks) - 2) + ["stop"]
    assert all(c.usage is None and "usage" in c.model_fields_set for c in chunks[:-1])
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 6


@pytest.mark.parametrize("text, calls", [("weather", ["Paris"]), ("parallel", ["Paris", "London"])])
def test_openai_tools(gpt, text, calls):
    ask = {"model": "gpt-4o", "messages": said(text), "tools": [OPENAI_TOOL]}
    answer = gpt.chat.completions.create(**ask).choices[0]
    assert answer.finish_reason == "tool_calls"
    assert [json.loads(c.function.arguments)["city"] for c in answer.message.tool_calls] == calls
    with gpt.chat.completions.stream(**ask) as stream:
        streamed = stream.get_final_completion().choices[0]
    assert [c.function.arguments for c in streamed.message.tool_calls] == [
        c.function.arguments for c in answer.message.tool_calls
    ]
    ask["messages"] += [answer.message] + [
        {"role": "tool", "tool_call_id": c.id, "content": "sunny"} for c in answer.message.tool_calls
    ]
    assert gpt.chat.completions.create(**ask).choices[0].message.content.startswith("The tool said: sunny")


def test_openai_format_refusal_limits(gpt):
    parsed = gpt.chat.completions.parse(model="gpt-4o", messages=said("x"), response_format=Person)
    assert parsed.choices[0].message.parsed.age == 1
    create = gpt.chat.completions.create
    refused = create(model="gpt-4o", messages=said("refuse")).choices[0]
    assert refused.message.refusal and refused.message.content is None
    assert create(model="gpt-4o", messages=said("Hi"), max_tokens=2).choices[0].finish_reason == "length"
    assert create(model="gpt-4o", messages=said("Hi"), stop=" said").choices[0].message.content == "You"
    usage = create(model="o3", messages=said("cached")).usage
    assert usage.completion_tokens_details.reasoning_tokens > 0 and usage.prompt_tokens_details.cached_tokens > 0
    assert create(model="gpt-4o", messages=said("[mock tokens=100]")).usage.completion_tokens == 100
    assert len(create(model="gpt-4o", messages=said("Hi"), n=2, logprobs=True).choices) == 2


def test_anthropic_text(claude):
    answer = claude.messages.create(model="claude-haiku-4-5", max_tokens=99, messages=said("Hello"))
    assert (answer.content[0].text, answer.stop_reason) == ("You said: Hello", "end_turn")
    assert claude.messages.count_tokens(model="claude-haiku-4-5", messages=said("Hello")).input_tokens == answer.usage.input_tokens


def test_anthropic_stream(mock):
    reply = message(mock, stream=True, thinking={"type": "enabled", "budget_tokens": 1024})
    events = [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: ")]
    assert [line[7:] for line in reply.text.splitlines() if line.startswith("event: ")] == [e["type"] for e in events]
    kinds = [e.get("delta", e).get("type", e["type"]) for e in events]
    assert kinds[:4] == ["message_start", "content_block_start", "ping", "thinking_delta"]
    assert kinds.index("signature_delta") + 1 == kinds.index("content_block_stop")
    assert [e["type"] for e in events[-3:]] == ["content_block_stop", "message_delta", "message_stop"]
    whole = message(mock, thinking={"type": "enabled", "budget_tokens": 1024}).json()
    assert events[-2]["usage"]["output_tokens"] == whole["usage"]["output_tokens"]


@pytest.mark.parametrize("text, calls", [("weather", ["Paris"]), ("parallel", ["Paris", "London"])])
def test_anthropic_tools(claude, text, calls):
    ask = {"model": "claude-haiku-4-5", "max_tokens": 4096, "messages": said(text), "tools": [ANTHROPIC_TOOL]}
    ask["thinking"] = {"type": "enabled", "budget_tokens": 1024}
    with claude.messages.stream(**ask) as stream:
        answer = stream.get_final_message()
    assert answer.stop_reason == "tool_use"
    assert [b.input["city"] for b in answer.content[1:]] == calls
    results = [{"type": "tool_result", "tool_use_id": b.id, "content": "sunny"} for b in answer.content[1:]]
    ask["messages"] += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results}]
    assert claude.messages.create(**ask).content[-1].text.startswith("The tool said: sunny")


def test_anthropic_format_refusal_limits(claude):
    ask = {"model": "claude-haiku-4-5", "max_tokens": 99}
    assert claude.messages.parse(**ask, messages=said("x"), output_format=Person).parsed_output.age == 1
    assert claude.messages.create(**ask, messages=said("refuse")).stop_reason == "refusal"
    assert claude.messages.create(**ask | {"max_tokens": 2}, messages=said("Hi")).stop_reason == "max_tokens"
    stopped = claude.messages.create(**ask, messages=said("Hi"), stop_sequences=[" said"])
    assert (stopped.stop_reason, stopped.stop_sequence, stopped.content[0].text) == ("stop_sequence", " said", "You")


def test_anthropic_cache(mock):
    def usage(text):
        system = [{"type": "text", "text": "Be kind. " * 40, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
        return message(mock, system=system, messages=said(text)).json()["usage"]

    written, read = usage("Hi"), usage("cached")
    assert written["cache_creation"]["ephemeral_1h_input_tokens"] == written["cache_creation_input_tokens"] > 0
    assert read["cache_read_input_tokens"] == written["cache_creation_input_tokens"]
    assert read["cache_creation_input_tokens"] == 0


# What is refused


def called(*ids):
    function = {"name": "f", "arguments": "{}"}
    return {"role": "assistant", "tool_calls": [{"id": i, "type": "function", "function": function} for i in ids]}


def image(url):
    return said([{"type": "image_url", "image_url": {"url": url}}])


STRICT = {"name": "f", "strict": True, "parameters": SCHEMA}


@pytest.mark.parametrize(
    "body, part, param, code",
    [
        ({"top_k": 3}, "Unrecognized request argument supplied: top_k", None, None),
        ({"temperature": 2.5}, "above maximum", "temperature", "decimal_above_max_value"),
        ({"temperature": "1"}, "but got a string", "temperature", "invalid_type"),
        ({"max_tokens": 5.0}, "expected an integer", "max_tokens", "invalid_type"),
        ({"max_tokens": 5, "max_completion_tokens": 5}, "same time", "max_tokens", "invalid_parameter_combination"),
        ({"model": "o3", "max_tokens": 5}, "max_completion_tokens", "max_tokens", "unsupported_parameter"),
        ({"model": "gpt-5", "temperature": 0.5}, "default (1)", "temperature", "unsupported_value"),
        ({"reasoning_effort": "low"}, "Unrecognized", None, None),
        ({"stop": ["a", "b", "c", "d", "e"]}, "array too long", "stop", "array_above_max_length"),
        ({"stream_options": {"include_usage": True}}, "only allowed", "stream_options", None),
        ({"top_logprobs": 2}, "only allowed", "top_logprobs", None),
        ({"tool_choice": "auto"}, "only allowed", "tool_choice", None),
        ({"tools": []}, "empty array", "tools", "empty_array"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "pattern", "tools[0].function.name", "invalid_value"),
        ({"tools": [{"type": "function", "function": {"name": "x" * 65}}]}, "too long", "tools[0].function.name", "string_above_max_length"),
        ({"tools": [{"type": "function", "function": STRICT}]}, "additionalProperties", "tools[0].function.parameters", "invalid_function_parameters"),
        ({"tools": [OPENAI_TOOL], "tool_choice": {"type": "tool", "name": "x"}}, "Supported values", "tool_choice.type", "invalid_value"),
        ({"response_format": {"type": "json_object"}}, "the word 'json'", "messages", None),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a b", "schema": CLOSED}}}, "pattern", "response_format.json_schema.name", "invalid_value"),
        ({"messages": []}, "empty array", "messages", "empty_array"),
        ({"messages": [{"role": "bot", "content": "x"}]}, "Supported values", "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user"}]}, "Missing required", "messages[0].content", "missing_required_parameter"),
        ({"messages": [{"role": "user", "content": "x", "cache_control": {}}]}, "Unknown parameter", "messages[0].cache_control", "unknown_parameter"),
        ({"messages": [{"role": "system", "content": image("https://x/")[0]["content"]}]}, "Supported values", "messages[0].content[0].type", "invalid_value"),
        ({"messages": image("data:image/png;base64,aGVsbG8=")}, "unsupported image", "messages[0].content[0].image_url.url", "invalid_image_format"),
        ({"messages": said("x") + [called("a")]}, "must be followed", "messages.[2].role", None),
        ({"messages": said("x") + [called("a"), {"role": "tool", "tool_call_id": "b", "content": ""}]}, "not found", "messages.[2].tool_call_id", None),
        ({"messages": said("x") + [{"role": "tool", "tool_call_id": "b", "content": ""}]}, "preceeding", "messages.[1].role", None),
        ({"messages": said("x") + [called("a" * 41)]}, "too long", "messages[1].tool_calls[0].id", "string_above_max_length"),
    ],
)
def test_openai_refuses(mock, body, part, param, code):
    reply = chat(mock, **body)
    error = reply.json()["error"]
    assert (reply.status_code, error["type"], error["param"], error["code"]) == (400, "invalid_request_error", param, code)
    assert part in error["message"]


def use(*ids):
    return {"role": "assistant", "content": [{"type": "tool_use", "id": i, "name": "f", "input": {}} for i in ids]}


def result(*ids):
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": i, "content": "x"} for i in ids]}


def block(**block):
    return {"messages": said([block])}


MARK = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
TOOLS = {"tools": [ANTHROPIC_TOOL]}


@pytest.mark.parametrize(
    "body, part",
    [
        ({"max_tokens": ...}, "max_tokens: Field required"),
        ({"stop": ["x"]}, "stop: Extra inputs are not permitted"),
        ({"max_tokens": 70_000}, "max_tokens: 70000 > 64000"),
        ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
        ({"temperature": 0.5, "top_p": 0.5}, "cannot both be specified"),
        ({"model": "claude-opus-4-7", "temperature": 0.5}, "`temperature` is deprecated for this model."),
        ({"stop_sequences": [" \n"]}, "must contain non-whitespace"),
        ({"messages": []}, "at least one message is required"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "first message must use"),
        ({"messages": [{"role": "system", "content": "x"}]}, "top-level 'system' parameter"),
        ({"messages": said("x") + [{"role": "system", "content": "x"}]}, "not supported on this model"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role: Input should be"),
        ({"messages": said("")}, "non-empty content"),
        (block(type="text", text=""), "text content blocks must be non-empty"),
        (block(type="text", text=" "), "must contain non-whitespace text"),
        (block(type="text", text="x", detail="y"), "messages.0.content.0.text.detail: Extra inputs"),
        (block(type="image_url", image_url={}), "Input tag 'image_url'"),
        (block(type="image", source={"type": "base64", "media_type": "image/bmp", "data": PNG}), "media_type: Input should be"),
        (block(type="image", source={"type": "base64", "media_type": "image/jpeg", "data": PNG}), "appears to be a image/png"),
        (block(type="tool_use", id="a", name="f", input={}), "can only be in `assistant`"),
        ({"messages": said("x") + [{"role": "assistant", "content": "y "}]}, "trailing whitespace"),
        ({"model": "claude-opus-4-6", "messages": said("x") + [{"role": "assistant", "content": "y"}]}, "prefill"),
        ({"messages": said([MARK] * 5)}, "maximum of 4 blocks"),
        (TOOLS | {"messages": said("x") + [use("a", "b"), result("a")]}, "without `tool_result` blocks immediately after: b"),
        (TOOLS | {"messages": said("x") + [use("a"), {"role": "user", "content": [{"type": "text", "text": "y"}] + result("a")["content"]}]}, "immediately after: a"),
        (TOOLS | {"messages": [result("a")]}, "unexpected `tool_use_id`"),
        (TOOLS | {"messages": said("x") + [use("a.b"), result("a.b")]}, "tool_use.id: String should match pattern"),
        ({"messages": said("x") + [use("a"), result("a")]}, "must define tools"),
        ({"tools": [ANTHROPIC_TOOL | {"name": "a b"}]}, "tools.0.custom.name: String should match"),
        ({"tools": [OPENAI_TOOL]}, "Input tag 'function'"),
        ({"tools": [ANTHROPIC_TOOL] * 2}, "unique"),
        ({"tool_choice": {"type": "auto"}}, "only be specified while providing tools"),
        (TOOLS | {"tool_choice": "auto"}, "tool_choice: Input should be an object"),
        (TOOLS | {"model": "claude-opus-5-5", "tool_choice": {"type": "any"}}, "are not supported for this model"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1000}}, "greater than or equal to 1024"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, "`max_tokens` must be greater"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}, "temperature": 0.5}, "only be set to 1"),
        ({"thinking": {"type": "adaptive"}}, "adaptive thinking is not supported"),
        ({"model": "claude-sonnet-5", "thinking": {"type": "enabled", "budget_tokens": 2000}}, "thinking.type.enabled"),
        ({"model": "claude-sonnet-5-5", "thinking": {"type": "disabled"}}, "between_tools"),
        (TOOLS | {"thinking": {"type": "enabled", "budget_tokens": 2000}, "tool_choice": {"type": "any"}}, "forces tool use"),
        ({"messages": said("x") + [{"role": "assistant", "content": [{"type": "thinking", "thinking": "y", "signature": "z"}]}]}, "Invalid `signature`"),
        ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, "'additionalProperties' must be explicitly"),
        ({"output_config": {"effort": "low"}}, "does not support the effort"),
    ],
)
def test_anthropic_refuses(mock, body, part):
    reply = message(mock, **body)
    body = reply.json()
    assert (reply.status_code, body["type"], body["error"]["type"]) == (400, "error", "invalid_request_error")
    assert part in body["error"]["message"] and body["request_id"] == reply.headers["request-id"]


def test_anthropic_versions(mock):
    new = {"anthropic-version": "2026-10-21"}
    assert message(mock, temperature=0.5).status_code == 200
    assert "temperature: Extra inputs" in message(mock, new, temperature=1).text
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
    talk = said("x") + [{"role": "assistant", "content": [document]}] + said("y")
    assert (message(mock, messages=talk).status_code, message(mock, new, messages=talk).status_code) == (200, 400)


def test_anthropic_threads(mock):
    beta = {"anthropic-beta": "message-threads-2026-08-12"}
    assert message(mock, thread={"type": "create"}).status_code == 400
    assert message(mock, beta, thread={"type": "create"}).status_code == 200
    reply = message(mock, beta, thread={"type": "continue", "previous_message_id": "msg_1"})
    assert (reply.status_code, reply.json()["error"]["details"]) == (404, {"error_code": "thread_not_found"})


def test_credentials_and_leaks(mock):
    assert chat(mock, {"authorization": ""}).status_code == 401
    assert chat(mock, {"authorization": "Bearer bad"}).json()["error"]["code"] == "invalid_api_key"
    assert message(mock, {"x-api-key": "bad"}).json()["error"]["type"] == "authentication_error"
    for beta, status in [("claude-code-20250219,context-1m-2025-08-07", 200), ("context-1m", 400), ("x-202502", 400)]:
        assert message(mock, {"anthropic-beta": beta}).status_code == status, beta
    assert "is not a valid version" in message(mock, {"anthropic-version": "2020-01-01"}).text
    bare = httpx.post(f"{mock}/v1/messages", json={}, headers={"x-api-key": "sk"})
    assert "anthropic-version: header is required" in bare.text
    assert "x-api-key header is required" in httpx.post(f"{mock}/v1/messages", json={}).text
    assert chat(mock, model="claude-haiku-4-5").status_code == message(mock, model="gpt-4o").status_code == 404
    for name in ["cookie", "x-dragoman-model", "x-api-key", "anthropic-version"]:
        assert name in chat(mock, {name: "x"}).json()["error"]["message"]
    for name in ["cookie", "x-dragoman-model", "authorization", "openai-organization"]:
        assert name in message(mock, {name: "Bearer x"}).json()["error"]["message"]


@pytest.mark.parametrize("path, headers", [("/v1/chat/completions", {"authorization": "Bearer x"}), ("/v1/messages", {"x-api-key": "x", "anthropic-version": "2023-06-01"})])
def test_bodies(mock, path, headers):
    post = lambda content, kind="application/json": httpx.post(mock + path, content=content, headers=headers | {"content-type": kind})
    assert post('{"model":').status_code == 400
    assert "stands twice" in post('{"model":"a","model":"b"}').text
    assert post("{}", "text/plain").status_code == 400


# Misbehaviour


@pytest.mark.parametrize(
    "status, gpt_error, claude_error",
    [
        (400, openai.BadRequestError, anthropic.BadRequestError),
        (401, openai.AuthenticationError, anthropic.AuthenticationError),
        (403, openai.PermissionDeniedError, anthropic.PermissionDeniedError),
        (404, openai.NotFoundError, anthropic.NotFoundError),
        (429, openai.RateLimitError, anthropic.RateLimitError),
        (500, openai.InternalServerError, anthropic.InternalServerError),
        (529, openai.InternalServerError, anthropic.OverloadedError),
    ],
)
def test_errors(gpt, claude, status, gpt_error, claude_error):
    ask = said(f"Hi [mock status={status}]")
    with pytest.raises(gpt_error):
        gpt.chat.completions.create(model="gpt-4o", messages=ask)
    with pytest.raises(claude_error) as error:
        claude.messages.create(model="claude-haiku-4-5", max_tokens=9, messages=ask)
    assert ("retry-after" in error.value.response.headers) == (status == 429)
    with pytest.raises(gpt_error):
        gpt.chat.completions.create(model=f"gpt-4o+status={status}", messages=said("Hi"))


def test_directives(mock):
    text = lambda reply: reply.json()["choices"][0]["message"]["content"]
    assert text(chat(mock, messages=said("Hi [mock upstream=anthropic status=500]"))) == "You said: Hi"
    httpx.delete(f"{mock}/mock/requests")
    once = said("Hi [mock status=503 times=1]")
    assert [chat(mock, messages=once).status_code for _ in range(3)] == [503, 200, 200]
    assert chat(mock, messages=said("[mock redirect]")).status_code == 307
    assert chat(mock, messages=said("[mock empty]")).content == b""
    assert "<html>" in chat(mock, messages=said("[mock status=502 html]")).text
    assert "unknown directive `statsu=500`" in chat(mock, messages=said("[mock statsu=500]")).text
    for broken in ["drop", "cut-after=2"]:
        for stream in [False, True]:
            with pytest.raises(httpx.RemoteProtocolError):
                chat(mock, messages=said(f"Hi [mock {broken}]"), stream=stream)
    assert "data: [DONE]" not in chat(mock, messages=said("Hi [mock end-after=2]"), stream=True).text
    assert "server_error" in chat(mock, messages=said("Hi [mock error-after=2]"), stream=True).text
    assert "overloaded_error" in message(mock, messages=said("Hi [mock error-after=2]"), stream=True).text
    plain = chat(mock, messages=said("Hi [mock tokens=9]"), stream=True).text
    split = chat(mock, messages=said("Hi [mock tokens=9 split=7]"), stream=True).text
    crlf = chat(mock, messages=said("Hi [mock tokens=9 crlf]"), stream=True).text
    assert len(plain) == len(split) == len(crlf.replace("\r\n", "\n")) and "\r\n" in crlf
    redacted = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "messages": said("Hi [mock redacted]")}
    assert message(mock, **redacted).json()["content"][0]["type"] == "redacted_thinking"


def test_request_log(mock):
    httpx.delete(f"{mock}/mock/requests")
    body = {"model": "gpt-4o", "messages": said("Hi"), "temperature": 0.70000000000000000001}
    raw = json.dumps(body).replace("0.7,", "0.70000000000000000001,")
    headers = {"authorization": "Bearer sk", "content-type": "application/json", "x-seen": "1"}
    httpx.post(f"{mock}/v1/chat/completions?a=b", content=raw, headers=headers)
    with httpx.stream("POST", f"{mock}/v1/chat/completions", json=body | {"stream": True, "messages": said("Hi [mock stall-after=1]")}, headers=headers) as reply:
        next(reply.iter_lines())
    for _ in range(50):
        first, second = httpx.get(f"{mock}/mock/requests").json()
        if second["outcome"] != "pending":
            break
        time.sleep(0.1)
    assert (first["method"], first["path"], first["headers"]["x-seen"]) == ("POST", "/v1/chat/completions?a=b", "1")
    assert first["body"]["messages"] == said("Hi") and (first["status"], first["outcome"]) == (200, "complete")
    assert second["outcome"] == "client closed"


def test_large_bodies(mock):
    url = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(10 << 20)).decode()
    reply = httpx.post(f"{mock}/v1/chat/completions", json={"model": "gpt-4o", "messages": image(url)}, headers={"authorization": "Bearer sk"}, timeout=60)
    assert "(with image)" in reply.text
