"""Every golden case of Gemini's against Google's SDK: what we send, and what we say that Google answers.

A body is taken apart into the SDK's types, which refuse members that they do not know, and the SDK sends it anew. What it
sends must be the same: so everything stands where Google has it, and nothing is in it that this door does not take.
"""

import base64
import json
import warnings

import httpx
import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials
from pydantic import TypeAdapter
from test_types import FOLDERS, GOLDEN, Case

METHODS = ("generateContent", "streamGenerateContent", "countTokens")


def method(case: Case) -> str:
    return case.target.split("?")[0].rpartition(":")[2]


def cases(*files: str) -> pytest.MarkDecorator:
    """Each case that goes to Gemini and has one of the files; what clients of its own format say is theirs."""
    known = [Case(folder) for folder in FOLDERS if (folder / "upstream.json").exists()]
    known = [case for case in known if case.client != "gemini"]
    found = [(case, file) for case in known for file in files if method(case) in METHODS and (case.folder / file).exists()]
    names = [f"{case.folder.relative_to(GOLDEN)}/{file}" for case, file in found]
    return pytest.mark.parametrize(("case", "file"), found, ids=names)


class Google:
    """An SDK for which every call gets the same answer."""

    def __init__(self, case: Case, answer: bytes = b'{"candidates": []}', kind: str = "application/json"):
        self.requests: list[httpx.Request] = []
        self.answer = httpx.Response(200, headers={"content-type": kind}, content=answer)
        network = httpx.Client(transport=httpx.MockTransport(self.respond))
        if case.upstream == "vertex_express":
            self.client = genai.Client(vertexai=True, api_key="key", http_options={"httpx_client": network, "api_version": "v1"})
        elif case.upstream.startswith("gemini"):
            options = {"httpx_client": network, "api_version": "v1beta"}
            self.client = genai.Client(api_key="key", http_options=options)
        else:
            self.client = genai.Client(
                vertexai=True,
                project="my-project",
                location="europe-west4",
                credentials=Credentials("token"),
                http_options={"httpx_client": network, "api_version": "v1"},
            )

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer

    def sent(self) -> tuple[str, dict]:
        """The path and the body of the call."""
        (request,) = self.requests
        return request.url.raw_path.decode(), json.loads(request.content)


def normal(value: object, name: str = "") -> object:
    """One of the spellings that Google takes: of bytes, of enumerations, of types in schemas, of members."""
    if isinstance(value, dict):
        return {_camel(key): normal(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [normal(item, name) for item in value]
    if isinstance(value, str) and name in ("data", "thoughtSignature"):
        return base64.urlsafe_b64decode(value.replace("+", "-").replace("/", "_") + "==")
    return value.upper() if isinstance(value, str) and name in ("thinkingLevel", "thinking_level", "serviceTier") else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


# Members of a request that the SDK has in its `config`.
CONFIG = ("cachedContent", "labels", "modelArmorConfig", "safetySettings", "serviceTier", "systemInstruction", "toolConfig", "tools")  # fmt: skip


@cases("upstream.json")
def test_requests(case: Case, file: str):
    body = case.json(file)["body"]
    counts = method(case) == "countTokens"
    google = Google(case, b'{"totalTokens": 1}') if counts else Google(case)
    whole = body.get("generateContentRequest", body) if counts else body
    contents = TypeAdapter(list[types.Content]).validate_json(json.dumps(whole["contents"]))
    config = {name: whole[name] for name in CONFIG if name in whole} | whole.get("generationConfig", {})
    if counts:
        # The SDK has no words for this: it takes no instructions at the Gemini API.
        assert normal(whole.keys() - {"model"}) <= {"contents", *CONFIG}
        types.GenerateContentConfig.model_validate_json(json.dumps(config))
        return
    google_config = types.GenerateContentConfig.model_validate_json(json.dumps(config))
    model = case.target.split("/models/")[1].split(":")[0]
    if method(case) == "generateContent":
        google.client.models.generate_content(model=model, contents=contents, config=google_config)
    else:
        list(google.client.models.generate_content_stream(model=model, contents=contents, config=google_config))
    path, sent = google.sent()
    # The SDK gives instructions a role, and always a place for what may be set.
    sent.get("systemInstruction", {}).pop("role", None)
    assert normal(sent) == normal({"generationConfig": {}} | body)
    assert path == case.target


@cases("response.json", "response.sse")
def test_fixtures(case: Case, file: str):
    """What we say that Google answers, except where it is meant to be wrong."""
    usage = case.json("usage.json")
    strange = usage["error"] == "bad_answer" or usage["unknown"] > 0
    if strange or usage["status"] != 200 or usage["error"]:
        return
    kind = "text/event-stream" if file.endswith("sse") else "application/json"
    google = Google(case, (case.folder / file).read_bytes(), kind)
    with warnings.catch_warnings():
        # The SDK warns of words that it does not know.
        warnings.simplefilter("error")
        if method(case) == "countTokens":
            assert google.client.models.count_tokens(model="m", contents="Hi").total_tokens
        elif file.endswith("sse"):
            chunks = list(google.client.models.generate_content_stream(model="m", contents="Hi"))
            assert any(chunk.usage_metadata for chunk in chunks)
        else:
            answer = google.client.models.generate_content(model="m", contents="Hi")
            assert answer.candidates or answer.prompt_feedback
