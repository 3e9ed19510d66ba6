"""Limits and budgets: held by all workers to the call, told to clients, given back, and kept through what goes wrong."""

import asyncio
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from calls import PATHS, body, error
from conftest import HTTP, Envoy, Starter, wait_until
from documents import KEYS, OPENAI, gateway_role, render, standalone
from hostile import hashed
from http2 import Message
from http2 import call as call_http2
from scripted import Scripted, answer, head
from trap import trapped

ROLES = {"gateway": gateway_role, "standalone": standalone}
WORKERS = [2, 4]
# The server closes each connection: nobody may send another request over it.
JSON = {"content-type": "application/json", "connection": "close"}
STREAM = {"content-type": "text/event-stream", "connection": "close"}
# USD per million tokens.
PRICE = {"input": 1, "output": 10}


class Gauge:
    """A script that knows how many calls are at it."""

    def __init__(self, before: Iterable, after: Iterable):
        self.before, self.after = before, after
        self.lock = threading.Lock()
        self.now = self.most = self.calls = 0

    def __iter__(self) -> Iterator:
        with self.lock:
            self.now, self.calls = self.now + 1, self.calls + 1
            self.most = max(self.most, self.now)
        try:
            yield from self.before
        finally:
            # Before the client can know of the end.
            with self.lock:
                self.now -= 1
        yield from self.after


def completion(prompt: int = 6, output: int = 50) -> bytes:
    usage = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return answer("200 OK", JSON, json.dumps(whole).encode())


def chunk(**more) -> bytes:
    whole = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], **more}
    data = f"data: {json.dumps(whole)}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


def delta(text: str) -> bytes:
    return chunk(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": None}])


@pytest.fixture(scope="module")
def upstream() -> Iterator[Scripted]:
    streamed = [head("200 OK", STREAM | {"transfer-encoding": "chunked"}), delta("x" * 400)]
    server = Scripted(
        {
            "quick": [completion()],
            "exact": [completion()],
            "long": [completion(6, 250)],
            "slow": Gauge([0.05], [completion()]),
            "forever": [600.0],
            "stream": [*streamed, 600.0],
            "silent": [streamed[0], 600.0],
            "dead": [],
            "limited": [answer("429 Too Many Requests", JSON | {"retry-after": "7"}, b'{"error":{"message":"Slow"}}')],
        }
    )
    server.request_queue_size = 512
    server.socket.listen(512)
    yield server
    server.stop()


def key(name: str, **more) -> dict:
    """A key whose secret is its id behind `sk-`."""
    return {"id": name, "hash": hashed(f"sk-{name}"), **more}


def document(role: str, upstream: Scripted, keys: list[dict], **more) -> dict:
    at = OPENAI | {"base_url": f"http://127.0.0.1:{upstream.port}/v1"}
    models = [{"name": name, "upstreams": ["openai"], "retries": 0, "price": PRICE} for name in upstream.scripts]
    return ROLES[role]({"openai": at}, models + more.pop("models", []), keys=keys, **more)


def start(gateway: Starter, document: dict, workers: int = 1) -> Envoy:
    return gateway(render(document), env=KEYS, workers=workers)


def headers(name: str, client: str = "chat") -> dict[str, str]:
    return {"authorization": f"Bearer sk-{name}"} if client == "chat" else {"x-api-key": f"sk-{name}", "anthropic-version": "2023-06-01"}


def ask(envoy: Envoy, name: str, model: str = "quick", client: str = "chat", **more) -> httpx.Response:
    request = body(client, model, **({"max_tokens": 50} | more))
    return HTTP.post(envoy.url + PATHS[client], json=request, headers=headers(name, client))


def own(envoy: Envoy, name: str) -> dict:
    """What `/v1/key` tells."""
    told = HTTP.get(f"{envoy.url}/v1/key", headers=headers(name))
    assert told.status_code == 200, told.text
    return told.json()


def at_once(envoy: Envoy, name: str, count: int, model: str = "quick", **more) -> list[httpx.Response]:
    """So many calls, each over a connection of its own."""

    async def run() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=count, max_keepalive_connections=0)
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:
            request = body("chat", model, **({"max_tokens": 50} | more))
            url = envoy.url + PATHS["chat"]
            return await asyncio.gather(*(client.post(url, json=request, headers=headers(name)) for _ in range(count)))

    return asyncio.run(run())


def statuses(answers: list[httpx.Response]) -> Counter:
    return Counter(answer.status_code for answer in answers)


def need(envoy: Envoy) -> int:
    """What a call with 50 tokens of output reserves: the key `none` is told."""
    refused = ask(envoy, "none")
    assert refused.status_code == 429, refused.text
    assert refused.headers["x-should-retry"] == "false"
    return int(re.search(r"the call needs (\d+) tokens", refused.text)[1])


NONE = key("none", limits={"tpm": 1})


# Exactness


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("role", ROLES)
def test_exactly_as_many_requests_pass_as_may(gateway: Starter, upstream: Scripted, role: str, workers: int):
    runs = [key(f"run{run}", limits={"rpm": 50}) for run in range(5)]
    envoy = start(gateway, document(role, upstream, runs), workers)
    for run in range(5):
        answers = at_once(envoy, f"run{run}", 200)
        assert statuses(answers) == {200: 50, 429: 150}
        # Each that passes has another place in the row.
        passed = [int(a.headers["x-ratelimit-remaining-requests"]) for a in answers if a.status_code == 200]
        assert sorted(passed) == list(range(50))
        assert envoy.stat("dragoman_rejected_total", reason="rpm", key=f"run{run}") == 150
    assert envoy.stat("dragoman_inflight") == 0


@pytest.mark.parametrize("workers", WORKERS)
def test_exactly_as_many_tokens_pass_as_may(gateway: Starter, upstream: Scripted, workers: int):
    probe = start(gateway, document("gateway", upstream, [NONE]))
    each = need(probe)
    upstream.scripts["exact"] = [completion(each - 50, 50)]
    keys = [key("tokens", limits={"tpm": 10 * each + each - 1}), key("input", limits={"input_tpm": 10 * (each - 50)})]
    envoy = start(gateway, document("gateway", upstream, keys), workers)
    for name in ["tokens", "input"]:
        answers = at_once(envoy, name, 60, "exact")
        assert statuses(answers) == {200: 10, 429: 50}
    told = own(envoy, "tokens")
    assert told["limits"]["tpm"]["remaining"] == each - 1
    assert envoy.stat("dragoman_rejected_total", reason="tpm") == 100


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("role", ROLES)
def test_exactly_as_much_is_spent_as_may_be(gateway: Starter, upstream: Scripted, role: str, workers: int):
    probe = start(gateway, document(role, upstream, [NONE]))
    prompt = need(probe) - 50
    upstream.scripts["exact"] = [completion(prompt, 50)]
    cost = (prompt * 1 + 50 * 10) / 1e6
    usd = round(12 * cost + cost / 2, 9)
    keys = [key("rich", team="poor"), key("spender", budget={"usd": usd, "per": "day"})]
    teams = [{"id": "poor", "budget": {"usd": usd, "per": "total"}}]
    envoy = start(gateway, document(role, upstream, keys, teams=teams), workers)
    for name in ["rich", "spender"]:
        answers = at_once(envoy, name, 60, "exact")
        assert statuses(answers) == {200: 12, 429: 48}
    told = own(envoy, "spender")["budget"]
    assert told["spent_usd"] == pytest.approx(12 * cost) and told["remaining_usd"] == pytest.approx(cost / 2)
    assert own(envoy, "rich")["team_budget"]["spent_usd"] == pytest.approx(12 * cost)
    assert envoy.stat("dragoman_rejected_total", reason="budget") == 96
    assert envoy.stat("dragoman_cost_nanousd_total") == pytest.approx(24 * cost * 1e9)


def test_all_that_limits_a_call_is_taken_or_nothing(gateway: Starter, upstream: Scripted):
    limits = {"rpm": 100, "models": {"quick": {"rpm": 40}}}
    keys = [key("one", team="both", limits=limits), key("two", team="both", limits=limits)]
    envoy = start(gateway, document("gateway", upstream, keys, teams=[{"id": "both", "limits": {"rpm": 60, "models": {"long": {"rpm": 0}}}}]), 2)
    assert statuses(at_once(envoy, "one", 80)) == {200: 40, 429: 40}
    assert statuses(at_once(envoy, "two", 80)) == {200: 20, 429: 60}
    # What the team refused has taken nothing from the key, and what the key refused nothing from the team.
    told = own(envoy, "two")
    assert told["limits"]["rpm"]["remaining"] == 80
    assert told["limits"]["models"]["quick"]["rpm"]["remaining"] == 20
    assert told["team_limits"]["rpm"]["remaining"] == 0
    assert own(envoy, "one")["limits"]["rpm"]["remaining"] == 60
    # Another model of the key has no limit of its own, but the team has.
    assert "the team `both` at the model `long`" in error(ask(envoy, "one", "long"), "chat")["message"]


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("role", ROLES)
def test_never_more_at_once_than_may(gateway: Starter, upstream: Scripted, role: str, workers: int):
    envoy = start(gateway, document(role, upstream, [key("k", limits={"parallel": 4})]), workers)
    gauge = upstream.scripts["slow"] = Gauge([0.02], [completion()])

    def client(_: int) -> Counter:
        with httpx.Client(timeout=30) as http:
            url, request = envoy.url + PATHS["chat"], body("chat", "slow")
            return Counter(http.post(url, json=request, headers=headers("k")).status_code for _ in range(8))

    with ThreadPoolExecutor(64) as clients:
        counts = sum(clients.map(client, range(64)), Counter())
    assert counts.keys() == {200, 429} and counts[200] == gauge.calls
    assert gauge.most == 4
    wait_until(lambda: own(envoy, "k")["limits"]["parallel"]["remaining"] == 4, envoy.process)


# What is not used is given back, what is used beyond is owed


@pytest.mark.parametrize("role", ROLES)
def test_places_come_back_when_either_end_goes(gateway: Starter, upstream: Scripted, role: str):
    envoy = start(gateway, document(role, upstream, [key("k", limits={"parallel": 4, "tpm": 20_000})]), 2)

    def free() -> int:
        return own(envoy, "k")["limits"]["parallel"]["remaining"]

    for model, stream in [("forever", False), ("stream", True), ("forever", True)]:
        url, request = envoy.url + PATHS["chat"], body("chat", model, stream=stream)
        with ThreadPoolExecutor(4) as clients:

            def leave(_: int) -> None:
                try:
                    with httpx.Client(timeout=1).stream("POST", url, json=request, headers=headers("k")) as answer:  # noqa: B023
                        answer.read()
                except httpx.TimeoutException:
                    pass

            waiting = [clients.submit(leave, n) for n in range(4)]
            wait_until(lambda: free() == 0, envoy.process)
            assert ask(envoy, "k").status_code == 429
            for one in waiting:
                one.result()
        wait_until(lambda: free() == 4, envoy.process)
    for _ in range(6):
        assert ask(envoy, "k", "dead").status_code == 503
    assert free() == 4


def test_failures_cost_requests_and_no_tokens(gateway: Starter, upstream: Scripted):
    keys = [key("k", limits={"rpm": 100, "tpm": 20_000}, budget={"usd": 1, "per": "day"})]
    envoy = start(gateway, document("gateway", upstream, keys))
    for model, status in [("dead", 503), ("limited", 429)]:
        failed = ask(envoy, "k", model)
        assert failed.status_code == status
    assert failed.headers["retry-after"] == "7"
    told = own(envoy, "k")
    assert told["limits"]["rpm"]["remaining"] == 98
    assert told["limits"]["tpm"]["remaining"] == 20_000
    assert told["budget"]["spent_usd"] == 0


def test_who_hangs_up_pays_for_what_came(gateway: Starter, upstream: Scripted):
    keys = [key("k", limits={"tpm": 20_000}, budget={"usd": 1, "per": "day"}), NONE]
    envoy = start(gateway, document("gateway", upstream, keys))
    prompt = need(envoy) - 50
    request = body("chat", "stream", stream=True, max_tokens=1000)
    with HTTP.stream("POST", envoy.url + PATHS["chat"], json=request, headers=headers("k")) as answer:
        # The stream lives as long as who reads it.
        parts = answer.iter_bytes()
        next(parts)
        held = own(envoy, "k")
    assert held["limits"]["tpm"]["remaining"] == 20_000 - prompt - 1000
    # 400 characters are some 100 tokens.
    wait_until(lambda: own(envoy, "k")["limits"]["tpm"]["remaining"] == 20_000 - prompt - 100, envoy.process)
    assert own(envoy, "k")["budget"]["spent_usd"] == pytest.approx((prompt + 100 * 10) / 1e6, abs=5e-6)


def test_who_hangs_up_before_the_first_word_pays_the_question(gateway: Starter, upstream: Scripted):
    envoy = start(gateway, document("gateway", upstream, [key("k", limits={"tpm": 20_000}), NONE]))
    prompt = need(envoy) - 50
    request = body("chat", "silent", stream=True, max_tokens=1000)
    # The answer's headers wait for the first word.
    with pytest.raises(httpx.ReadTimeout):
        HTTP.post(envoy.url + PATHS["chat"], json=request, headers=headers("k"), timeout=1)
    wait_until(lambda: own(envoy, "k")["limits"]["tpm"]["remaining"] == 20_000 - prompt, envoy.process)


def test_overuse_is_owed(gateway: Starter, upstream: Scripted):
    envoy = start(gateway, document("gateway", upstream, [key("k", limits={"tpm": 100})]))
    assert ask(envoy, "k", "long").status_code == 200
    refused = ask(envoy, "k", "long")
    assert refused.status_code == 429
    # 256 of 100: the third window begins with a debt of 56, so that the fourth is the first with room for the call's 56.
    assert 170 <= int(refused.headers["retry-after"]) <= 180
    assert refused.headers["x-ratelimit-remaining-tokens"] == "0"


def test_what_answers_are_like_is_what_is_reserved(gateway: Starter, upstream: Scripted):
    keys = [key("k", limits={"tpm": 100_000, "parallel": 9}), key("max", limits={"tpm": 100_000})]
    reserved = {}
    for reserve in ["typical", "max"]:
        envoy = start(gateway, document("gateway", upstream, keys, reserve=reserve))

        def held(envoy: Envoy = envoy) -> int:
            before = own(envoy, "k")["limits"]["tpm"]["remaining"]
            request = body("chat", "quick", max_tokens=5000)
            after = int(HTTP.post(envoy.url + PATHS["chat"], json=request, headers=headers("k")).headers["x-ratelimit-remaining-tokens"])
            return before - after

        first = held()
        for _ in range(20):
            ask(envoy, "k")
        reserved[reserve] = (first, held())
    assert reserved["max"][0] == reserved["max"][1] == reserved["typical"][0] > 5000
    # The answers have 50 tokens; what is known of them is up to a quarter too much.
    assert 50 <= reserved["typical"][1] < 80


# What clients are told


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("role", ROLES)
def test_answers_tell_what_is_left(gateway: Starter, upstream: Scripted, role: str, stream: bool, client: str):
    keys = [key("k", team="t", limits={"rpm": 2, "tpm": 500_000})]
    envoy = start(gateway, document(role, upstream, keys, teams=[{"id": "t", "limits": {"rpm": 9, "tpm": 9000}}]))
    good = ask(envoy, "k", client=client, stream=stream)
    assert good.status_code == 200, good.text
    told = {name.removeprefix("x-ratelimit-"): value for name, value in good.headers.items() if "ratelimit" in name}
    # The tightest: the key's of requests, the team's of tokens.
    assert (told["limit-requests"], told["remaining-requests"]) == ("2", "1")
    assert told["limit-tokens"] == "9000" and 8900 < int(told["remaining-tokens"]) < 8950
    for name in ["reset-requests", "reset-tokens"]:
        assert re.fullmatch(r"1m0s|5\d(\.\d{1,3})?s", told[name]), told
    assert "retry-after" not in good.headers
    ask(envoy, "k", client=client)
    refused = ask(envoy, "k", client=client, stream=stream)
    assert refused.status_code == 429
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert 50 <= int(refused.headers["retry-after"]) <= 60
    assert "x-should-retry" not in refused.headers
    told = error(refused, client)
    assert told["type"] == "rate_limit_error"
    assert re.fullmatch(r"the limit of this key is 2 requests per minute; try again in \d+ s", told["message"])
    if client == "chat":
        assert (told["code"], told["param"]) == ("rate_limit_exceeded", None)


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_spent_budget_says_when_it_resets(gateway: Starter, upstream: Scripted, stream: bool, client: str):
    keys = [
        key("spent", budget={"usd": 25, "per": "month", "spent": 25}),
        key("total", budget={"usd": 0.0001, "per": "total"}),
    ]
    envoy = start(gateway, document("gateway", upstream, keys))
    refused = ask(envoy, "spent", client=client, stream=stream)
    assert (refused.status_code, refused.headers["x-should-retry"]) == (429, "false")
    assert int(refused.headers["retry-after"]) > 0
    told = error(refused, client)
    assert told["type"] == "rate_limit_error"
    expected = r"the budget of this key \(25 USD per month\) is spent; it resets at (\d{4}-\d\d-01T00:00:00Z)"
    reset = re.fullmatch(expected, told["message"])
    assert reset, told
    if client == "chat":
        assert told["code"] == "budget_exceeded"
    about = own(envoy, "spent")["budget"]
    assert about == {"usd": 25, "per": "month", "spent_usd": 25, "remaining_usd": 0, "resets_at": reset[1]}
    told = error(ask(envoy, "total", client=client), client)
    assert "has 0.0001 USD left, and the call may cost 0.00050" in told["message"]
    assert told["message"].endswith("it does not reset")
    assert own(envoy, "total")["budget"]["resets_at"] is None
    assert envoy.stat("dragoman_rejected_total", reason="budget", key="spent") == 1


def test_a_budget_pays_for_no_unknown_price(gateway: Starter, upstream: Scripted):
    models = [{"name": "unpriced", "upstreams": ["openai"]}]
    keys = [key("k", budget={"usd": 25, "per": "day"}), key("free")]
    envoy = start(gateway, document("gateway", upstream, keys, models=models))
    upstream.scripts["unpriced"] = [completion()]
    refused = ask(envoy, "k", "unpriced")
    assert (refused.status_code, error(refused, "chat")["code"]) == (403, "price_unknown")
    assert ask(envoy, "free", "unpriced").status_code == 200


def test_a_key_is_told_about_itself(gateway: Starter, upstream: Scripted):
    limits = {"rpm": 9, "tpm": 900, "input_tpm": 800, "parallel": 3, "models": {"quick": {"rpm": 5}}}
    keys = [
        key("k", team="t", models=["quick"], limits=limits, tags=["a"], expires="2099-01-01T00:00:00Z"),
        key("plain"),
    ]
    envoy = start(gateway, document("standalone", upstream, keys, teams=[{"id": "t", "budget": {"usd": 1, "per": "week"}}]))
    ask(envoy, "k")
    told = own(envoy, "k")
    assert {name: told[name] for name in ["object", "id", "team", "models", "tags", "expires", "budget"]} == {
        "object": "key", "id": "k", "team": "t", "models": ["quick"], "tags": ["a"], "expires": "2099-01-01T00:00:00Z",
        "budget": None,
    }  # fmt: skip
    assert {name: (window["limit"], window["remaining"]) for name, window in told["limits"].items() if name != "models"} == {
        "rpm": (9, 8), "tpm": (900, 844), "input_tpm": (800, 794), "parallel": (3, 3),
    }  # fmt: skip
    assert 50 <= told["limits"]["rpm"]["reset_seconds"] <= 60
    assert told["limits"]["models"]["quick"]["rpm"]["remaining"] == 4
    assert told["team_budget"]["spent_usd"] == pytest.approx(506e-6)
    plain = own(envoy, "plain")
    assert (plain["models"], plain["limits"], plain["team"], plain["budget"]) == (["*"], {}, None, None)
    for path, status in [("/key", 200), ("/v1/key/", 200), ("/v1/key/k", 404)]:
        assert HTTP.get(envoy.url + path, headers=headers("k")).status_code == status
    assert HTTP.post(f"{envoy.url}/v1/key", headers=headers("k")).status_code == 405
    assert HTTP.get(f"{envoy.url}/v1/key").status_code == 401
    # Telling is no call.
    assert own(envoy, "k")["limits"]["rpm"]["remaining"] == 8


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("role", ROLES)
def test_who_is_not_let_in(gateway: Starter, upstream: Scripted, role: str, client: str):
    keys = [
        key("good"),
        key("disabled", disabled=True),
        key("expired", expires="2020-01-01T00:00:00Z"),
        key("other", team="other", models=["long"]),
    ]
    envoy = start(gateway, document(role, upstream, keys))
    for name, status, kind, code, message in [
        ("wrong", 401, "authentication_error", "invalid_api_key", "unknown key"),
        ("good\u00e9".encode("latin-1").decode("latin-1"), 401, "authentication_error", "invalid_api_key", "unknown key"),
        ("disabled", 401, "authentication_error", "invalid_api_key", "this key is disabled"),
        ("expired", 401, "authentication_error", "invalid_api_key", "this key has expired"),
        ("other", 403, "permission_error", "model_not_allowed", "this key may not use the model `quick`"),
    ]:
        sent = {name: value.encode("latin-1") for name, value in headers(name, client).items()}
        refused = HTTP.post(envoy.url + PATHS[client], json=body(client, "quick"), headers=sent)
        assert refused.status_code == status
        told = error(refused, client)
        assert told["type"] == kind and message in told["message"]
        if client == "chat":
            assert told["code"] == code
        assert f"sk-{name}" not in refused.text
    log = envoy.output() + HTTP.get(f"{envoy.admin}/stats").text + HTTP.get(f"{envoy.admin}/config_dump").text
    for name in ["good", "wrong", "disabled", "expired", "other"]:
        assert f"sk-{name}" not in log
    assert ask(envoy, "good", client=client).status_code == 200


# Accounts at providers


@pytest.mark.parametrize("role", ROLES)
def test_an_account_without_room_is_passed_over(gateway: Starter, upstream: Scripted, role: str):
    upstream.scripts["other"] = [completion()]
    first = OPENAI | {"base_url": f"http://127.0.0.1:{upstream.port}/v1", "limits": {"rpm": 3}}
    models = [{"name": "both", "upstreams": ["first", "second"], "upstream_models": {"first": "quick", "second": "other"}}]
    upstreams = {"first": first, "second": first | {"limits": {"rpm": 2}}}
    envoy = start(gateway, ROLES[role](upstreams, models, keys=[key("k")]))
    answers = [ask(envoy, "k", "both") for _ in range(7)]
    assert [answer.headers.get("x-dragoman-upstream") for answer in answers] == ["first"] * 3 + ["second"] * 2 + [None] * 2
    refused = answers[-1]
    assert refused.status_code == 429 and 50 <= int(refused.headers["retry-after"]) <= 60
    assert "x-ratelimit-limit-requests" not in answers[0].headers
    assert envoy.stat("dragoman_rejected_total", reason="rpm") == 2


def test_attempts_at_other_accounts_are_counted_there(gateway: Starter, upstream: Scripted):
    at = OPENAI | {"base_url": f"http://127.0.0.1:{upstream.port}/v1"}
    names = {"first": "dead", "second": "quick"}
    models = [
        {"name": "both", "upstreams": ["first", "second"], "upstream_models": names, "retries": 2},
        {"name": "second", "upstreams": ["second"], "upstream_models": {"second": "quick"}},
    ]
    upstreams = {"first": at, "second": at | {"limits": {"rpm": 2}}}
    envoy = start(gateway, gateway_role(upstreams, models, keys=[key("k")]))
    for _ in range(2):
        assert ask(envoy, "k", "both").headers["x-dragoman-upstream"] == "second"
    assert ask(envoy, "k", "second").status_code == 429


# What goes wrong


@pytest.mark.parametrize("role", ROLES)
def test_what_a_vm_that_traps_has_reserved_comes_back(gateway: Starter, upstream: Scripted, role: str):
    keys = [key("k", limits={"parallel": 4, "tpm": 100_000, "rpm": 100}, budget={"usd": 5, "per": "day"}), NONE]
    config = render(document(role, upstream, keys))
    config = re.sub(r"target/dragoman\.wasm", str(trapped("proxy_on_request_trailers")), config)
    envoy = gateway(config, env=KEYS)
    prompt = need(envoy) - 50
    assert ask(envoy, "k").status_code == 200
    before = own(envoy, "k")

    def wait(_: int) -> int | str:
        try:
            request = body("chat", "forever", max_tokens=7000)
            return httpx.post(envoy.url + PATHS["chat"], json=request, headers=headers("k"), timeout=4).status_code
        except httpx.TransportError as broken:
            return str(broken)

    with ThreadPoolExecutor(3) as clients:
        waiting = [clients.submit(wait, n) for n in range(3)]
        wait_until(lambda: own(envoy, "k")["limits"]["parallel"]["remaining"] == 1, envoy.process)
        request = Message({":path": PATHS["chat"]} | headers("none"), json.dumps(body("chat", "quick")).encode(), {"x": "y"})
        try:
            call_http2(envoy, request)
        except (httpx.TransportError, ConnectionError, StopIteration):
            pass
        trapped_at = time.monotonic()
        # Nobody answers them any more.
        assert all(one.result() != 200 for one in waiting)
    assert "Function: " in envoy.output() or "unreachable" in envoy.output()

    def told() -> dict:
        answer = HTTP.get(f"{envoy.url}/v1/key", headers=headers("k"))
        return answer.json() if answer.status_code == 200 else {}

    wait_until(lambda: told() != {}, envoy.process)
    wait_until(lambda: told()["limits"]["parallel"]["remaining"] == 4, envoy.process)
    assert time.monotonic() - trapped_at < 8
    after = told()
    # Their input is charged, their output is not.
    assert before["limits"]["tpm"]["remaining"] - after["limits"]["tpm"]["remaining"] == 3 * prompt
    assert after["budget"]["spent_usd"] - before["budget"]["spent_usd"] == pytest.approx(3 * prompt / 1e6)
    assert after["limits"]["rpm"]["remaining"] == before["limits"]["rpm"]["remaining"] - 3
    assert ask(envoy, "k").status_code == 200


def by_discovery(config: str, place: Callable[[str], str]) -> tuple[dict, Callable[[dict], None]]:
    """Has the filter in the listener come by ECDS from a file, which is written anew by what is given back."""
    import yaml

    rendered = yaml.safe_load(config) | {"node": {"id": "dragoman", "cluster": "dragoman"}}
    manager = rendered["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    filters = manager["http_filters"]
    at = next(at for at, one in enumerate(filters) if one["name"] == "dragoman")
    path = place("")

    def write(typed: dict) -> None:
        resource = {
            "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
            "name": "dragoman",
            "typed_config": typed,
        }
        text = json.dumps({"version_info": str(time.time()), "resources": [resource]})
        place(text)

    write(filters[at]["typed_config"])
    filters[at] = {
        "name": "dragoman",
        "config_discovery": {
            "config_source": {"path_config_source": {"path": path}},
            "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
        },
    }
    return rendered, write


def filter_of(config: str) -> dict:
    import yaml

    rendered = yaml.safe_load(config)
    manager = rendered["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return next(one for one in manager["http_filters"] if one["name"] == "dragoman")["typed_config"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_new_configuration_loses_no_call_and_no_count(
    gateway: Starter, upstream: Scripted, tmp_path, workers: int
):
    from conftest import WASM

    path, next_path = tmp_path / "filter.json", tmp_path / "next.json"

    def place(text: str) -> str:
        if text:
            # Envoy looks for files that are moved into place.
            next_path.write_text(re.sub(r"target/dragoman\.wasm", str(WASM), text))
            next_path.rename(path)
        return str(path)

    def written(version: int) -> dict:
        budget = {"usd": 100, "per": "day", "spent": 3}
        keys = [key("k", limits={"rpm": 100_000, "parallel": 50}, budget=budget, tags=[f"v{version}"])]
        return document("gateway", upstream, keys)

    config, write = by_discovery(render(written(0)), place)
    envoy = gateway(config, env=KEYS, workers=workers)
    stop, counts = threading.Event(), Counter()
    lock = threading.Lock()

    def client(_: int) -> None:
        with httpx.Client(timeout=30) as http:
            while not stop.is_set():
                status = http.post(envoy.url + PATHS["chat"], json=body("chat", "exact"), headers=headers("k")).status_code
                with lock:
                    counts[status] += 1

    upstream.scripts["exact"] = [completion(10, 90)]
    with ThreadPoolExecutor(8) as clients:
        running = [clients.submit(client, n) for n in range(8)]
        for version in range(1, 6):
            time.sleep(0.4)
            write(filter_of(render(written(version))))
            wait_until(lambda: own(envoy, "k")["tags"] == [f"v{version}"], envoy.process)  # noqa: B023
        stop.set()
        for one in running:
            one.result()
    assert counts.keys() == {200}
    told = own(envoy, "k")
    assert told["limits"]["rpm"]["remaining"] == 100_000 - counts[200]
    assert told["limits"]["parallel"]["remaining"] == 50
    assert told["budget"]["spent_usd"] == pytest.approx(3 + counts[200] * (10 + 900) / 1e6)
