"""Amazon through a real Envoy, with the official SDKs: Bedrock's Converse, Claude by InvokeModel, a container at SageMaker.

The server is this file's own. What it takes botocore judges: its model of the service, and its signatures.
"""

import base64
import datetime
import http.server
import json
import threading

import anthropic
import botocore.auth
import openai
import pydantic
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator
from documents import gateway_role, render, standalone
from eventstream import encode
from test_bedrock_types import KEYS, SECRETS, SERVICE, native

NOVA, CLAUDE = "us.amazon.nova-pro-v1:0", "us.anthropic.claude-haiku-4-5-20251001-v1:0"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOL = {"name": "get_weather", "description": "Weather", "schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}


class Refused(Exception):
    pass


def check_signature(headers, path: str, body: bytes) -> None:
    moment = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: moment
    sent = {"content-type": headers["content-type"]}
    request = AWSRequest("POST", f"http://{headers['host']}{path}", headers=sent, data=body)
    keys = Credentials(SECRETS["AWS_ID"], SECRETS["AWS_KEY"])
    SigV4Auth(keys, "sagemaker" if path.startswith("/endpoints/") else "bedrock", "eu-central-1").add_auth(request)
    if headers["authorization"] != request.headers["Authorization"]:
        raise Refused("The request signature we calculated does not match the signature you provided.")


def converse(body: dict) -> tuple[list, str]:
    """Blocks and the reason to stop: a call where tools are offered and have not answered, else an echo."""
    last = body["messages"][-1]["content"]
    offered = body.get("toolConfig", {}).get("tools", [])
    if offered and not any("toolResult" in block for block in last):
        name = offered[0]["toolSpec"]["name"]
        return [{"toolUse": {"toolUseId": "tooluse_1", "name": name, "input": {"city": "Paris"}}}], "tool_use"
    said = [block.get("text") or json.dumps(block["toolResult"]["content"]) for block in last if "image" not in block]
    seen = " (with image)" if any("image" in block for block in last) else ""
    return [{"text": f"You said: {' '.join(filter(None, said))}{seen}"}], "end_turn"


USAGE = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}


def converse_stream(content: list, stop: str) -> list[tuple[str, dict]]:
    events = [("messageStart", {"role": "assistant"})]
    for index, block in enumerate(content):
        at = {"contentBlockIndex": index}
        if "toolUse" in block:
            call = block["toolUse"]
            events.append(("contentBlockStart", at | {"start": {"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}}}))
            text = json.dumps(call["input"])
            events += [("contentBlockDelta", at | {"delta": {"toolUse": {"input": piece}}}) for piece in (text[:5], text[5:])]
        else:
            text = block["text"]
            events += [("contentBlockDelta", at | {"delta": {"text": piece}}) for piece in (text[:5], text[5:])]
        events.append(("contentBlockStop", at))
    return [*events, ("messageStop", {"stopReason": stop}), ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}})]


def claude(body: dict) -> dict:
    assert body["anthropic_version"] == "bedrock-2023-05-31" and not body.keys() & {"model", "stream"}, body
    last = body["messages"][-1]["content"]
    blocks = [{"type": "text", "text": last}] if isinstance(last, str) else last
    usage = {"input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 5}
    answer = {"id": "msg_bdrk_1", "type": "message", "role": "assistant", "model": "claude", "stop_sequence": None, "usage": usage}
    if body.get("tools") and not any(block["type"] == "tool_result" for block in blocks):
        call = {"type": "tool_use", "id": "toolu_bdrk_1", "name": body["tools"][0]["name"], "input": {"city": "Paris"}}
        return answer | {"content": [call], "stop_reason": "tool_use"}
    text = "You said: " + " ".join(block.get("text", json.dumps(block.get("content", ""))) for block in blocks)
    return answer | {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}


def claude_stream(answer: dict) -> list[dict]:
    events = [{"type": "message_start", "message": answer | {"content": [], "stop_reason": None}}]
    for index, block in enumerate(answer["content"]):
        if block["type"] == "text":
            start, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            start, delta = block | {"input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    end = {"type": "message_delta", "delta": {"stop_reason": answer["stop_reason"], "stop_sequence": None}, "usage": {"output_tokens": 5}}
    return [*events, end, {"type": "message_stop"}]


class Bedrock(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["content-length"]))
        try:
            self.answer(raw)
        except Refused as refused:
            self.send(403, {"message": str(refused)}, {"x-amzn-errortype": "InvalidSignatureException"})
        except AssertionError as wrong:
            self.send(400, {"message": str(wrong)}, {"x-amzn-errortype": "ValidationException"})

    def answer(self, raw: bytes) -> None:
        check_signature(self.headers, self.path, raw)
        for name in ("cookie", "x-api-key", "x-dragoman-model"):
            assert name not in self.headers, f"{name} must not come here"
        body = json.loads(raw)
        self.server.received.append(body)
        _, _, model, operation = self.path.split("/")
        if self.path.startswith("/endpoints/"):
            return self.contain(body, operation)
        model = model.replace("%3A", ":")
        if "fails" in model:
            return self.send(503, {"message": "Bedrock is unable to process your request."}, {"x-amzn-errortype": "ServiceUnavailableException"})
        if "throttle" in raw.decode():
            return self.send(429, {"message": "Too many requests"}, {"x-amzn-errortype": "ThrottlingException"})
        if operation.startswith("converse"):
            name = "ConverseStream" if operation.endswith("stream") else "Converse"
            shape = SERVICE.operation_model(name).input_shape
            report = ParamValidator().validate(native(shape, {"modelId": model} | body), shape)
            unknown = body.keys() - shape.members.keys()
            assert not report.has_errors() and not unknown, report.generate_report() or f"unknown: {unknown}"
            content, stop = converse(body)
            if name == "ConverseStream":
                frames = [encode("event", kind, payload) for kind, payload in converse_stream(content, stop)]
                if "breaks" in raw.decode():
                    frames = [*frames[:2], encode("exception", "modelStreamErrorException", {"message": "Broken"})]
                return self.stream(frames)
            message = {"role": "assistant", "content": content}
            return self.send(200, {"output": {"message": message}, "stopReason": stop, "usage": USAGE, "metrics": {"latencyMs": 1}})
        answer = claude(body)
        if operation == "invoke-with-response-stream":
            wrapped = [{"bytes": base64.b64encode(json.dumps(event).encode()).decode()} for event in claude_stream(answer)]
            return self.stream([encode("event", "chunk", payload) for payload in wrapped])
        assert operation == "invoke", operation
        return self.send(200, answer)

    def contain(self, body: dict, operation: str) -> None:
        """A container that speaks OpenAI's chat: the pieces of a stream end anywhere."""
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        text = f"You said: {body['messages'][-1]['content']}"
        about = {"id": "chatcmpl-1", "created": 1, "model": "lmi"}
        if operation == "invocations":
            assert not body.get("stream")
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            return self.send(200, about | {"object": "chat.completion", "choices": [choice], "usage": usage})
        assert operation == "invocations-response-stream" and body["stream"] and body["stream_options"]["include_usage"]
        deltas = [({"role": "assistant", "content": text[:5]}, None), ({"content": text[5:]}, None), ({}, "stop")]
        choices = [[{"index": 0, "delta": delta, "finish_reason": finish}] for delta, finish in deltas]
        chunks = [about | {"object": "chat.completion.chunk", "choices": choice} for choice in choices]
        chunks.append(about | {"object": "chat.completion.chunk", "choices": [], "usage": usage})
        data = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode() + b"data: [DONE]\n\n"
        return self.stream([encode("event", "PayloadPart", data[at : at + 50]) for at in range(0, len(data), 50)])

    def send(self, status: int, body: dict, headers: dict | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def stream(self, frames: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/vnd.amazon.eventstream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        data = b"".join(frames)
        # Wherever a network cuts.
        for at in range(0, len(data), 37):
            piece = data[at : at + 37]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bedrock)
    server.received = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module", params=[standalone, gateway_role])
def envoy(request, shared_gateway, server, monkeypatch_module):
    aws = {"provider": "bedrock", "base_url": f"http://127.0.0.1:{server.server_port}", "options": {"region": "eu-central-1"}, "credentials": {"aws": KEYS}}
    models = [
        {"name": name, "upstreams": [at], "upstream_models": {at: model}, "retries": 0}
        for name, at, model in [("nova", "aws", NOVA), ("claude", "aws", CLAUDE), ("container", "sage", "my-endpoint")]
    ]
    upstreams = {"aws": aws, "sage": aws | {"provider": "sagemaker_chat"}}
    return shared_gateway(render(request.param(upstreams, models)), env=SECRETS)


@pytest.fixture(scope="module")
def monkeypatch_module():
    """`render` checks that the keys are there."""
    patch = pytest.MonkeyPatch()
    for name, value in SECRETS.items():
        patch.setenv(name, value)
    yield patch
    patch.undo()


@pytest.fixture
def chat(envoy):
    return openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="sk-demo", max_retries=0).chat.completions


@pytest.fixture
def messages(envoy):
    return anthropic.Anthropic(base_url=envoy.url, api_key="sk-demo", max_retries=0).messages


EVERY = pytest.mark.parametrize("model", ["nova", "claude", "container"])
MODELS = pytest.mark.parametrize("model", ["nova", "claude"])
HI = [{"role": "user", "content": "Grüße"}]
FUNCTION = {"type": "function", "function": {"name": TOOL["name"], "description": TOOL["description"], "parameters": TOOL["schema"]}}


@EVERY
def test_chat(chat, model):
    answer = chat.create(model=model, messages=HI, max_tokens=50)
    assert answer.choices[0].message.content == "You said: Grüße"
    assert (answer.model, answer.usage.prompt_tokens, answer.usage.completion_tokens) == (model, 10, 5)


@EVERY
def test_chat_streamed(chat, model):
    chunks = list(chat.create(model=model, messages=HI, max_tokens=50, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "You said: Grüße"
    assert chunks[-1].usage.total_tokens == 15
    raw = chat.with_raw_response.create(model=model, messages=HI, max_tokens=50, stream=True)
    assert raw.headers["content-type"] == "text/event-stream"


@MODELS
@pytest.mark.parametrize("streamed", [False, True])
def test_tools(chat, model, streamed):
    conversation = [{"role": "user", "content": "Weather?"}]
    if streamed:
        openai_client = chat._client
        with openai_client.chat.completions.stream(model=model, messages=conversation, tools=[FUNCTION], max_tokens=50) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = chat.create(model=model, messages=conversation, tools=[FUNCTION], max_tokens=50).choices[0].message
    [call] = message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Paris"})
    reply = {"role": "assistant", "content": message.content, "tool_calls": [call.model_dump(include={"id", "type", "function"})]}
    conversation += [reply, {"role": "tool", "tool_call_id": call.id, "content": "Sunny"}]
    answer = chat.create(model=model, messages=conversation, tools=[FUNCTION], max_tokens=50)
    assert "Sunny" in answer.choices[0].message.content


def test_structured(envoy):
    class Place(pydantic.BaseModel):
        city: str

    client = openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="sk-demo", max_retries=0)
    answer = client.chat.completions.parse(model="nova", messages=HI, response_format=Place)
    assert answer.choices[0].message.parsed == Place(city="Paris")


def test_image(chat):
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    answer = chat.create(model="nova", messages=[{"role": "user", "content": [{"type": "text", "text": "Look"}, picture]}])
    assert answer.choices[0].message.content == "You said: Look (with image)"


@MODELS
def test_errors(chat, messages, model):
    with pytest.raises(openai.RateLimitError, match="Too many requests"):
        chat.create(model=model, messages=[{"role": "user", "content": "throttle"}], max_tokens=5)
    with pytest.raises(anthropic.RateLimitError, match="Too many requests"):
        messages.create(model=model, messages=[{"role": "user", "content": "throttle"}], max_tokens=5)


def test_an_exception_in_a_stream(chat):
    with pytest.raises(openai.APIError, match="Broken"):
        list(chat.create(model="nova", messages=[{"role": "user", "content": "breaks"}], stream=True))


@MODELS
def test_messages(messages, model):
    answer = messages.create(model=model, messages=HI, max_tokens=50)
    assert (answer.content[0].text, answer.model, answer.stop_reason) == ("You said: Grüße", model, "end_turn")
    with messages.stream(model=model, messages=HI, max_tokens=50) as stream:
        assert stream.get_final_message().content[0].text == "You said: Grüße"


@MODELS
def test_tools_of_messages(messages, model):
    tools = [{"name": TOOL["name"], "description": TOOL["description"], "input_schema": TOOL["schema"]}]
    conversation = [{"role": "user", "content": "Weather?"}]
    with messages.stream(model=model, messages=conversation, tools=tools, max_tokens=50) as stream:
        answer = stream.get_final_message()
    [call] = answer.content
    assert (call.name, call.input, answer.stop_reason) == ("get_weather", {"city": "Paris"}, "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "Sunny"}
    conversation += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    assert "Sunny" in messages.create(model=model, messages=conversation, tools=tools, max_tokens=50).content[0].text


def test_fields_that_only_anthropics_format_knows_survive(messages, server):
    server.received.clear()
    messages.create(model="claude", messages=HI, max_tokens=50, extra_body={"unknown": {"a": 1}}, extra_headers={"anthropic-beta": "context-1m-2025-08-07"})
    [body] = server.received
    assert (body["unknown"], body["anthropic_beta"]) == ({"a": 1}, ["context-1m-2025-08-07"])
