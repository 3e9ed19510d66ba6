"""Every golden case against the official SDKs: what we send, what we answer, and what providers answer.

The cases are in `tests/golden`, where `tests/golden.rs` holds the filter to them. It cannot tell whether a case is right.
The SDKs can: OpenAI and Anthropic make their types from their own descriptions of their APIs.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import anthropic
import httpx
import httpx2
import openai
import others
import pytest
from google import genai
from official import EXTENSIONS, READERS, SAMPLING, check_order, check_request, params

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FOLDERS = sorted(path.parent for path in GOLDEN.glob("*/*/request.json"))

# Upstreams whose requests and answers are exactly the SDKs'; others follow the format more or less.
OFFICIAL = {"anthropic", "openai"}

# Cases about what no type of the SDKs describes.
STRANGE = {
    "answer_error",
    "finish_model_length",
    "stream_comments_and_error",
    "stream_error_openrouter",
    "thought_as_it_has_it",
    "unknown_fields",
}

# Providers whose answers in OpenAI's format leave out what OpenAI's have, and reach clients as they are.
LOOSE = {"azure", "openrouter", "watsonx", "watsonx_space"}

# Formats by how a path ends.
WIRES = {
    r"/chat/completions": "chat",
    r"/completions": "completions",
    r"/messages": "messages",
    r"/messages/count_tokens": "messages",
    r"/invoke(-with-response-stream)?": "messages",
    r"/responses": "responses",
    r"/v2/chat": "cohere",
    r"/api/chat": "ollama",
    r":(generateContent|streamGenerateContent|countTokens)": "gemini",
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
        """Path and query upstream."""
        return self.json("upstream.json")["headers"][":path"]

    @property
    def wire(self) -> str:
        """The format upstream, as far as an SDK has types for it."""
        return next((wire for end, wire in WIRES.items() if re.search(end + "$", self.target.split("?")[0])), "")

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


# Requests


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
    # Where a provider has the model in the path, the format has it in the body.
    body = case.json(file)["body"]
    other = others.CHECKS.get(case.upstream if case.wire == "chat" else case.wire)
    if (case.client, case.upstream) == ("embeddings", "bedrock"):
        return others.bedrock_embeddings(body)
    if case.client in ("images", "speech", "transcriptions"):
        return None  # test_gemini_types.py has Google's
    if case.client == "rerank":
        return others.rerank_request(body) if case.upstream == "cohere" else None
    if other or not case.wire:
        return other and other(body)
    if case.wire == "gemini":
        return None  # test_gemini_types.py has them
    body = {"model": "smart"} | body
    kind = params(case.wire, body.get("stream", False), case.counts)
    left = beyond(case, body, set(kind.__annotations__))
    if case.upstream not in OFFICIAL and case.wire in ("chat", "messages"):
        # In messages are thoughts under providers' own names.
        body = body | {"messages": []}
    check_request(kind, {name: value for name, value in body.items() if name not in left})


@cases("request.json")
def test_requests_of_clients(case: Case, file: str):
    """What the cases send in the format of Responses, as far as it is meant to be right."""
    if case.client == "responses" and (case.folder / "upstream.json").exists() and case.folder.name != "as_it_is":
        body = case.json(file)
        check_request(params("responses", body.get("stream", False)), body)


# Answers


@cases("client.json", "client.sse", "refusal.json")
def test_answers(case: Case, file: str):
    refused = file == "refusal.json"
    if not refused and (case.counts or case.upstream in LOOSE and case.client == "chat"):
        return
    failed = refused or case.json("usage.json")["status"] != 200
    text = (case.folder / file).read_text()
    found = READERS[case.client, "error" if failed else file.split(".")[1]](text)
    if file == "client.sse" and case.folder.name != "stream_without_done":
        check_order(case.client, text)
    # An answer in the client's own format keeps all that the provider says.
    assert found <= EXTENSIONS or case.client == case.wire


@cases("response.json", "response.sse")
def test_fixtures(case: Case, file: str):
    """What we say that providers answer, except where it is meant to be wrong."""
    usage = case.json("usage.json")
    wrong = usage["error"] == "bad_answer" or usage["unknown"] > 0 or usage["finish"] == "other"
    if case.upstream not in OFFICIAL or wrong or case.counts or not case.wire:
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
    elif case.client == "completions":
        sdk = openai.OpenAI(api_key="-", http_client=replay(httpx, case), max_retries=0)
        stream = sdk.completions.create(model="any", prompt="Hi", stream=True)
        if '{"error":' in text:
            with pytest.raises(openai.APIError):
                list(stream)
        else:
            assert all(chunk.object == "text_completion" for chunk in stream)
        return
    elif case.client in ("images", "speech", "transcriptions"):
        return
    elif case.client == "gemini":
        options = {"httpx_client": replay(httpx, case), "base_url": "http://gateway"}
        sdk = genai.Client(api_key="-", http_options=options)
        stream = sdk.models.generate_content_stream(model="any", contents="Hi")
        if '"error":' in text:
            with pytest.raises(genai.errors.APIError):
                list(stream)
        else:
            assert list(stream)[-1].candidates[0].finish_reason
        return
    elif case.client == "responses":
        sdk = openai.OpenAI(api_key="-", http_client=replay(httpx, case), max_retries=0)
        with sdk.responses.stream(model="any", input="Hi") as stream:
            last = list(stream)[-1]
        assert last.type in ("error", "response.completed", "response.failed", "response.incomplete")
        if last.type == "response.completed":
            assert stream.get_final_response().output == last.response.output
        return
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
