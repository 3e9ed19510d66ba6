"""Calls as clients make them, and their streams taken apart."""

import json
from dataclasses import dataclass

import httpx
from conftest import HTTP, Envoy

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
    """The events of a stream, which must be complete."""
    assert stream.endswith("\n\n"), stream[-200:]
    found = []
    for frame in stream.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in frame.split("\n"))
        assert fields.keys() <= {"event", "data"}, frame
        found.append(Event(fields.get("event", ""), fields["data"]))
    return found
