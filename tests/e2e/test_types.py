"""Every golden case against the official SDKs: what we send, what we answer, and what providers answer.

The cases are in `tests/golden`, where `tests/golden.rs` holds the filter to them. It cannot tell whether a case is right.
The SDKs can: OpenAI and Anthropic make their types from their own descriptions of their APIs.
"""

import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import anthropic
import anthropic.types
import httpx
import httpx2
import openai
import openai.types
import openai.types.chat
import pytest
from anthropic.types import message_count_tokens_params, message_create_params
from openai.types.chat import completion_create_params
from pydantic import BaseModel, TypeAdapter

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FOLDERS = sorted(path.parent for path in GOLDEN.glob("*/*/request.json"))

# Upstreams whose requests and answers are exactly the SDKs'; others follow the format more or less.
OFFICIAL = {"anthropic", "openai"}

# The newest version of Anthropic's API, which its SDK describes, has no sampling. Older models take it all the same.
SAMPLING = {"temperature", "top_k", "top_p"}

# Cases about what no type of the SDKs describes.
STRANGE = {"answer_error", "finish_model_length", "stream_error_openrouter", "unknown_fields"}

# What our answers hold beside OpenAI's own members: the words of LiteLLM and OpenRouter.
EXTENSIONS = {
    "annotations",
    "cache_creation_tokens",
    "images",
    "native_finish_reason",
    "reasoning_content",
    "thinking_blocks",
}


@dataclass
class Case:
    folder: Path

    @property
    def client(self) -> str:
        return self.folder.parent.name.split("-", 1)[0]

    @property
    def upstream(self) -> str:
        return self.folder.parent.name.split("-", 1)[1]

    def json(self, file: str) -> dict:
        path = self.folder / file
        return json.loads(path.read_text()) if path.exists() else {}

    @property
    def target(self) -> str:
        """The path upstream."""
        return self.json("upstream.json")["headers"][":path"]

    @property
    def wire(self) -> str:
        """The format upstream."""
        if re.search(r":(generateContent|streamGenerateContent|countTokens)\b", self.target):
            return "gemini"
        return "chat" if self.target.endswith("/chat/completions") else "messages"

    @property
    def counts(self) -> bool:
        """Whether only tokens are counted."""
        return self.target.endswith(("/count_tokens", "/count-tokens:rawPredict", ":countTokens"))


def cases(*files: str) -> pytest.MarkDecorator:
    """Each case that has one of the files."""
    known = [folder for folder in FOLDERS if folder.name not in STRANGE]
    found = [(Case(folder), file) for folder in known for file in files if (folder / file).exists()]
    names = [f"{case.folder.relative_to(GOLDEN)}/{file}" for case, file in found]
    return pytest.mark.parametrize(("case", "file"), found, ids=names)


@functools.cache
def adapter(kind: object) -> TypeAdapter:
    return TypeAdapter(kind)


# Requests


def unfold(value: object) -> object:
    """What pydantic made of a value: it checks iterables only as they are read."""
    if isinstance(value, dict):
        return {name: unfold(member) for name, member in value.items()}
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return value
    return [unfold(item) for item in value]


def params(case: Case, body: dict) -> type:
    if case.counts:
        return message_count_tokens_params.MessageCountTokensParams
    module = completion_create_params if case.wire == "chat" else message_create_params
    kind = "Completion" if case.wire == "chat" else "Message"
    return getattr(module, f"{kind}CreateParams{'Streaming' if body.get('stream') else 'NonStreaming'}")


def beyond(case: Case, body: dict, known: set[str]) -> set[str]:
    """Members of a body that its type cannot judge."""
    unknown = body.keys() - known
    if case.upstream not in OFFICIAL:
        # Such as a field that the provider calls by another name.
        return unknown
    # On the way to its own format a request keeps what only client and provider need to know.
    request = case.json("request.json") if case.client == case.wire else {}
    kept = {name for name, value in request.items() if name in body and body[name] == value}
    nulls = {name for name in kept if body[name] is None}
    return nulls | unknown & (kept | (SAMPLING if case.wire == "messages" else set()))


@cases("upstream.json")
def test_requests(case: Case, file: str):
    if case.wire == "gemini":
        return  # test_gemini_types.py has them
    # Where a provider has the model in the path, the format has it in the body.
    body = {"model": "smart"} | case.json(file)["body"]
    kind = params(case, body)
    left = beyond(case, body, set(kind.__annotations__))
    body = {name: value for name, value in body.items() if name not in left}
    # What a type does not know, pydantic leaves out.
    assert unfold(adapter(kind).validate_python(body, strict=True)) == body


# Answers


def extras(value: object) -> Iterator[str]:
    """The members that a model does not have."""
    if isinstance(value, BaseModel):
        yield from value.model_extra or ()
        for name in type(value).model_fields:
            yield from extras(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            yield from extras(item)


def read(kind: object, text: str) -> set[str]:
    """Fails on wrong values; returns the members that the type does not have."""
    return set(extras(adapter(kind).validate_json(text, strict=True)))


def frames(stream: str) -> list[tuple[str, str]]:
    """Names and data of a stream's events."""
    found = []
    for frame in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in frame.split("\n") if not line.startswith(":") and line)
        if "data" in fields:
            found.append((fields.get("event", ""), fields["data"]))
    return found


def chat_answer(text: str) -> set[str]:
    return read(openai.types.chat.ChatCompletion, text)


def chat_error(text: str) -> set[str]:
    error = json.loads(text)
    assert error.keys() == {"error"}
    return read(openai.types.ErrorObject, json.dumps({"param": None, "code": None} | error["error"]))


def chat_stream(text: str) -> set[str]:
    found = set()
    for _, data in frames(text):
        if data == "[DONE]":
            continue
        if "error" in json.loads(data):
            found |= chat_error(data)
            continue
        chunk = openai.types.chat.ChatCompletionChunk.model_validate_json(data, strict=True)
        found |= set(extras(chunk))
    return found


def messages_answer(text: str) -> set[str]:
    return read(anthropic.types.Message, text)


def messages_error(text: str) -> set[str]:
    # https://platform.claude.com/docs/en/api/errors has it, the SDK has not.
    text = text.replace('"request_too_large"', '"invalid_request_error"')
    return read(anthropic.types.ErrorResponse, text)


def messages_stream(text: str) -> set[str]:
    found = set()
    for name, data in frames(text):
        assert name == json.loads(data)["type"]
        if name == "error":
            found |= messages_error(data)
        elif name != "ping":
            found |= read(anthropic.types.RawMessageStreamEvent, data)
    return found


READERS: dict[tuple[str, str], Callable[[str], set[str]]] = {
    ("chat", "error"): chat_error,
    ("chat", "json"): chat_answer,
    ("chat", "sse"): chat_stream,
    ("messages", "error"): messages_error,
    ("messages", "json"): messages_answer,
    ("messages", "sse"): messages_stream,
}


@cases("client.json", "client.sse", "refusal.json")
def test_answers(case: Case, file: str):
    refused = file == "refusal.json"
    if not refused and case.counts:
        return
    failed = refused or case.json("usage.json")["status"] != 200
    found = READERS[case.client, "error" if failed else file.split(".")[1]]((case.folder / file).read_text())
    # An answer in the client's own format keeps all that the provider says.
    assert found <= EXTENSIONS or case.client == case.wire


@cases("response.json", "response.sse")
def test_fixtures(case: Case, file: str):
    """What we say that providers answer, except where it is meant to be wrong."""
    usage = case.json("usage.json")
    wrong = usage["error"] == "bad_answer" or usage["unknown"] > 0 or usage["finish"] == "other"
    if case.upstream not in OFFICIAL or wrong or case.counts:
        return
    failed = case.json("case.json").get("status", 200) != 200
    READERS[case.wire, "error" if failed else file.split(".")[1]]((case.folder / file).read_text())


def replay(network: ModuleType, case: Case) -> object:
    """A client of HTTP, or of the fork that Anthropic's SDK uses, for which every call gets the case's stream."""
    stream = (case.folder / "client.sse").read_bytes()
    answer = network.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    return network.Client(transport=network.MockTransport(lambda _: answer))


@cases("client.sse")
def test_sdks_read_streams(case: Case, file: str):
    """The SDKs put a stream together, and raise where it ends in an error."""
    text = (case.folder / file).read_text()
    hi = {"model": "any", "messages": [{"role": "user", "content": "Hi"}]}
    if case.client == "chat":
        sdk = openai.OpenAI(api_key="-", http_client=replay(httpx, case), max_retries=0)
        manager, failure = sdk.chat.completions.stream(**hi), openai.APIError
        fails = '{"error":' in text
    else:
        sdk = anthropic.Anthropic(api_key="-", http_client=replay(httpx2, case), max_retries=0)
        manager, failure = sdk.messages.stream(max_tokens=9, **hi), anthropic.APIError
        fails = "event: error" in text
    with manager as stream:
        if fails:
            with pytest.raises(failure):
                stream.until_done()
            return
        stream.until_done()
        if case.client == "chat":
            choices = stream.current_completion_snapshot.choices
            assert choices and all(choice.finish_reason for choice in choices)
        else:
            assert stream.current_message_snapshot.stop_reason
