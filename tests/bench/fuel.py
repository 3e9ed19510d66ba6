"""Counts the wasm instructions that the filter spends on each kind of call, against the counts in fuel.json, and the memory
that its VM takes: measures that no other load on the machine disturbs.

Fails where a count is more than five percent above, or the memory grows by so much between 500 calls and 2000.
`--write` takes the counts of this run as the new baseline: compilers differ by a few percent, so write it with the one that
continuous integration uses.
"""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import configs
import traffic
import wasmtime
from host import REQUEST, RESPONSE, Failed, Guest

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "tests/bench/fuel.json"
WASM = ROOT / "target/dragoman.wasm"
TRAFFIC = ROOT / "target/bench/traffic"
MOST_INSTRUCTIONS, MOST_GROWTH = 1.10, 1.05
# How much of a body a host reads at once.
READ = 64 << 10
# Memory after so many calls is compared.
WARM, LATER = 500, 2000
STREAMS = 1000


class Filter:
    """The filter, compiled once."""

    def __init__(self) -> None:
        config = wasmtime.Config()
        config.consume_fuel = True
        self.engine = wasmtime.Engine(config)
        self.module = wasmtime.Module.from_file(self.engine, str(WASM))
        # No call leaves the stub host: any port will do.
        self.configuration = json.dumps(configs.dragoman("standalone", 9900)).encode()

    def start(self) -> Guest:
        return Guest(self.engine, self.module, self.configuration)


@dataclass
class Answer:
    """What comes back, in the parts in which it arrives: a stream an event at a time."""

    kind: str
    parts: list[bytes]

    @classmethod
    def of(cls, upstream: str, stream: bool) -> "Answer":
        provider = traffic.PROVIDERS[upstream]
        if not stream:
            return cls("application/json", pieces(provider.whole().encode()))
        body = provider.events()
        if isinstance(body, str):
            return cls("text/event-stream", [event.encode() for event in re.split(r"(?<=\n\n)|(?<=\r\n\r\n)", body) if event])
        parts = []
        while body:
            size = int.from_bytes(body[:4])
            parts, body = [*parts, body[:size]], body[size:]
        return cls("application/vnd.amazon.eventstream", parts)


def pieces(body: bytes) -> list[bytes]:
    return [body[at : at + READ] for at in range(0, len(body), READ)]


def begin(guest: Guest, call: int, request: bytes) -> str:
    """Sends a request; gives the path that it goes to."""
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":authority": "gateway.example",
        ":path": "/v1/chat/completions",
        "content-type": "application/json",
        "content-length": str(len(request)),
        "user-agent": "OpenAI/Python 3.54.0",
        "authorization": "Bearer sk-bench",
        "x-request-id": "0b1c9c0a-8f4a-4b9e-9f43-2f6b2a0f6b1e",
    }
    guest.open(call, headers)
    guest.body(call, REQUEST, pieces(request))
    return guest.header(REQUEST, ":path")


def run(guest: Guest, call: int, request: bytes, answer: Answer) -> tuple[str, int, int]:
    """Makes a call; gives the path upstream, the instructions of the answer's body, and those of all else."""
    path = begin(guest, call, request)
    asked = guest.take_fuel()
    guest.answer(call, {":status": "200", "content-type": answer.kind})
    head = guest.take_fuel()
    guest.body(call, RESPONSE, answer.parts)
    body = guest.take_fuel()
    guest.close(call)
    return path, body, asked + head + guest.take_fuel()


def counts(filter: Filter, model: str, upstream: str, kind: str) -> dict[str, int]:
    """Instructions of a call; for a stream those of an event, and those of all that is not an event."""
    guest, answer = filter.start(), Answer.of(upstream, kind == "stream")
    request = (TRAFFIC / f"{model}.{kind}").read_bytes()
    # The first call fills what is filled once.
    run(guest, 2, request, answer)
    path, body, rest = run(guest, 3, request, answer)
    provider = traffic.PROVIDERS[upstream]
    if path != (provider.stream_path if kind == "stream" else provider.path):
        raise Failed(f"{kind} to {upstream}: went to {path}")
    if kind == "stream":
        return {"call": rest, "event": body // len(answer.parts)}
    return {"call": rest + body}


def asked(model: str, stream: bool, text: str) -> bytes:
    return json.dumps(
        {"model": model, "stream": stream, "max_tokens": 100, "messages": [{"role": "user", "content": text}]}
    ).encode()


def growth(guest: Guest, model: str, upstream: str) -> tuple[int, int]:
    """The memory after some calls and after many."""
    answers = [Answer.of(upstream, stream) for stream in (False, True)]
    warm = 0
    for number in range(LATER):
        if number == WARM:
            warm = guest.memory_size()
        # From a few bytes to a megabyte, in no order; every third call is a stream.
        text = "x" * (1 << number * 7 % 20) + "y" * (number * 7919 % 997)
        stream = number % 3 == 0
        run(guest, 2 + number, asked(model, stream, text), answers[stream])
    return warm, guest.memory_size()


def open_streams(guest: Guest, model: str, upstream: str) -> int:
    """The memory that each of many streams takes in the middle of an event."""
    answer, request = Answer.of(upstream, stream=True), asked(model, True, "Tell me a story.")
    run(guest, 2, request, answer)
    before = guest.memory_size()
    half = len(answer.parts) // 2
    cut = answer.parts[half][: len(answer.parts[half]) // 2]
    for call in range(3, 3 + STREAMS):
        begin(guest, call, request)
        guest.answer(call, {":status": "200", "content-type": answer.kind})
        for part in [*answer.parts[:half], cut]:
            guest.part(call, RESPONSE, part, last=False)
    return (guest.memory_size() - before) // STREAMS


def memory_grows(filter: Filter, model: str, upstream: str) -> bool:
    """Shows the memory of a VM; whether it grows too much."""
    warm, later = growth(filter.start(), model, upstream)
    stream = open_streams(filter.start(), model, upstream)
    print(
        f"memory, OpenAI to {upstream}: {warm / 2**20:.1f} MiB after {WARM} calls, {later / warm - 1:+.1%} after {LATER}; "
        f"{stream / 2**10:.1f} KiB per open stream"
    )
    return later / warm > MOST_GROWTH


def main() -> None:
    traffic.write(TRAFFIC)
    filter = Filter()
    measured = {
        f"{kind}, OpenAI to {upstream}, per {part}": count
        for kind in ("chat", "stream", "image")
        for model, upstream in traffic.MODELS.items()
        for part, count in counts(filter, model, upstream, kind).items()
    }
    if "--write" in sys.argv:
        BASELINE.write_text(json.dumps(measured, indent=2) + "\n")
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if baseline.keys() != measured.keys():
        sys.exit("fuel.json has no baseline for these rows: run with --write")
    worse = False
    for name, count in measured.items():
        ratio = count / baseline[name]
        worse |= ratio > MOST_INSTRUCTIONS
        print(f"{name:44}{count:12,}{ratio - 1:+9.1%}{'  too much' if ratio > MOST_INSTRUCTIONS else ''}")
    for model, upstream in traffic.MODELS.items():
        worse |= memory_grows(filter, model, upstream)
    sys.exit(worse)


if __name__ == "__main__":
    main()
