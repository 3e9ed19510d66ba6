"""Calls as clients make them, and their streams taken apart."""

import json
import re
import socket
import time
import uuid
from dataclasses import dataclass
from http.client import HTTPResponse

import httpx
from conftest import HTTP, Envoy, wait_until

PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}
KEY = "sk-demo"
# How each client sends its key, and what else its SDK sends.
HEADERS = {
    "chat": {"authorization": f"Bearer {KEY}"},
    "messages": {"x-api-key": KEY, "anthropic-version": "2023-06-01"},
}


def body(client: str, model: str, text: str = "Hi", **more) -> dict:
    """A request for the next turn."""
    limit = {"max_tokens": 99} if client == "messages" else {}
    return {"model": model, **limit, "messages": [{"role": "user", "content": text}], **more}


def call(
    envoy: Envoy, client: str, model: str, text: str = "Hi", path: str = "", headers: dict | None = None, **more
) -> httpx.Response:
    """Makes a call; `more` goes into the body."""
    url = envoy.url + (path or PATHS[client])
    return HTTP.post(url, json=body(client, model, text, **more), headers=HEADERS[client] if headers is None else headers)


@dataclass(frozen=True)
class Event:
    """A server-sent event."""

    name: str
    data: str

    @property
    def json(self) -> dict:
        return json.loads(self.data)


def events(stream: str) -> list[Event]:
    """The events of a stream, the last of which must be complete."""
    found, fields = [], {}
    *lines, rest = re.split(r"\r\n|\r|\n", stream.removeprefix("\ufeff"))
    for line in lines:
        name, _, value = line.partition(":")
        if not line and "data" in fields:
            found.append(Event(fields.get("event", ""), fields["data"]))
        if not line:
            fields = {}
        elif name == "data" in fields:
            fields["data"] += "\n" + value.removeprefix(" ")
        else:
            fields[name] = value.removeprefix(" ")
    assert not rest and not fields, stream[-200:]
    return found


def content(answer: httpx.Response, client: str) -> str:
    """What the answer says."""
    if "event-stream" not in answer.headers["content-type"]:
        whole = answer.json()
        return whole["choices"][0]["message"]["content"] if client == "chat" else whole["content"][0]["text"]
    found = [event.json for event in events(answer.text) if event.data != "[DONE]"]
    if client == "chat":
        return "".join(choice["delta"].get("content") or "" for chunk in found for choice in chunk.get("choices", []))
    return "".join(event["delta"].get("text", "") for event in found if event["type"] == "content_block_delta")


def error(answer: httpx.Response, client: str) -> dict:
    """The error of an answer, which must be of the client's format."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    if client == "chat":
        assert body.keys() == {"error"} and body["error"].keys() == {"message", "type", "param", "code"}
        return body["error"]
    assert body.keys() <= {"type", "error", "request_id"} and body["type"] == "error"
    assert body["error"].keys() == {"type", "message"}
    return body["error"]


def counted(before: dict, after: dict, name: str) -> dict[tuple[str, ...], float]:
    """What was added to a metric, by the values of its labels in the order of their names."""
    added = {key: value - before.get(key, 0) for key, value in after.items() if key[0] == name}
    return {tuple(value for _, value in sorted(labels)): count for (_, labels), count in added.items() if count}


def request(client: str, content: bytes, headers: dict[str, str | bytes], method: str = "POST", path: str = "") -> bytes:
    """A request in HTTP/1.1, written as it is given."""
    lines = [f"{method} {path or PATHS[client]} HTTP/1.1".encode(), b"host: gateway"]
    for name, value in headers.items():
        lines.append(name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()))
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


def converse(envoy: Envoy, *pieces: bytes, method: str = "POST", pause: float = 0) -> httpx.Response:
    """Sends pieces of a request over a connection of its own, and reads the answer."""
    with socket.create_connection(("127.0.0.1", envoy.port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        answer = HTTPResponse(connection, method=method)
        answer.begin()
        return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())


def identified(client: str) -> dict[str, str]:
    """A client's headers with an id of the call."""
    return HEADERS[client] | {"x-request-id": str(uuid.uuid4())}


def logged(envoy: Envoy, headers: dict[str, str], attempts: int = 0) -> list[dict]:
    """What logs with ids say of a call: the listener's line, then those of the attempts."""

    def found() -> list[dict]:
        lines = [json.loads(line) for line in envoy.access_log(0) if headers["x-request-id"] in line]
        return sorted(lines, key=lambda line: "upstream log" in line)

    wait_until(lambda: len(found()) > attempts and "usage" in found()[0], envoy.process)
    return found()
