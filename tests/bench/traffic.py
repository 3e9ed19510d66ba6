"""What is said in a measured call: requests in OpenAI's format, answers in the providers' own formats."""

import base64
import json
import random
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from eventstream import encode

EVENTS = 100
IMAGE_BYTES = 750_000  # a megabyte in base64
AUDIO_BYTES = 20_000_000

WORDS = (
    "the gateway reads each request once and keeps only what the answer will need so that a long stream costs no more "
    "than its bytes while every limit is checked before the first token leaves and settled after the last one arrives"
).split()


def prose(count: int) -> str:
    chosen = random.Random(count).choices(WORDS, k=count)
    return " ".join(chosen)


def dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def requests(model: str) -> dict[str, str]:
    """Bodies of calls to /v1/chat/completions."""
    chat = {
        "model": model,
        "messages": [
            {"role": "system", "content": "You are a careful assistant. " + prose(120)},
            {"role": "user", "content": prose(60)},
            {"role": "assistant", "content": prose(80)},
            {"role": "user", "content": "Say that again, “shorter”:\n" + prose(40)},
        ],
        "temperature": 0.2,
        "max_tokens": 512,
        "stop": ["\n\nHuman:"],
    }
    image = base64.b64encode(random.Random(1).randbytes(IMAGE_BYTES)).decode()
    look = {
        "model": model,
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is in this picture?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64," + image}},
                ],
            }
        ],
        "max_tokens": 512,
    }
    responses = {
        "model": model,
        "instructions": chat["messages"][0]["content"],
        "input": chat["messages"][1:],
        "temperature": 0.2,
        "max_output_tokens": 512,
        "store": False,
    }
    return {
        "chat": dump(chat),
        "stream": dump(chat | {"stream": True}),
        "image": dump(look),
        "responses": dump(responses),
        "responses-stream": dump(responses | {"stream": True}),
    }


BOUNDARY = "d74496d66958873e"


def recording() -> bytes:
    """A form for /v1/audio/transcriptions, as OpenAI's own client writes it: the fields, then the file."""
    field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\n{LISTENER}\r\n'
    file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="talk.mp3"\r\nContent-Type: audio/mpeg\r\n\r\n'
    return (field + file).encode() + random.Random(2).randbytes(AUDIO_BYTES) + f"\r\n--{BOUNDARY}--\r\n".encode()


def transcript() -> str:
    return dump({"text": prose(EVENTS), "usage": {"type": "duration", "seconds": 1250}})


def openai_json() -> str:
    return dump(
        {
            "id": "chatcmpl-CYb0tTqTqkYrWqnE3sQfF0pGv4j2o",
            "object": "chat.completion",
            "created": 1763800000,
            "model": "gpt-4o-2024-08-06",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": prose(EVENTS), "refusal": None, "annotations": []},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 412,
                "completion_tokens": 104,
                "total_tokens": 516,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {
                    "reasoning_tokens": 0,
                    "audio_tokens": 0,
                    "accepted_prediction_tokens": 0,
                    "rejected_prediction_tokens": 0,
                },
            },
            "service_tier": "default",
            "system_fingerprint": "fp_65564d8ba5",
        }
    )


def openai_events() -> str:
    def chunk(choices: list, usage: dict | None = None) -> str:
        return "data: %s\n\n" % dump(
            {
                "id": "chatcmpl-CYb0tTqTqkYrWqnE3sQfF0pGv4j2o",
                "object": "chat.completion.chunk",
                "created": 1763800000,
                "model": "gpt-4o-2024-08-06",
                "service_tier": "default",
                "system_fingerprint": "fp_65564d8ba5",
                "choices": choices,
                "usage": usage,
            }
        )

    def choice(delta: dict, finish: str | None = None) -> list:
        return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]

    return "".join(
        [
            chunk(choice({"role": "assistant", "content": "", "refusal": None})),
            *(chunk(choice({"content": f" {word}"})) for word in prose(EVENTS).split()),
            chunk(choice({}, "stop")),
            chunk([], {"prompt_tokens": 412, "completion_tokens": 104, "total_tokens": 516}),
            "data: [DONE]\n\n",
        ]
    )


def anthropic_json() -> str:
    return dump(
        {
            "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-5-5",
            "content": [{"type": "text", "text": prose(EVENTS)}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 412,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
                "output_tokens": 104,
                "service_tier": "standard",
            },
        }
    )


def anthropic_events() -> str:
    message = {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 412,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 1,
            "service_tier": "standard",
        },
    }
    events = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f" {word}"}}
            for word in prose(EVENTS).split()
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 104},
        },
        {"type": "message_stop"},
    ]
    return "".join(f"event: {event['type']}\ndata: {dump(event)}\n\n" for event in events)


def gemini(text: str, finish: str | None) -> dict:
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    return {
        "candidates": [candidate | ({"finishReason": finish} if finish else {})],
        "usageMetadata": {"promptTokenCount": 412, "candidatesTokenCount": 104, "totalTokenCount": 516},
        "modelVersion": "gemini-2.5-flash",
        "responseId": "mOp5aN2hMc_5nvgP0uTIqQ4",
    }


def gemini_json() -> str:
    return dump(gemini(prose(EVENTS), "STOP"))


def gemini_events() -> str:
    words = prose(EVENTS).split()
    parts = [gemini(f" {word}", None) for word in words[:-1]] + [gemini(f" {words[-1]}", "STOP")]
    return "".join(f"data: {dump(part)}\r\n\r\n" for part in parts)


USED = {"usage": {"inputTokens": 412, "outputTokens": 104, "totalTokens": 516}, "metrics": {"latencyMs": 640}}


def bedrock_json() -> str:
    message = {"role": "assistant", "content": [{"text": prose(EVENTS)}]}
    return dump({"output": {"message": message}, "stopReason": "end_turn"} | USED)


def bedrock_events() -> bytes:
    deltas = [{"contentBlockIndex": 0, "delta": {"text": f" {word}"}, "p": "abcdefgh"} for word in prose(EVENTS).split()]
    events = [
        ("messageStart", {"role": "assistant"}),
        *(("contentBlockDelta", delta) for delta in deltas),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", USED),
    ]
    return b"".join(encode("event", name, payload) for name, payload in events)


@dataclass(frozen=True)
class Provider:
    """Where a provider is called, and what it answers."""

    path: str
    stream_path: str
    whole: Callable[[], str]
    events: Callable[[], str | bytes]
    # Of the stream: what the rig calls its file, and what it ends with.
    kind: str = "sse"
    end: bytes = b""


MODELS = {"claude-sonnet-5-5": "claude", "gpt-4o": "openai", "gemini-2.5-flash": "gemini", "us.amazon.nova-pro-v1": "bedrock"}
# The model of the recording, at the upstream `openai`.
LISTENER, AUDIO = "whisper-1", "/v1/audio/transcriptions"
GEMINI, BEDROCK = "/v1beta/models/gemini-2.5-flash", "/model/us.amazon.nova-pro-v1"
PROVIDERS = {
    "claude": Provider("/v1/messages", "/v1/messages", anthropic_json, anthropic_events, end=b'message_stop"}\n\n'),
    "openai": Provider("/v1/chat/completions", "/v1/chat/completions", openai_json, openai_events, end=b"data: [DONE]\n\n"),
    "gemini": Provider(f"{GEMINI}:generateContent", f"{GEMINI}:streamGenerateContent?alt=sse", gemini_json, gemini_events, end=b"}\r\n\r\n"),
    "bedrock": Provider(f"{BEDROCK}/converse", f"{BEDROCK}/converse-stream", bedrock_json, bedrock_events, "eventstream"),
}


def file(path: str) -> str:
    """The name of the file with the answer of a path, without its ending."""
    return re.sub(r"[^A-Za-z0-9]", "_", path[1:])


def write(directory: Path) -> None:
    """The files that the rig reads: answers by path, and MODEL.chat, MODEL.stream, MODEL.image and more."""
    directory.mkdir(parents=True, exist_ok=True)
    files = {f"{model}.{kind}": body for model in MODELS for kind, body in requests(model).items()}
    for provider in PROVIDERS.values():
        files[f"{file(provider.path)}.json"] = provider.whole()
        files[f"{file(provider.stream_path)}.{provider.kind}"] = provider.events()
    files |= {f"{LISTENER}.audio": recording(), f"{file(AUDIO)}.json": transcript()}
    for name, text in files.items():
        (directory / name).write_bytes(text if isinstance(text, bytes) else text.encode())
