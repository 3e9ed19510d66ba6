"""Moderations: OpenAI's own client, to OpenAI and to one whose answers say less."""

import json

import openai
import pytest
from calls import KEY, counted
from conftest import HTTP, Envoy, Starter
from documents import KEYS, MOCKS, gateway_role, render, standalone
from scripted import Scripted, answer

MISTRAL = {
    "id": "4d71ae5a",
    "model": "mistral-moderation-latest",
    "results": [{"categories": {"pii": True, "sexual": False}, "category_scores": {"pii": 0.9, "sexual": 1.3e-05}}],
}


@pytest.fixture(scope="module", params=[gateway_role, standalone])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter):
    scripted = Scripted({"mistral-moderation-latest": [answer("200 OK", {"content-type": "application/json"}, json.dumps(MISTRAL).encode())]})
    mistral = {"provider": "mistral", "base_url": f"http://127.0.0.1:{scripted.port}/v1", "credentials": "none"}
    models = [
        {"name": "omni-moderation-latest", "upstreams": ["openai"]},
        {"name": "strict", "upstreams": ["mistral"], "upstream_models": {"mistral": "mistral-moderation-latest"}},
        {"name": "chat-only", "upstreams": ["claude"]},
    ]
    yield shared_gateway(render(request.param(MOCKS | {"mistral": mistral}, models)), env=KEYS)
    scripted.stop()


def test_openais_own_client(envoy: Envoy):
    client = openai.OpenAI(api_key=KEY, base_url=f"{envoy.url}/v1")
    before = envoy.samples("dragoman_")
    got = client.moderations.create(input=["Good morning", "I want to kill them."])
    assert [result.flagged for result in got.results] == [False, True]
    assert got.results[1].categories.violence and not got.results[1].categories.hate
    assert got.model == "omni-moderation-latest"
    requests = counted(before, envoy.samples("dragoman_"), "dragoman_requests_total")
    assert requests == {("demo", "omni-moderation-latest", "moderations", "openai", "200", "openai"): 1}
    parts = [{"type": "text", "text": "blood"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    assert client.moderations.create(model="omni-moderation-latest", input=parts).results[0].flagged


def test_what_one_leaves_to_the_client_is_said(envoy: Envoy):
    body = {"model": "strict", "input": "My number is 12345."}
    got = HTTP.post(f"{envoy.url}/v1/moderations", json=body, headers={"authorization": f"Bearer {KEY}"})
    assert got.status_code == 200, got.text
    assert got.json()["results"][0]["flagged"] is True and got.json()["model"] == "strict"
    assert "1.3e-05" in got.text


def test_errors_are_openais(envoy: Envoy):
    client = openai.OpenAI(api_key=KEY, base_url=f"{envoy.url}/v1", max_retries=0)
    with pytest.raises(openai.BadRequestError, match="Invalid type for 'input'"):
        client.moderations.create(input=7)
    with pytest.raises(openai.BadRequestError) as missing:
        client.post("/moderations", body={"model": "strict"}, cast_to=object)
    assert missing.value.param == "input"
    with pytest.raises(openai.InternalServerError, match="cannot do this"):
        client.moderations.create(model="chat-only", input="Hi")
