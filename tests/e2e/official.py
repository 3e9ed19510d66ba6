"""The official SDKs' own word on requests and answers.

OpenAI and Anthropic make their SDKs' types from their descriptions of their APIs. Values are held to them strictly: the
SDKs themselves take anything.
"""

from __future__ import annotations

import base64
import functools
import json
import struct
from collections.abc import Callable, Iterator

import anthropic.types
import cohere
import google.genai.types
import openai.types
import openai.types.audio
import openai.types.chat
import openai.types.responses
from anthropic.types import message_count_tokens_params, message_create_params
from anthropic.types.beta import message_count_tokens_params as beta_count_params
from anthropic.types.beta import message_create_params as beta_create_params
from anthropic.types.shared.error_details import ErrorDetails
from openai.types.chat import ChatCompletionChunk, completion_create_params
from openai.types.responses import ResponseStreamEvent, response_create_params
from pydantic import BaseModel, TypeAdapter

# The newest version of Anthropic's API, which its SDK describes, has no sampling. Older models take it all the same.
SAMPLING = {"temperature", "top_k", "top_p"}

# What our answers hold beside OpenAI's own members: the words of LiteLLM and OpenRouter.
# And what OpenAI answers that its SDK has no word for.
EXTENSIONS = {
    "annotations",
    "cache_creation_tokens",
    "images",
    "native_finish_reason",
    "obfuscation",
    "reasoning_content",
    "store",
    "thinking_blocks",
}


@functools.cache
def adapter(kind: object) -> TypeAdapter:
    return TypeAdapter(kind)


# Requests


def params(wire: str, stream: bool, counts: bool = False, beta: bool = False) -> type:
    """The type of a request's body."""
    if counts:
        return (
            beta_count_params.MessageCountTokensParams if beta else message_count_tokens_params.MessageCountTokensParams
        )
    module = completion_create_params
    if wire == "completions":
        return getattr(openai.types.completion_create_params, f"CompletionCreateParams{'Streaming' if stream else 'NonStreaming'}")
    if wire == "messages":
        module = beta_create_params if beta else message_create_params
    if wire == "responses":
        module = response_create_params
    kind = {"chat": "Completion", "messages": "Message", "responses": "Response"}[wire]
    return getattr(module, f"{kind}CreateParams{'Streaming' if stream else 'NonStreaming'}")


def unfold(value: object) -> object:
    """What pydantic made of a value: it checks iterables only as they are read."""
    if isinstance(value, dict):
        return {name: unfold(member) for name, member in value.items()}
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return value
    return [unfold(item) for item in value]


def check_request(kind: type, body: dict) -> None:
    """Fails on wrong values, and on members that the type does not have: pydantic leaves those out."""
    assert unfold(adapter(kind).validate_python(body, strict=True)) == body


# Answers: each reader fails on wrong values, and returns the members that the type does not have


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
    return set(extras(adapter(kind).validate_json(text, strict=True)))


def frames(stream: str) -> list[tuple[str, str]]:
    """Names and data of a stream's events."""
    found = []
    for frame in stream.replace("\r\n", "\n").split("\n\n"):
        # A line that names no field that is known counts for nothing.
        fields = dict(line.partition(": ")[::2] for line in frame.split("\n"))
        if "data" in fields:
            found.append((fields.get("event", ""), fields["data"]))
    return found


def chat_answer(text: str) -> set[str]:
    return read(openai.types.chat.ChatCompletion, text)


def completion(text: str) -> set[str]:
    return read(openai.types.Completion, text)


def completion_stream(text: str) -> set[str]:
    """Chunks, whose choices have no reason to end until the last; the SDK's type of a choice always has one."""
    found = set()
    for _, data in frames(text):
        if data == "[DONE]":
            continue
        chunk = json.loads(data)
        if "error" in chunk:
            found |= chat_error(data)
            continue
        for choice in chunk["choices"]:
            choice["finish_reason"] = choice["finish_reason"] or "stop"
        found |= completion(json.dumps(chunk))
    return found


def vectors(text: str) -> set[str]:
    """Vectors may be in base64, which the SDK unpacks only after it has read them."""
    answer = json.loads(text)
    for item in answer["data"]:
        if isinstance(item["embedding"], str):
            packed = base64.b64decode(item["embedding"], validate=True)
            item["embedding"] = list(struct.unpack(f"<{len(packed) // 4}f", packed))
    return read(openai.types.CreateEmbeddingResponse, json.dumps(answer))


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
        else:
            found |= set(extras(ChatCompletionChunk.model_validate_json(data, strict=True)))
    return found


def messages_answer(text: str) -> set[str]:
    return read(anthropic.types.Message, text)


def messages_error(text: str) -> set[str]:
    # https://platform.claude.com/docs/en/api/errors has it, the SDK has not.
    body = json.loads(text.replace('"request_too_large"', '"invalid_request_error"'))
    # The SDK reads them apart from the rest.
    details = body["error"].pop("details", None)
    if details:
        read(ErrorDetails, json.dumps(details))
    return read(anthropic.types.ErrorResponse, json.dumps(body))


def messages_stream(text: str) -> set[str]:
    found = set()
    for name, data in frames(text):
        assert name == json.loads(data)["type"]
        if name == "error":
            found |= messages_error(data)
        elif name != "ping":
            found |= read(anthropic.types.RawMessageStreamEvent, data)
    return found


def responses_answer(text: str) -> set[str]:
    return read(openai.types.responses.Response, text)


def responses_stream(text: str) -> set[str]:
    found = set()
    for name, data in frames(text):
        assert name == json.loads(data)["type"]
        found |= read(ResponseStreamEvent, data)
    return found


def gemini_answer(text: str) -> set[str]:
    """Google's SDK refuses members that it does not know."""
    kind = google.genai.types.GenerateContentResponse
    if "totalTokens" in json.loads(text):
        kind = google.genai.types.CountTokensResponse
    kind.model_validate_json(text)
    return set()


def gemini_stream(text: str) -> set[str]:
    for _, data in frames(text):
        (gemini_error if "error" in json.loads(data) else gemini_answer)(data)
    return set()


def gemini_error(text: str) -> set[str]:
    """The SDK takes it apart without types: https://google.aip.dev/193."""
    error = json.loads(text)["error"]
    assert error.keys() <= {"code", "message", "status", "details"}
    assert isinstance(error["code"], int) and isinstance(error["message"], str)
    assert all("@type" in detail for detail in error.get("details", []))
    codes = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
    assert error["status"] == codes.get(error["code"], error["status"])
    return set()


def images_answer(text: str) -> set[str]:
    """Together's answers beside OpenAI's."""
    answer = json.loads(text)
    return read(openai.types.ImagesResponse, text) if "object" not in answer else set()


def images_stream(text: str) -> set[str]:
    kinds = openai.types.ImageGenStreamEvent | openai.types.ImageEditStreamEvent
    return {name for _, data in frames(text) for name in read(kinds, data)}


def speech_stream(text: str) -> set[str]:
    """The SDK has no type of these: https://platform.openai.com/docs/api-reference/audio/speech-audio-delta-event."""
    assert {json.loads(data)["type"] for _, data in frames(text)} <= {"speech.audio.delta", "speech.audio.done"}
    return set()


def transcript(text: str) -> set[str]:
    verbose = "duration" in json.loads(text)
    answer = json.loads(text)
    if verbose:
        # The SDK has it as a number, and does not know `task`.
        answer.pop("task")
        return read(openai.types.audio.TranscriptionVerbose, json.dumps({"language": "", "duration": 0.0} | answer))
    return read(openai.types.audio.Transcription, text)


def transcript_stream(text: str) -> set[str]:
    found = set()
    for _, data in frames(text):
        found |= chat_error(data) if "error" in json.loads(data) else read(openai.types.audio.TranscriptionStreamEvent, data)
    return found


def moderations(text: str) -> set[str]:
    """Other providers have other categories than OpenAI."""
    answer = json.loads(text)
    for result in answer["results"]:
        assert result["flagged"] == any(result["categories"].values())
        assert result["categories"].keys() == result["category_scores"].keys()
    complete = all("violence/graphic" in result["categories"] for result in answer["results"])
    return read(openai.types.ModerationCreateResponse, text) if complete else set()


def ranking(text: str) -> set[str]:
    """Cohere's, and what Jina's clients look for beside it."""
    answer = json.loads(text)
    for result in answer["results"]:
        assert result.pop("document", {"text": ""}).keys() == {"text"}
    answer.pop("usage", None)
    assert isinstance(answer.pop("model"), str)
    cohere.V2RerankResponse.model_validate(answer, strict=True)
    return set()


READERS: dict[tuple[str, str], Callable[[str], set[str]]] = {
    ("chat", "error"): chat_error,
    ("chat", "json"): chat_answer,
    ("chat", "sse"): chat_stream,
    ("completions", "error"): chat_error,
    ("completions", "json"): completion,
    ("completions", "sse"): completion_stream,
    ("embeddings", "error"): chat_error,
    ("embeddings", "json"): vectors,
    ("gemini", "error"): gemini_error,
    ("gemini", "json"): gemini_answer,
    ("gemini", "sse"): gemini_stream,
    ("images", "error"): chat_error,
    ("images", "json"): images_answer,
    ("images", "sse"): images_stream,
    ("speech", "error"): chat_error,
    ("speech", "sse"): speech_stream,
    ("transcriptions", "error"): chat_error,
    ("transcriptions", "json"): transcript,
    ("transcriptions", "sse"): transcript_stream,
    ("moderations", "error"): chat_error,
    ("moderations", "json"): moderations,
    ("rerank", "error"): chat_error,
    ("rerank", "json"): ranking,
    ("messages", "error"): messages_error,
    ("messages", "json"): messages_answer,
    ("messages", "sse"): messages_stream,
    ("responses", "error"): chat_error,
    ("responses", "json"): responses_answer,
    ("responses", "sse"): responses_stream,
}


# The order of a stream's events


def check_order(wire: str, stream: str) -> None:
    events = [(name, data) for name, data in frames(stream) if name != "ping"]
    if wire in ("images", "speech", "transcriptions"):
        return
    {"chat": chat_order, "completions": completions_order, "gemini": gemini_order, "messages": messages_order, "responses": responses_order}[wire](events)


def responses_order(events: list[tuple[str, str]]) -> None:
    """Items and their parts open and close, what they say comes between, and the last event repeats all of it."""
    items, parts, said = {}, {}, {}
    for number, (name, data) in enumerate(events):
        event = json.loads(data)
        assert event["sequence_number"] == number
        kind, index = name.removeprefix("response."), event.get("output_index")
        place = (index, event.get("content_index", event.get("summary_index")))
        if kind == "output_item.added":
            assert index == len(items) and "output" not in said
            items[index] = None
        elif kind in ("content_part.added", "reasoning_summary_part.added"):
            assert items[index] is None and place not in parts
            parts[place] = None
        elif kind.endswith(".delta"):
            assert items[index] is None and (place[1] is None or parts[place] is None)
            said[place] = said.get(place, "") + event["delta"]
        elif kind in ("content_part.done", "reasoning_summary_part.done"):
            parts[place] = event["part"]
            assert said.get(place, "") == event["part"].get("text", event["part"].get("refusal"))
        elif kind == "output_item.done":
            assert items[index] is None and all(part for place, part in parts.items() if place[0] == index)
            items[index] = event["item"]
            assert said.get((index, None), "") == event["item"].get("arguments", event["item"].get("input", ""))
    assert [name for name, _ in events][:2] == ["response.created", "response.in_progress"] or name == "error"
    assert name in ("error", "response.completed", "response.failed", "response.incomplete")
    if name in ("response.completed", "response.incomplete"):
        assert event["response"]["output"] == list(items.values())


def chat_order(events: list[tuple[str, str]]) -> None:
    *events, (_, end) = events
    chunks = [ChatCompletionChunk.model_validate_json(data) for _, data in events]
    if chunks and chunks[-1].usage and not chunks[-1].choices:
        chunks.pop()
    finished: dict[int, bool] = {}
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        assert (choice.index not in finished) == (choice.delta.role is not None), "the role is said once, at first"
        assert not finished.get(choice.index), "something after the finish"
        finished[choice.index] = choice.finish_reason is not None
    assert "error" in end or end == "[DONE]" and finished and all(finished.values())


def completions_order(events: list[tuple[str, str]]) -> None:
    *events, (_, end) = events
    finished: dict[int, bool] = {}
    for choice in (choice for _, data in events for choice in json.loads(data)["choices"]):
        assert not finished.get(choice["index"]), "something after the finish"
        finished[choice["index"]] = choice["finish_reason"] is not None
    assert "error" in end or end == "[DONE]" and finished and all(finished.values())


def gemini_order(events: list[tuple[str, str]]) -> None:
    *events, (_, end) = events
    for candidate in (candidate for _, data in events for candidate in json.loads(data).get("candidates", [])):
        assert "finishReason" not in candidate, "something after the finish"
    last = json.loads(end)
    assert "error" in last or all("finishReason" in candidate for candidate in last["candidates"])


def messages_order(events: list[tuple[str, str]]) -> None:
    before = {
        "message_start": {None},
        "content_block_start": {"message_start", "content_block_stop"},
        "content_block_delta": {"content_block_start", "content_block_delta"},
        "content_block_stop": {"content_block_start", "content_block_delta"},
        "message_delta": {"message_start", "content_block_stop"},
        "message_stop": {"message_delta"},
    }
    last, index = None, 0
    for name, data in events:
        assert last not in ("error", "message_stop"), "something after the end"
        assert name == "error" or last in before[name], f"`{name}` after `{last}`"
        if name.startswith("content_block"):
            assert json.loads(data)["index"] == index
            index += name == "content_block_stop"
        last = name
    assert last in ("error", "message_stop"), "no end"
