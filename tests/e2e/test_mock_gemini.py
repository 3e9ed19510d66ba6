"""The mock of Gemini against Google's SDK: what it answers, and what it refuses.

The fixture `mock` is the address of a running `dragoman mock`.
"""

import base64
import json

import httpx
import pytest
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "The weather", "parametersJsonSchema": SCHEMA}
TOOLS = [{"functionDeclarations": [FUNCTION]}]
MODEL = "gemini-3.8-flash"
PERSON = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}
KEY = {"x-goog-api-key": "key"}
CLOUD = "/v1/projects/p/locations/global"


@pytest.fixture
def studio(mock):
    return genai.Client(api_key="key", http_options={"base_url": mock, "api_version": "v1beta"})


@pytest.fixture
def cloud(mock):
    return genai.Client(
        vertexai=True,
        project="p",
        location="global",
        credentials=Credentials("token"),
        http_options={"base_url": mock, "api_version": "v1"},
    )


@pytest.fixture(params=["studio", "cloud"])
def client(request):
    return request.getfixturevalue(request.param)


def config(**members):
    return types.GenerateContentConfig(automatic_function_calling={"disable": True}, **members)


def post(mock, path=f"/v1beta/models/{MODEL}:generateContent", headers=KEY, **body):
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]} | body
    return httpx.post(mock + path, json={name: value for name, value in body.items() if value is not ...}, headers=headers)


# Answers


def test_text(client):
    answer = client.models.generate_content(model=MODEL, contents="Hello")
    assert answer.text == "You said: Hello"
    assert answer.candidates[0].finish_reason == "STOP"
    assert answer.candidates[0].content.parts[0].thought_signature
    usage = answer.usage_metadata
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count
    assert answer == client.models.generate_content(model=MODEL, contents="Hello").model_copy(
        update={"sdk_http_response": answer.sdk_http_response}
    )


def test_stream(client):
    thinking = config(thinking_config={"include_thoughts": True})
    chunks = list(client.models.generate_content_stream(model=MODEL, contents="Hello there", config=thinking))
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    assert "".join(part.text for part in parts if not part.thought) == "You said: Hello there"
    assert sum(bool(part.thought) for part in parts) > 3
    assert [chunk.candidates[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["STOP"]
    assert chunks[-1].usage_metadata.thoughts_token_count > 0
    assert parts[-1].text == "" and parts[-1].thought_signature


@pytest.mark.parametrize("text, cities", [("weather", ["Paris"]), ("parallel", ["Paris", "London"])])
@pytest.mark.parametrize("model", [MODEL, "gemini-2.5-flash"])
def test_tools(client, model, text, cities):
    ask = [types.Content(role="user", parts=[types.Part(text=text)])]
    answer = client.models.generate_content(model=model, contents=ask, config=config(tools=TOOLS))
    calls = answer.function_calls
    assert [call.args["city"] for call in calls] == cities
    signs = model == MODEL
    assert [bool(call.id) for call in calls] == [signs] * len(calls)
    parts = answer.candidates[0].content.parts
    assert [bool(part.thought_signature) for part in parts] == [signs] + [False] * (len(calls) - 1)
    results = [
        types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": "sunny"}))
        for call in calls
    ]
    ask += [answer.candidates[0].content, types.Content(role="user", parts=results)]
    answer = client.models.generate_content(model=model, contents=ask, config=config(tools=TOOLS))
    assert answer.text == f"The tool said: {'; '.join(['sunny'] * len(calls))}"
    parts[0].thought_signature = None
    if signs:
        with pytest.raises(errors.ClientError, match="missing a thought_signature"):
            client.models.generate_content(model=model, contents=ask, config=config(tools=TOOLS))


def test_signatures_hold_at_one_door(studio, cloud):
    ask = [types.Content(role="user", parts=[types.Part(text="weather")])]
    called = cloud.models.generate_content(model=MODEL, contents=ask, config=config(tools=TOOLS)).candidates[0].content
    result = types.FunctionResponse(id=called.parts[0].function_call.id, name="get_weather", response={"output": "x"})
    ask += [called, types.Content(role="user", parts=[types.Part(function_response=result)])]
    assert cloud.models.generate_content(model=MODEL, contents=ask, config=config(tools=TOOLS)).text
    with pytest.raises(errors.ClientError, match="Corrupted thought signature"):
        studio.models.generate_content(model=MODEL, contents=ask, config=config(tools=TOOLS))


def test_formats(client):
    def value(**members):
        answer = client.models.generate_content(
            model=MODEL, contents="Ada", config=config(response_mime_type="application/json", **members)
        )
        return json.loads(answer.text)

    assert value() == {"answer": "You said: Ada"}
    assert value(response_json_schema=PERSON) == {"name": "example", "age": 1}
    own = types.Schema(type="OBJECT", properties={"age": types.Schema(type="INTEGER")})
    assert value(response_schema=own) == {"age": 1}


def test_ends(client):
    def ended(text, **members):
        answer = client.models.generate_content(model=MODEL, contents=text, config=config(**members))
        return answer.candidates[0].finish_reason, answer.text

    assert ended("refuse") == ("SAFETY", None)
    assert ended("one two three", max_output_tokens=4) == ("MAX_TOKENS", "You said: one tw")
    assert ended("one STOP two", stop_sequences=["STOP"]) == ("STOP", "You said: one ")


def test_media_pictures_sources_choices(studio):
    parts = [
        types.Part(text="See"),
        types.Part.from_bytes(data=PNG, mime_type="image/png"),
        types.Part.from_uri(file_uri="https://example.com/a.mp4", mime_type="video/mp4"),
    ]
    assert studio.models.generate_content(model=MODEL, contents=parts).text == "You said: See (with image, video)"
    drawn = studio.models.generate_content(model="gemini-3-pro-image", contents="Draw")
    assert [part.inline_data.data for part in drawn.candidates[0].content.parts if part.inline_data] == [PNG]
    found = studio.models.generate_content(model=MODEL, contents="Hi", config=config(tools=[{"google_search": {}}]))
    assert found.candidates[0].grounding_metadata.grounding_chunks[0].web.title == "example.com"
    several = studio.models.generate_content(
        model=MODEL, contents="Hi", config=config(candidate_count=2, response_logprobs=True, logprobs=2)
    )
    assert len(several.candidates) == 2
    assert len(several.candidates[1].logprobs_result.top_candidates[0].candidates) == 2


def test_usage(mock, studio, cloud):
    cached = studio.models.generate_content(model=MODEL, contents="cached").usage_metadata
    assert 0 < cached.cached_content_token_count < cached.prompt_token_count
    assert cloud.models.generate_content(model=MODEL, contents="Hi").usage_metadata.traffic_type == "ON_DEMAND"
    assert post(mock, serviceTier="flex").json()["usageMetadata"]["serviceTier"] == "flex"


def test_tokens_and_vectors(client, cloud):
    assert client.models.count_tokens(model=MODEL, contents="Hello").total_tokens > 1
    options = {"output_dimensionality": 4}
    vectors = client.models.embed_content(model="gemini-embedding-001", contents=["a"], config=options).embeddings
    assert [len(vector.values) for vector in vectors] == [4]
    old = cloud.models.embed_content(model="text-embedding-005", contents=["a", "b"], config=options).embeddings
    assert [len(vector.values) for vector in old] == [4, 4]
    assert old[0].statistics.token_count == 1


# What is refused


def said(*parts, role="user"):
    return {"role": role, "parts": list(parts)}


def turns(*contents):
    return {"contents": [said({"text": "Hi"}), *contents]}


def called(*names, **more):
    return said(*({"functionCall": {"name": name, "args": {}}, **more} for name in names), role="model")


def result(name, **more):
    return said({"functionResponse": {"name": name, "response": {}, **more}})


def settings(**members):
    return {"generationConfig": members}


def thinking(model, **members):
    return {"path": f"/v1beta/models/{model}:generateContent"} | settings(thinkingConfig=members)


BYPASS = {"thoughtSignature": "skip_thought_signature_validator"}


@pytest.mark.parametrize(
    "body, part",
    [
        ({"messages": []}, "Unknown name \"messages\": Cannot find field."),
        ({"contents": ...}, "contents is not specified"),
        ({"contents": [said(role="user")]}, "contents.parts must not be empty"),
        ({"contents": [said({})]}, "required oneof field 'data'"),
        ({"contents": [said({"text": ""})]}, "must have a text parameter"),
        ({"contents": [said({"text": "a"}, role="assistant")]}, "Please use a valid role: user, model."),
        ({"contents": [said({"text": "a", "inlineData": {}})]}, "oneof field 'data' is already set"),
        ({"contents": [said({"inlineData": {"mimeType": "image/png", "data": "=!"}})]}, "Base64 decoding failed"),
        ({"contents": [said({"inlineData": {"mimeType": "image/jpg", "data": "AA=="}})]}, "Unsupported MIME type: image/jpg"),
        ({"contents": [said({"inlineData": {"mimeType": "image/png", "data": "AA=="}})]}, "Unable to process input image"),
        ({"contents": [said({"fileData": {"fileUri": "http://a/b"}})]}, "unsupported file uri"),
        (turns(called("a"), said({"text": "b"})), "number of function response parts"),
        ({"contents": [called("a", **BYPASS)]}, "immediately after a user turn"),
        (turns(result("a")), "immediately after a function call turn"),
        (turns(called("a", **BYPASS), result("b")), "are not those of the calls"),
        (turns(called("a"), result("a")), "missing a thought_signature"),
        (turns(called("a", thoughtSignature="YWE="), result("a")), "Corrupted thought signature."),
        ({"systemInstruction": "Be brief."}, "Invalid value at 'system_instruction'"),
        ({"systemInstruction": {"parts": [{"text": "a"}]}, "path": "/v1beta/models/gemma-3-4b-it:generateContent"}, "Developer instruction is not enabled"),
        ({"tools": [{}]}, "tool_type"),
        ({"tools": [{"functionDeclarations": [{"name": "a b"}]}]}, "Invalid function name"),
        ({"tools": TOOLS * 2}, "Duplicate function declaration found: get_weather"),
        ({"tools": [{"functionDeclarations": [{"name": "a", "parameters": {"type": "object"}}]}]}, "should be non-empty"),
        ({"tools": [{"functionDeclarations": [{"name": "a", "parameters": {"type": "object", "oneOf": []}}]}]}, "Unknown name \"oneOf\""),
        ({"tools": [{"functionDeclarations": [{"name": "a", "parametersJsonSchema": {"type": "object", "properties": {"b": {"$ref": "#/c", "title": "d"}}}}]}]}, "beside `$ref`"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "without function_declarations"),
        ({"tools": TOOLS, "toolConfig": {"functionCallingConfig": {"allowedFunctionNames": ["get_weather"]}}}, "mode is ANY"),
        ({"tools": TOOLS, "toolConfig": {"functionCallingConfig": {"mode": "any", "allowedFunctionNames": ["a"]}}}, "not declared"),
        (settings(temperature=3), "must be in the range [0.0, 2.0]"),
        (settings(seed=0.5), "(TYPE_INT32)"),
        (settings(presencePenalty=1), "Penalty is not enabled for models/gemini-3.8-flash"),
        (settings(candidateCount=9), "candidate_count must be in the range [1, 8]"),
        (settings(logprobs=1), "response_logprobs"),
        (settings(stopSequences=["a"] * 6), "greater than 5"),
        (settings(responseMimeType="application/pdf"), "allowed mimetypes"),
        (settings(responseJsonSchema=PERSON), "response_mime_type must be set"),
        (settings(thinkingConfig={"thinkingLevel": "minimal"}), "Thinking level MINIMAL is not supported"),
        (settings(thinkingConfig={"thinkingBudget": 1024}), "Please use thinking level"),
        (thinking("gemini-3-pro-preview", thinkingLevel="low", thinkingBudget=1), "only one of thinking budget and"),
        (thinking("gemini-2.5-pro", thinkingBudget=0), "only works in thinking mode"),
        (thinking("gemini-2.5-flash", thinkingBudget=99_999), "between 1 and 24576"),
        (thinking("gemini-2.5-flash", thinkingLevel="low"), "Thinking level is not supported"),
        (thinking("gemini-2.0-flash", includeThoughts=True), "Thinking is not supported"),
        ({"path": "/v1beta/models/gemini-2.5-flash:generateContent", "tools": TOOLS} | settings(responseMimeType="application/json"), "is unsupported"),
        ({"path": "/v1beta/models/gemini-4-argon:generateContent"} | settings(candidateCount=2), "[1, 1]"),
        ({"labels": {"a": "b"}}, "Unknown name \"labels\""),
        ({"path": f"{CLOUD}/publishers/google/models/{MODEL}:generateContent", "serviceTier": "flex"}, "Unknown name \"serviceTier\""),
    ],
)  # fmt: skip
def test_refuses(mock, body, part):
    reply = post(mock, **body)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert part in error["message"]


def test_paths_credentials_and_leaks(mock):
    def refused(**request):
        reply = post(mock, **request)
        return reply.status_code, reply.json()["error"]["status"]

    assert refused(headers={}) == (403, "PERMISSION_DENIED")
    assert refused(headers={"x-goog-api-key": "bad"}) == (400, "INVALID_ARGUMENT")
    assert refused(headers={"authorization": "Bearer bad"}, path=f"{CLOUD}/publishers/google/models/{MODEL}:generateContent") == (401, "UNAUTHENTICATED")  # fmt: skip
    assert refused(path="/v1beta/models/gpt-4o:generateContent") == (404, "NOT_FOUND")
    assert refused(path=f"/v1beta/models/{MODEL}:predict") == (404, "NOT_FOUND")
    for name in ("cookie", "x-api-key", "anthropic-version", "authorization"):
        assert refused(headers=KEY | {name: "x"}) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("status, word", [(429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE"), (504, "DEADLINE_EXCEEDED")])
def test_errors(client, status, word):
    with pytest.raises(errors.APIError) as caught:
        client.models.generate_content(model=MODEL, contents=f"[mock status={status}]")
    assert (caught.value.code, caught.value.status) == (status, word)
    with pytest.raises(errors.APIError) as caught:
        list(client.models.generate_content_stream(model=MODEL, contents=f"[mock status={status}]"))
    assert caught.value.code == status


def test_streams_that_break_off(mock):
    path = f"/v1beta/models/{MODEL}:streamGenerateContent"

    def stream(text, path=path + "?alt=sse"):
        return post(mock, path, contents=[said({"text": text})])

    good = stream("a b c")
    assert good.headers["content-type"].startswith("text/event-stream")
    frames = good.text.split("\r\n\r\n")
    assert frames.pop() == "" and all(frame.startswith("data: {") for frame in frames)
    broken = stream("a b c [mock error-after=2]").text.split("\r\n\r\n")
    assert len(broken) == 4 and json.loads(broken[2].removeprefix("data: "))["error"]["status"] == "UNAVAILABLE"
    assert len(stream("a b c [mock end-after=2 upstream=gemini]").text.split("\r\n\r\n")) == 3
    assert len(stream("a b c [mock end-after=2 upstream=vertex]").text.split("\r\n\r\n")) == len(frames) + 1
    # Without `alt=sse` it is one array.
    assert isinstance(stream("a b c", path).json(), list)
    array = post(mock, f"{CLOUD}/publishers/google/models/{MODEL}:streamGenerateContent?alt=sse", contents=[said({"text": "[mock status=429]"})])  # fmt: skip
    (error,) = array.json()
    assert error["error"]["details"][0]["retryDelay"] == "1s"


# Other makers' models at Google Cloud


CLAUDE = {"anthropic_version": "vertex-2023-10-16", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]}


def claude(mock, method, body, model="claude-sonnet-4-5@20250929"):
    return httpx.post(f"{mock}{CLOUD}/publishers/anthropic/models/{model}:{method}", json=body, headers=KEY)


def test_claude(mock):
    assert claude(mock, "rawPredict", CLAUDE).json()["content"][0]["text"] == "You said: Hi"
    assert "event: message_stop" in claude(mock, "streamRawPredict", CLAUDE | {"stream": True}).text
    counted = claude(mock, "rawPredict", {k: v for k, v in CLAUDE.items() if k != "max_tokens"} | {"model": "claude-haiku-4-5"}, "count-tokens")  # fmt: skip
    assert counted.json()["input_tokens"] > 0
    for body in (CLAUDE | {"anthropic_version": "2023-06-01"}, CLAUDE | {"model": "claude-haiku-4-5"}, CLAUDE | {"stream": True}):
        assert claude(mock, "rawPredict", body).status_code == 400
    assert "x: Extra inputs" in claude(mock, "rawPredict", CLAUDE | {"x": 1}).text


def test_partners(mock):
    body = {"model": "meta/llama-4-maverick-17b-128e-instruct-maas", "messages": CLAUDE["messages"]}
    answer = httpx.post(f"{mock}{CLOUD}/endpoints/openapi/chat/completions", json=body, headers=KEY)
    assert answer.json()["choices"][0]["message"]["content"] == "You said: Hi"
