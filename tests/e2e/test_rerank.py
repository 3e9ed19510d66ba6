"""Rankings: Cohere's own client, and others in its manner, to several providers."""

import json

import cohere
import httpx
import pytest
from calls import KEY, counted, error
from conftest import HTTP, Envoy, Providers, Starter
from documents import KEYS, gateway_role, render, standalone
from scripted import Scripted, answer

QUERY = "capital of the United States"
DOCUMENTS = [
    "Carson City is the capital of Nevada.",
    "Washington is the capital of the United States.",
    "Punishment has existed since before it was a country.",
]
RANKED = [{"index": 1, "relevance_score": 0.99}, {"index": 0, "relevance_score": 0.25}, {"index": 2, "relevance_score": 7.3e-05}]
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module", params=[gateway_role, standalone])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter, providers: Providers):
    voyage = {"object": "list", "data": RANKED, "model": "rerank-2.5", "usage": {"total_tokens": 66}}
    scripts = {"rerank-2.5": [answer("200 OK", JSON, json.dumps(voyage).encode())]}
    google = {"records": [{"id": "1", "score": 0.99}, {"id": "0", "score": 0.25}, {"id": "2"}]}
    scripts["semantic-ranker-default@latest"] = [answer("200 OK", JSON, json.dumps(google).encode())]
    scripted = Scripted(scripts)
    upstreams = {
        "cohere": {"provider": "cohere", "base_url": providers.url, "credentials": {"api_key": {"value": "co-key"}}},
        "voyage": {"provider": "voyage", "base_url": f"http://127.0.0.1:{scripted.port}/v1", "credentials": "none"},
        "google": {
            "provider": "vertex_ranking",
            "base_url": f"http://127.0.0.1:{scripted.port}",
            "credentials": {"api_key": {"value": "ya29"}},
            "options": {"project": "my-project"},
        },
        "claude": {"provider": "anthropic", "base_url": providers.url, "credentials": {"api_key": {"env": "ANTHROPIC_API_KEY"}}},
    }
    models = [
        {"name": "ranker", "upstreams": ["cohere", "voyage"], "upstream_models": {"cohere": "rerank-v4.0-pro", "voyage": "rerank-2.5"}},
        {"name": "voyage", "upstreams": ["voyage"], "upstream_models": {"voyage": "rerank-2.5"}},
        {"name": "google", "upstreams": ["google"], "upstream_models": {"google": "semantic-ranker-default@latest"}},
        {"name": "chat-only", "upstreams": ["claude"], "upstream_models": {"claude": "claude-haiku-4-5"}},
    ]
    started = shared_gateway(render(request.param(upstreams, models)), env=KEYS)
    started.role = request.param
    started.scripted = scripted
    yield started
    scripted.stop()


def rank(envoy: Envoy, model: str, path: str = "/v1/rerank", **more) -> httpx.Response:
    body = {"model": model, "query": QUERY, "documents": DOCUMENTS, **more}
    return HTTP.post(envoy.url + path, json=body, headers={"authorization": f"Bearer {KEY}"})


def test_coheres_own_client(envoy: Envoy):
    client = cohere.ClientV2(api_key=KEY, base_url=envoy.url)
    before = envoy.samples("dragoman_")
    got = client.rerank(model="ranker", query=QUERY, documents=DOCUMENTS, top_n=2)
    assert [result.index for result in got.results] == [1, 0]
    assert got.results[0].relevance_score > got.results[1].relevance_score
    assert got.meta.billed_units.search_units == 1
    requests = counted(before, envoy.samples("dragoman_"), "dragoman_requests_total")
    assert requests == {("demo", "ranker", "rerank", "cohere", "200", "cohere"): 1}


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank", "/v2/rerank"])
@pytest.mark.parametrize("model", ["ranker", "voyage", "google"])
def test_documents_come_back_with_their_places(model: str, path: str, envoy: Envoy, providers: Providers):
    got = rank(envoy, model, path, top_n=2, return_documents=True)
    assert got.status_code == 200, got.text
    found = got.json()
    assert [result["document"]["text"] for result in found["results"]][:2] == [DOCUMENTS[1], DOCUMENTS[0]]
    assert found["model"] == model
    assert "document" not in rank(envoy, model, path).json()["results"][0]


def test_numbers_stay_as_they_are(envoy: Envoy):
    assert "7.3e-05" in rank(envoy, "voyage").text
    assert rank(envoy, "voyage").json()["usage"] == {"prompt_tokens": 66, "total_tokens": 66}


def test_searches_are_paid(envoy: Envoy):
    # 2.5 USD for a thousand of them; more than a hundred documents are another.
    assert rank(envoy, "ranker").headers["x-dragoman-cost-usd"] == "0.0025"
    assert rank(envoy, "ranker", documents=DOCUMENTS * 50).headers["x-dragoman-cost-usd"] == "0.005"


def test_google_gets_records(envoy: Envoy):
    got = rank(envoy, "google", top_n=3)
    # 1 USD for a thousand.
    assert (got.status_code, got.headers["x-dragoman-cost-usd"]) == (200, "0.001"), got.text
    assert [(result["index"], result["relevance_score"]) for result in got.json()["results"]] == [(1, 0.99), (0, 0.25), (2, 0)]
    records = [{"id": str(at), "content": text} for at, text in enumerate(DOCUMENTS)]
    assert envoy.scripted.bodies[-1] == {
        "model": "semantic-ranker-default@latest", "query": QUERY, "records": records, "topN": 3, "ignoreRecordDetailsInResponse": True,
    }  # fmt: skip
    got = rank(envoy, "google", documents=["a"] * 201)
    assert (got.status_code, got.json()["error"]["param"]) == (400, "documents"), got.text


def test_another_provider_stands_in(envoy: Envoy):
    got = rank(envoy, "ranker", query=f"{QUERY} [mock status=503 upstream=cohere]")
    if envoy.role is standalone:
        assert got.status_code == 503
    else:
        assert (got.status_code, got.headers["x-dragoman-upstream"]) == (200, "voyage"), got.text


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"query": None}, "query"),
        ({"documents": []}, "documents"),
        ({"documents": ["a", {"image": "b"}]}, "documents[1]"),
        ({"top_n": "2"}, "top_n"),
        ({"return_documents": 1}, "return_documents"),
    ],
)
def test_wrong_requests_are_told(change: dict, place: str, envoy: Envoy):
    got = rank(envoy, "ranker", **change)
    assert got.status_code == 400, got.text
    assert error(got, "chat")["param"] == place


def test_who_cannot_rank(envoy: Envoy):
    got = rank(envoy, "chat-only")
    assert got.status_code == 503 and "cannot do this" in error(got, "chat")["message"]
    assert rank(envoy, "nobody").status_code == 404
