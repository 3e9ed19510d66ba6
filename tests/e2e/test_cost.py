"""What calls cost: the header, the metric, filter state in the access log and the report agree with cases computed by hand.

Prices per token, in nanodollars: `gpt-4o` 2500 in, 1250 from the cache, 10000 out; `claude-haiku-4-5` 1000 in, 100 from
the cache, 1250 written to it, 2000 for an hour, 5000 out; `mine` 37.5 in, 150 out.
"""

import json
import subprocess
from collections.abc import Iterator

import httpx
import pytest
from calls import HEADERS, call, counted, identified, logged
from conftest import COMMAND, Envoy, Starter
from documents import KEYS, gateway_role, render, standalone, with_logs
from scripted import Scripted, answer, chunked

JSON = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream"}

CHAT_USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 600},
    "completion_tokens_details": {"reasoning_tokens": 30},
}
# 400 * 2500 + 600 * 1250 + 50 * 10000
CHAT_COST = 2_250_000

MESSAGES_USAGE = {
    "input_tokens": 100,
    "cache_read_input_tokens": 600,
    "cache_creation_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 50,
    "service_tier": "standard",
}
# 100 * 1000 + 600 * 100 + 200 * 1250 + 100 * 2000 + 50 * 5000
MESSAGES_COST = 860_000


def completion(usage: dict) -> bytes:
    message = {"role": "assistant", "content": "Good morning."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return answer("200 OK", JSON, json.dumps(whole).encode())


def message(usage: dict) -> bytes:
    content = [{"type": "text", "text": "Good morning."}]
    whole = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": content, "usage": usage}
    return answer("200 OK", JSON, json.dumps(whole | {"stop_reason": "end_turn", "stop_sequence": None}).encode())


def chunk(delta: dict | None, finish: str | None = None, **more) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    data = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}
    return f"data: {json.dumps(data)}\n\n".encode()


def event(kind: str, **data) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


CHAT_STREAM = [chunk({"role": "assistant", "content": "Good"}), chunk({}, "stop"), chunk(None, usage=CHAT_USAGE), b"data: [DONE]\n\n"]
STARTED = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None}
MESSAGES_STREAM = [
    event("message_start", message=STARTED | {"usage": MESSAGES_USAGE | {"output_tokens": 1}}),
    event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Good morning to all of you out there"}),
    event("content_block_stop", index=0),
    event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 50}),
    event("message_stop"),
]
# Until the client goes.
FOREVER = 600.0

SCRIPTS = {
    "gpt-4o": [completion(CHAT_USAGE)],
    "claude-haiku-4-5": [message(MESSAGES_USAGE)],
    "mine": [completion({"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4})],
    "nobody-knows": [completion(CHAT_USAGE)],
    "gpt-4o-2031-01-01": chunked("200 OK", STREAM, *CHAT_STREAM),
    "claude-haiku-4-5-20310101": chunked("200 OK", STREAM, *MESSAGES_STREAM),
    "claude-haiku-4-5-20310303": [*chunked("200 OK", STREAM, *MESSAGES_STREAM[:3])[:-1], FOREVER],
    "claude-haiku-4-5-20310404": [answer("529 Overloaded", JSON, b'{"type":"error","error":{"type":"overloaded_error","message":"no"}}')],
}  # fmt: skip


def model(name: str, upstreams: dict[str, str], **more) -> dict:
    return {"name": name, "upstreams": list(upstreams), "upstream_models": upstreams} | more


@pytest.fixture(scope="module", params=["gateway", "standalone"])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter) -> Iterator[Envoy]:
    upstream = Scripted(SCRIPTS)
    at = f"http://127.0.0.1:{upstream.port}"
    upstreams = {
        "openai": {"provider": "openai", "base_url": f"{at}/v1", "credentials": "none"},
        "claude": {"provider": "anthropic", "base_url": at, "credentials": "none"},
    }
    models = [
        model("chat", {"openai": "gpt-4o"}),
        model("messages", {"claude": "claude-haiku-4-5"}),
        model("mine", {"openai": "mine"}),
        model("unknown", {"openai": "nobody-knows"}),
        model("priced", {"openai": "nobody-knows"}, price={"input": 1, "output": 2, "cache_read": 0.5}),
        model("chat-stream", {"openai": "gpt-4o-2031-01-01"}),
        model("messages-stream", {"claude": "claude-haiku-4-5-20310101"}),
        model("endless", {"claude": "claude-haiku-4-5-20310303"}),
        model("refused-first", {"claude": "claude-haiku-4-5-20310404", "openai": "gpt-4o"}),
        {"name": "any/*", "upstreams": ["openai"]},
    ]
    document = {"gateway": gateway_role, "standalone": standalone}[request.param](upstreams, models)
    document["prices"] = {"mine": {"input": 0.0375, "output": 0.15}}
    started = shared_gateway(with_logs(render(document), attempts=False), env=KEYS)
    started.role = request.param
    yield started
    upstream.stop()


def check(envoy: Envoy, before: dict, headers: dict, metric: dict[tuple[str, str, str], int], total: int | None) -> dict:
    """Checks metric (by model, provider and upstream) and log; gives the log's line."""
    line = logged(envoy, headers)[0]
    found = counted(before, envoy.samples("dragoman_"), "dragoman_cost_nanousd_total")
    assert found == {("demo", *labels): cost for labels, cost in metric.items()}
    assert line["cost_nanousd"] == (None if total is None else str(total))
    assert json.loads(line["usage"])["cost_nanousd"] == total
    return line


# Model: its provider, its label, what it costs and what the header says.
WHOLE = {
    "chat": ("openai", "chat", CHAT_COST, "0.00225"),
    "messages": ("anthropic", "messages", MESSAGES_COST, "0.00086"),
    # 3 * 37.5 + 150 = 262.5
    "mine": ("openai", "mine", 263, "0.000000263"),
    # 400 * 1000 + 600 * 500 + 50 * 2000
    "priced": ("openai", "priced", 800_000, "0.0008"),
    "any/gpt-4o": ("openai", "gpt-4o", CHAT_COST, "0.00225"),
    "unknown": ("openai", "unknown", None, None),
}


@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer(name: str, client: str, envoy: Envoy):
    provider, label, cost, said = WHOLE[name]
    before, headers = envoy.samples("dragoman_"), identified(client)
    got = call(envoy, client, name, headers=headers)
    assert got.status_code == 200, got.text
    assert got.headers.get("x-dragoman-cost-usd") == said
    upstream = "claude" if provider == "anthropic" else provider
    check(envoy, before, headers, {(label, provider, upstream): cost} if cost else {}, cost)


@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize("name, upstream, cost", [("chat-stream", "openai", CHAT_COST), ("messages-stream", "claude", MESSAGES_COST)])
def test_a_stream(name: str, upstream: str, cost: int, client: str, envoy: Envoy):
    before, headers = envoy.samples("dragoman_"), identified(client)
    got = call(envoy, client, name, headers=headers, stream=True)
    assert got.status_code == 200, got.text
    assert "x-dragoman-cost-usd" not in got.headers
    provider = "anthropic" if upstream == "claude" else upstream
    check(envoy, before, headers, {(name, provider, upstream): cost}, cost)


def test_a_stream_that_the_client_leaves(envoy: Envoy):
    before, headers = envoy.samples("dragoman_"), identified("chat")
    body = {"model": "endless", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    with httpx.stream("POST", f"{envoy.url}/v1/chat/completions", json=body, headers=headers, timeout=10) as got:
        for line in got.iter_lines():
            if "Good morning" in line:
                break
    # The input, and 9 tokens of the 36 bytes that came.
    cost = MESSAGES_COST - 50 * 5000 + 9 * 5000
    check(envoy, before, headers, {("endless", "anthropic", "claude"): cost}, cost)


def test_a_fallback_costs_what_was_used(envoy: Envoy):
    if envoy.role == "standalone":
        pytest.skip("nothing falls back")
    before, headers = envoy.samples("dragoman_"), identified("chat")
    got = call(envoy, "chat", "refused-first", headers=headers)
    assert (got.status_code, got.headers["x-dragoman-cost-usd"]) == (200, "0.00225")
    check(envoy, before, headers, {("refused-first", "openai", "openai"): CHAT_COST}, CHAT_COST)


def test_the_report_sums_it_up(envoy: Envoy):
    headers = identified("chat")
    call(envoy, "chat", "chat", headers=headers)
    logged(envoy, headers)
    lines = [json.loads(line) for line in envoy.access_log(1)]
    costs = [int(line["cost_nanousd"]) for line in lines if line.get("cost_nanousd")]
    command = [COMMAND, "report", "--json"]
    done = subprocess.run(command, input=envoy.output(), capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["total"]["cost_nanousd"] == sum(costs) > 0
    assert report["keys"]["demo"]["cost_nanousd"] == sum(costs)
    assert report["models"]["chat"]["cost_nanousd"] % CHAT_COST == 0
    assert sum(day["calls"] for day in report["days"].values()) == len(lines)
