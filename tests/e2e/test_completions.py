"""The old completions: OpenAI's own client, to models that have them and to models that chat."""

import openai
import pytest
from calls import KEY, counted
from conftest import Envoy, Starter
from documents import KEYS, MOCKS, gateway_role, render, standalone

INSTRUCT = "gpt-3.5-turbo-instruct"


@pytest.fixture(scope="module", params=[gateway_role, standalone])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter):
    models = [
        {"name": INSTRUCT, "upstreams": ["openai"]},
        {"name": "claude", "upstreams": ["claude"], "upstream_models": {"claude": "claude-haiku-4-5"}},
        {"name": "gpt", "upstreams": ["openai"], "upstream_models": {"openai": "gpt-4o"}},
    ]
    return shared_gateway(render(request.param(MOCKS, models)), env=KEYS)


@pytest.fixture
def client(envoy: Envoy) -> openai.OpenAI:
    return openai.OpenAI(api_key=KEY, base_url=f"{envoy.url}/v1", max_retries=0)


def test_where_there_are_any_they_are_passed_on(envoy: Envoy, client: openai.OpenAI):
    before = envoy.samples("dragoman_")
    got = client.completions.create(model=INSTRUCT, prompt=["Hello", "Bye"], echo=True, logprobs=1, n=2)
    assert [choice.text[:3] for choice in got.choices] == ["Hel", "Hel", "Bye", "Bye"]
    assert got.choices[0].logprobs.tokens and got.model == INSTRUCT
    after = envoy.samples("dragoman_")
    requests = counted(before, after, "dragoman_requests_total")
    assert requests == {("demo", INSTRUCT, "completions", "openai", "200", "openai"): 1}
    tokens = counted(before, after, "dragoman_tokens_total")
    assert sum(tokens.values()) == got.usage.total_tokens


@pytest.mark.parametrize("model", [INSTRUCT, "claude", "gpt"])
def test_whole_and_streamed_are_the_same(client: openai.OpenAI, model: str):
    whole = client.completions.create(model=model, prompt="Tell me of foxes", max_tokens=200)
    assert whole.object == "text_completion" and whole.choices[0].finish_reason == "stop"
    chunks = list(client.completions.create(model=model, prompt="Tell me of foxes", max_tokens=200, stream=True))
    assert all(chunk.choices and chunk.model == model for chunk in chunks)
    assert "".join(chunk.choices[0].text for chunk in chunks) == whole.choices[0].text != ""
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    options = {"include_usage": True}
    told = list(client.completions.create(model=model, prompt="Tell me of foxes", stream=True, stream_options=options))
    assert told[-1].usage.total_tokens > 0 and not told[-1].choices


def test_a_chat_has_probabilities_in_columns(client: openai.OpenAI):
    got = client.completions.create(model="gpt", prompt="Tell me of foxes", logprobs=2)
    columns = got.choices[0].logprobs
    assert "".join(columns.tokens) == got.choices[0].text
    assert [len(column) for column in columns.top_logprobs] == [2] * len(columns.tokens)
    starts = [sum(map(len, columns.tokens[:at])) for at in range(len(columns.tokens))]
    assert columns.text_offset == starts


def test_what_a_chat_cannot_do_is_told(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError, match="one prompt per call") as several:
        client.completions.create(model="claude", prompt=["a", "b"])
    assert several.value.param == "prompt"
    with pytest.raises(openai.BadRequestError, match="takes no tokens"):
        client.completions.create(model="claude", prompt=[1, 2])
    got = client.completions.with_raw_response.create(model="claude", prompt="Hi", echo=True, best_of=2, suffix="x")
    assert got.headers["x-dragoman-dropped-params"] == "best_of,echo,suffix"
    with pytest.raises(openai.RateLimitError):
        client.completions.create(model=INSTRUCT, prompt="Hi [mock status=429]")
