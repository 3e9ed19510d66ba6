"""Balances: with which of a model's upstreams calls start."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from calls import call
from conftest import HTTP, Envoy, Starter, wait_until
from documents import KEYS, MOCKS, gateway_role, render, standalone

NAMES = {"claude": "claude-haiku-4-5", "openai": "gpt-4.1"}
CALLS = 1000
# Of the same two accounts, one with three times the limit.
LIMITED = {
    "claude": MOCKS["claude"] | {"limits": {"rpm": 150}},
    "openai": MOCKS["openai"] | {"limits": {"rpm": 50}},
}


def model(name: str, upstreams: list, balance: str, **more) -> dict:
    return {"name": name, "upstreams": upstreams, "upstream_models": NAMES, "balance": balance} | more


WEIGHTS = [{"name": "openai", "weight": 3}, "claude"]
MODELS = [
    model("alike", ["openai", "claude"], "least_request"),
    model("heavy", WEIGHTS, "least_request"),
    model("soonest", ["openai", "claude"], "latency"),
    model("soonest-streamed", ["openai", "claude"], "latency"),
    model("soonest-up", ["openai", "claude"], "latency", retries=0),
    model("cheapest", ["openai", "claude"], "cost"),
    model("sticky", WEIGHTS, "sticky"),
]


@pytest.fixture(scope="module", params=[gateway_role, standalone])
def envoy(request, shared_gateway: Starter) -> Envoy:
    return shared_gateway(render(request.param(MOCKS, MODELS)), env=KEYS)


def start(envoy: Envoy, name: str, text: str = "Hi", **more) -> str:
    answer = call(envoy, "chat", name, text, **more)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-dragoman-upstream"]


def count(envoy: Envoy, name: str, text: str = "Hi", calls: int = CALLS, **more) -> Counter[str]:
    return Counter(start(envoy, name, text, **more) for _ in range(calls))


def about(found: int, share: float, calls: int = CALLS) -> bool:
    """Whether a count of calls is within four standard deviations of their share."""
    return abs(found - share * calls) < 4 * (calls * share * (1 - share)) ** 0.5


def together(calls: int, one: Callable[[], str]) -> Counter[str]:
    """Where calls go that are all under way at once."""
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(one())) for _ in range(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == calls
    return Counter(found)


def test_of_idle_upstreams_chance_chooses(envoy: Envoy):
    assert about(count(envoy, "alike")["claude"], 1 / 2)


@pytest.mark.parametrize(("name", "expected"), [("alike", 10), ("heavy", 15)])
def test_each_has_as_many_calls_under_way_as_its_weight_says(name: str, expected: int, envoy: Envoy):
    found = together(20, lambda: start(envoy, name, "[mock slow-start=1500]"))
    # Workers that decide in the same instant do not see each other.
    assert abs(found["openai"] - expected) <= 2, found


@pytest.mark.parametrize("stream", [False, True])
def test_the_fastest_is_found(stream: bool, envoy: Envoy):
    name = "soonest-streamed" if stream else "soonest"
    found = count(envoy, name, "[mock slow-start=25 upstream=openai]", stream=stream)
    # One call of sixteen goes anywhere, half of these to the slow one; the first few before anything was known.
    assert about(found["openai"], 1 / 32), found
    # It becomes the faster one.
    found = count(envoy, name, "[mock slow-start=60 upstream=anthropic]", calls=300, stream=stream)
    assert found["openai"] > found["claude"], found


def test_one_that_fails_is_slow(envoy: Envoy):
    statuses = Counter(
        call(envoy, "chat", "soonest-up", "[mock status=503 upstream=openai]").status_code for _ in range(200)
    )
    assert statuses[503] < 40, statuses


def test_the_cheapest_is_first(envoy: Envoy):
    # USD per million: claude-haiku-4-5 costs 1 and 5, gpt-4.1 2 and 8.
    assert count(envoy, "cheapest", calls=100) == {"claude": 100}


def test_the_next_cheapest_stands_in(shared_gateway: Starter):
    envoy = shared_gateway(render(gateway_role(MOCKS, MODELS)), env=KEYS)
    assert start(envoy, "cheapest", "[mock status=503 upstream=anthropic]") == "openai"


def test_users_stay_where_they_are(envoy: Envoy):
    where = {user: start(envoy, "sticky", user=f"user-{user}") for user in range(CALLS)}
    assert about(Counter(where.values())["openai"], 3 / 4)
    for user in range(50):
        assert start(envoy, "sticky", "something else", user=f"user-{user}") == where[user]


def test_conversations_stay_where_they_are(envoy: Envoy):
    first = [[{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"Hi {n}"}] for n in range(CALLS)]
    where = [start(envoy, "sticky", messages=messages) for messages in first]
    assert about(Counter(where)["openai"], 3 / 4)
    more = [{"role": "assistant", "content": "Hi"}, {"role": "user", "content": "And then?"}]
    for messages, upstream in list(zip(first, where))[:50]:
        assert start(envoy, "sticky", messages=messages + more) == upstream


@pytest.mark.parametrize("kind", [gateway_role, standalone])
def test_accounts_are_used_evenly(kind, gateway: Starter):
    envoy = gateway(render(kind(LIMITED, [model("m", ["openai", "claude"], "usage")])), env=KEYS)
    # Half of what both may do, before the minute ends.
    found = count(envoy, "m", calls=100)
    assert abs(found["claude"] - 75) <= 2, found
    found = Counter(call(envoy, "chat", "m").status_code for _ in range(110))
    assert found == {200: 100, 429: 10}
