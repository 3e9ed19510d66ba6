"""Upstreams that die, come back or answer nonsense, with others beside them: clients do not notice."""

import http.server
import threading
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from calls import HEADERS, call, content, counted
from conftest import COMMAND, Envoy, Process, Providers, Starter, answers, free_port, wait_until
from documents import KEYS, MOCKS, gateway_role, render
from scripted import Script, Scripted, answer, chunked, head
from test_hostile_upstreams import HTML, JSON, PAGE, SAID, STREAM

NAMES = {"openai": "gpt-4.1", "claude": "claude-sonnet-4-5"}
WHOLE = {
    "a page under 200": [answer("200 OK", HTML, PAGE)],
    "garbage": [answer("200 OK", JSON, b"\x00\x01 garbage")],
    "no HTTP": [b"SSH-2.0-OpenSSH_9.2\r\n"],
    "half a head": [b"HTTP/1.1 200 OK\r\ncontent-ty"],
    "nothing": [answer("200 OK", JSON)],
}
STREAMS = {
    "a page under 200": [answer("200 OK", HTML, PAGE)],
    "garbage": chunked("200 OK", STREAM, b"data: \x00\x01 garbage\n\n", *SAID),
    "no event": chunked("200 OK", STREAM, b"garbage without an end " * 10),
    "comments, then nothing": chunked("200 OK", STREAM, *[b": wait\n\n"] * 5),
    "a beginning, then silence": [head("200 OK", STREAM), SAID[0], 5.0],
    "comments for ever": [head("200 OK", STREAM), *[b": wait\n\n", 0.05] * 100],
    "headers, then silence": [head("200 OK", STREAM), 5.0],
    "headers, then a break": [head("200 OK", STREAM | {"transfer-encoding": "chunked"})],
}  # fmt: skip


def models(first: str, scripts: dict[str, Script], **more) -> list[dict]:
    return [
        {"name": name, "upstreams": [first, "claude"], "upstream_models": {first: name, "claude": NAMES["claude"]}} | more
        for name in scripts
    ]


@pytest.fixture(scope="module")
def odd(shared_gateway: Starter) -> Iterator[Envoy]:
    scripts = {f"whole {kind}": script for kind, script in WHOLE.items()}
    scripts |= {f"stream {kind}": script for kind, script in STREAMS.items()}
    scripted = Scripted(scripts)
    base = f"http://127.0.0.1:{scripted.port}/v1"
    upstreams = MOCKS | {"odd": {"provider": "openai_compatible", "base_url": base, "credentials": "none"}}
    document = gateway_role(upstreams, models("odd", scripts, timeouts={"first_token": "500ms"}))
    yield shared_gateway(render(document), env=KEYS)
    scripted.stop()


@pytest.mark.parametrize("client", HEADERS)
@pytest.mark.parametrize("name", [f"whole {kind}" for kind in WHOLE] + [f"stream {kind}" for kind in STREAMS])
def test_nonsense_is_answered_by_the_next(name: str, client: str, odd: Envoy):
    before = odd.samples("dragoman_")
    got = call(odd, client, name, stream=name.startswith("stream"))
    assert (got.status_code, got.headers["x-dragoman-upstream"]) == (200, "claude"), got.text
    assert content(got, client) == "You said: Hi"
    after = odd.samples("dragoman_")
    assert sum(counted(before, after, "dragoman_requests_total").values()) == 1
    attempts = counted(before, after, "dragoman_attempts_total")
    assert attempts.pop(("anthropic", "ok", "claude")) == 1
    ((_, result, upstream),) = attempts
    assert upstream == "odd" and result in ("stream_error", "reset", "timeout"), attempts


@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_of_tls_is_answered_by_the_next(stream: bool, gateway: Starter, providers: Providers):
    # The port speaks no TLS.
    upstreams = MOCKS | {"tls": MOCKS["openai"] | {"base_url": f"https://127.0.0.1:{providers.port}/v1"}}
    envoy = gateway(render(gateway_role(upstreams, models("tls", {"m": []}))), env=KEYS)
    got = call(envoy, "chat", "m", stream=stream)
    assert (got.status_code, got.headers["x-dragoman-upstream"]) == (200, "claude"), got.text
    assert envoy.stat("dragoman_attempts_total", upstream="tls", result="reset") == 1


def test_nothing_is_tried_again_after_the_first_word(gateway: Starter, providers: Providers):
    document = gateway_role(MOCKS, models("openai", {"gpt-4.1": []}))
    envoy = gateway(render(document), env=KEYS)
    providers.forget()
    with pytest.raises(httpx.RemoteProtocolError):
        call(envoy, "chat", "gpt-4.1", "[mock tokens=50 cut-after=30 upstream=openai]", stream=True)
    assert len(providers.received()) == 1


def test_a_stream_that_falls_silent_is_given_up(gateway: Starter):
    document = gateway_role(MOCKS, models("openai", {"gpt-4.1": []}, timeouts={"idle": "300ms"}))
    envoy = gateway(render(document), env=KEYS)
    start = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        call(envoy, "chat", "gpt-4.1", "[mock tokens=50 stall-after=30 upstream=openai]", stream=True)
    assert time.monotonic() - start < 3
    assert call(envoy, "chat", "gpt-4.1", "[mock tokens=20 delay=50 upstream=openai]", stream=True).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_many_calls_fall_back_at_once(stream: bool, gateway: Starter):
    envoy = gateway(render(gateway_role(MOCKS, models("openai", {"gpt-4.1": []}))), env=KEYS)
    got: list[httpx.Response] = []
    text = "Hi [mock slow-start=300 status=503 upstream=openai]"
    calls = [threading.Thread(target=lambda: got.append(call(envoy, "chat", "gpt-4.1", text, stream=stream))) for _ in range(20)]
    [thread.start() for thread in calls]
    [thread.join() for thread in calls]
    assert Counter((answer.status_code, answer.headers["x-dragoman-upstream"]) for answer in got) == {(200, "claude"): 20}


@pytest.mark.parametrize("stream", [False, True])
def test_a_large_body_is_tried_again_whole(stream: bool, gateway: Starter, providers: Providers):
    envoy = gateway(render(gateway_role(MOCKS, models("openai", {"gpt-4.1": []}))), env=KEYS)
    text = "[mock status=503 upstream=openai] " + "x" * (8 << 20)
    providers.forget()
    got = call(envoy, "chat", "gpt-4.1", text, stream=stream)
    assert (got.status_code, got.headers["x-dragoman-upstream"]) == (200, "claude"), got.text[:300]
    first, second = (request["body"]["messages"][0]["content"] for request in providers.received())
    assert first == second == text


def test_one_that_keeps_failing_is_left_alone(gateway: Starter):
    envoy = gateway(render(gateway_role(MOCKS, models("openai", {"gpt-4.1": []}))), env=KEYS)
    text = "Hi [mock status=500 upstream=openai]"
    attempts = [call(envoy, "chat", "gpt-4.1", text).headers["x-dragoman-attempts"] for _ in range(20)]
    assert attempts == ["2"] * 5 + ["1"] * 15
    # Where all fail all are tried.
    assert call(envoy, "chat", "gpt-4.1", "Hi [mock status=500]").status_code == 500


class Mortal:
    """Mock providers that can be killed and started again."""

    def __init__(self):
        self.port = free_port()
        self.start()

    def start(self) -> None:
        self.process = Process(f"mortal-{self.port}", [COMMAND, "mock", "--port", str(self.port)], {})
        wait_until(lambda: answers(f"http://127.0.0.1:{self.port}/mock/requests"), self.process)

    def kill(self) -> None:
        self.process.popen.kill()
        self.process.popen.wait()


@pytest.mark.parametrize("balance", ["weighted", "least_request", "priority"])
def test_an_upstream_dies_and_comes_back(balance: str, gateway: Starter):
    mortal = Mortal()
    dying = MOCKS["openai"] | {"base_url": f"http://127.0.0.1:{mortal.port}/v1"}
    model = {
        "name": "m",
        "upstreams": ["dying", "openai", "claude"],
        "upstream_models": {"dying": NAMES["openai"]} | NAMES,
        "balance": balance,
    }
    envoy = gateway(render(gateway_role(MOCKS | {"dying": dying}, [model])), env=KEYS, workers=2)
    seconds, rate, workers = 6, 200, 8
    statuses: Counter[object] = Counter()
    end = time.monotonic() + seconds

    def work(number: int) -> None:
        turn = time.monotonic() + number / rate
        with httpx.Client(timeout=30) as client:
            while turn < end:
                time.sleep(max(0, turn - time.monotonic()))
                turn += workers / rate
                stream = number % 2 == 0
                body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "Hi"}]}
                try:
                    got = client.post(f"{envoy.url}/v1/chat/completions", json=body, headers=HEADERS["chat"])
                    complete = "data: [DONE]" in got.text or not stream
                    statuses[got.status_code if complete else got.text[-200:]] += 1
                except httpx.HTTPError as error:
                    # A stream that was under way at the dying one breaks: nothing can be done about that.
                    statuses["broken" if stream and isinstance(error, httpx.RemoteProtocolError) else repr(error)] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    [thread.start() for thread in threads]
    time.sleep(seconds / 3)
    mortal.kill()
    time.sleep(seconds / 3)
    mortal.start()
    [thread.join() for thread in threads]
    mortal.process.stop()
    broken = statuses.pop("broken", 0)
    assert set(statuses) == {200}, statuses
    assert broken <= 2 and statuses[200] > seconds * rate * 0.8, (broken, statuses)


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes spans in OTLP."""

    def do_POST(self) -> None:  # noqa: N802
        while size := int(self.rfile.readline(), 16):
            self.server.spans += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_spans_have_the_tags_of_open_telemetry(gateway: Starter):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.spans = b""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    traces = f"127.0.0.1:{server.server_port}"
    config = render(gateway_role(MOCKS, models("openai", {"gpt-4.1": []})), "--traces", traces)
    envoy = gateway(config, env=KEYS)
    assert call(envoy, "chat", "gpt-4.1").status_code == 200
    wanted = [b"gen_ai.request.model", b"gen_ai.usage.output_tokens", b"gen_ai.provider.name", b"dragoman.key"]
    wait_until(lambda: all(tag in server.spans for tag in wanted), envoy.process)
    assert b"openai" in server.spans and b"sk-" not in server.spans
    server.shutdown()
