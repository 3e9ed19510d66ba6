"""A tap on the lines between SDK, gateway and provider: all that passes is held to the official types.

def test_chat(tap, envoy):
    client = openai.OpenAI(base_url=f"{envoy.url}/v1", http_client=tap.client())
    ...
    assert tap.sent()["messages"] == ...
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx2
from official import EXTENSIONS, READERS, SAMPLING, check_order, check_request, params

if TYPE_CHECKING:
    from conftest import Providers


def wire_of(path: str) -> str:
    """The format that is spoken at a path, if it is one of a call that generates."""
    ends = {"/chat/completions": "chat", "/messages": "messages", "/responses": "responses"}
    return next((wire for end, wire in ends.items() if path.endswith(end)), "")


@dataclass
class Answer:
    """What a client got."""

    path: str
    status: int
    media_type: str
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False

    def check(self) -> None:
        wire = wire_of(self.path)
        if not wire or not self.whole:
            return
        kind = "error" if self.status >= 400 else "sse" if self.media_type == "text/event-stream" else "json"
        text = self.body.decode()
        found = READERS[wire, kind](text)
        assert found <= EXTENSIONS, found - EXTENSIONS
        if kind == "sse":
            check_order(wire, text)


class Stream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that is read along."""

    def __init__(self, inner: httpx2.SyncByteStream | httpx2.AsyncByteStream, answer: Answer):
        self.inner, self.answer = inner, answer

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.inner:
            self.answer.body += chunk
            yield chunk
        self.answer.whole = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self.inner:
            self.answer.body += chunk
            yield chunk
        self.answer.whole = True

    def close(self) -> None:
        self.inner.close()

    async def aclose(self) -> None:
        await self.inner.aclose()


class Tap:
    """What one test says and hears."""

    def __init__(self, providers: Providers):
        self.providers = providers
        self.answers: list[Answer] = []
        # What providers may answer beside what a directive tells them to; slow ones have not answered yet.
        self.statuses = {200, None}
        providers.forget()

    def client(self) -> httpx2.Client:
        return httpx2.Client(transport=Transport(self), timeout=30)

    def async_client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=AsyncTransport(self), timeout=30)

    def tapped(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        media_type = response.headers.get("content-type", "").split(";")[0]
        answer = Answer(request.url.path, response.status_code, media_type)
        self.answers.append(answer)
        stream = Stream(response.stream, answer)
        return httpx2.Response(response.status_code, headers=response.headers, stream=stream, request=request)

    def sent(self) -> dict:
        """The body of the last request that a provider got."""
        return self.providers.received()[-1]["body"]

    def check(self) -> None:
        for request in self.providers.received():
            check_sent(request, self.statuses)
        for answer in self.answers:
            answer.check()


class Transport(httpx2.BaseTransport):
    def __init__(self, tap: Tap):
        self.tap, self.inner = tap, httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.tap.tapped(request, self.inner.handle_request(request))

    def close(self) -> None:
        self.inner.close()


class AsyncTransport(httpx2.AsyncBaseTransport):
    def __init__(self, tap: Tap):
        self.tap, self.inner = tap, httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.tap.tapped(request, await self.inner.handle_async_request(request))

    async def aclose(self) -> None:
        await self.inner.aclose()


def check_sent(request: dict, statuses: set[int | None]) -> None:
    """The mock providers check much, and the types what is left."""
    path = request["path"].split("?")[0]
    if request["method"] != "POST" or "/responses/" in path:
        return
    body = request["body"]
    wanted = {int(status) for status in re.findall(r"\bstatus=(\d+)", json.dumps(body))}
    assert request["status"] in statuses | wanted, f"the provider answered {request['status']} to {body}"
    if request["status"] == 400:
        return
    wire = wire_of(path.removesuffix("/count_tokens"))
    if not wire:
        # Google's, whose types test_gemini_types.py has.
        return
    beta = "anthropic-beta" in request["headers"]
    kind = params(wire, body.get("stream", False), path.endswith("/count_tokens"), beta)
    beyond = SAMPLING if wire == "messages" else set()
    body = {name: value for name, value in body.items() if name not in beyond}
    if wire == "chat":
        body["messages"] = [without_annotations(message) for message in body["messages"]]
    if beta and "tools" in body:
        body["tools"] = [without_schema(tool) for tool in body["tools"]]
    check_request(kind, body)


def without_schema(tool: dict) -> dict:
    """The beta's types have no place for all that a schema may hold."""
    return tool | {"input_schema": {"type": "object"}} if "input_schema" in tool else tool


def without_annotations(message: dict) -> dict:
    """OpenAI gives them in answers and takes them back, which its types do not say."""
    return {name: value for name, value in message.items() if name != "annotations"}
