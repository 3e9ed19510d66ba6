"""Measures what a call costs the gateway: plain Envoy, an Envoy with an empty filter, and one with the filter.

Each arm is an Envoy of its own, on core 0 with one worker; upstream and load share core 1. The arms take turns within a
round, so that what else the machine does hits all of them, and the least of the rounds counts. The CPU time is what the
kernel charged to the Envoy process over a burst of calls, divided by the calls. Time to the first byte of the answer's
body is measured apart, one call at a time, so that it holds no queueing.

Without a filter nothing translates, so the plain and the empty arm are sent to the path where the upstream gives the bytes
that it gives to the filter.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import configs
import traffic

ROOT = Path(__file__).resolve().parents[2]
TRAFFIC = ROOT / "target/bench/traffic"
RIG = ROOT / "target/bench/rig/release/rig"
WASM = {"noop": str(ROOT / "target/bench/noop.wasm"), "dragoman": str(ROOT / "target/dragoman.wasm")}
ENVOY_CORE, RIG_CORE = 0, 1
# Long enough that Envoy reads every event by itself, short enough for many streams a second.
GAP_US = 500
CONNECTIONS = 8
CHAT = "/v1/chat/completions"
# Where clients send what is not a chat, by the kind of a row; and what they say it is.
PATHS = {"responses": "/v1/responses", "responses-stream": "/v1/responses", "audio": traffic.AUDIO}
TYPES = {"audio": f"multipart/form-data; boundary={traffic.BOUNDARY}"}


@dataclass(frozen=True)
class Row:
    name: str
    model: str
    kind: str
    calls: int
    probes: int
    setup: str = ""

    @property
    def provider(self) -> traffic.Provider:
        return traffic.PROVIDERS[traffic.MODELS.get(self.model, "openai")]

    @property
    def native_path(self) -> str:
        if self.kind == "audio":
            return traffic.AUDIO
        return self.provider.stream_path if self.streams else self.provider.path

    @property
    def streams(self) -> bool:
        return self.kind.endswith("stream")

    @property
    def content_type(self) -> str:
        return TYPES.get(self.kind, "application/json")


NAMES = {"claude": "Anthropic", "openai": "OpenAI", "gemini": "Gemini", "bedrock": "Bedrock, signed"}


def rows() -> list[Row]:
    kinds = [("2 KB chat", "chat", 4000, 100), ("stream of 100 events", "stream", 300, 20), ("1 MB image", "image", 300, 20)]
    one = [
        Row(f"{text}, OpenAI to {NAMES[upstream]}", model, kind, calls, probes)
        for text, kind, calls, probes in kinds
        for model, upstream in traffic.MODELS.items()
        if kind != "image" or upstream in ("claude", "openai")
    ]
    claude = next(iter(traffic.MODELS))
    both = [
        Row(f"{text}, OpenAI to Anthropic, two roles, {what}", claude, kind, calls, probes, setup)
        for setup, what in configs.SETUPS.items()
        for text, kind, calls, probes in kinds[:2]
    ]
    others = [
        Row("2 KB Responses call, to Anthropic", claude, "responses", 4000, 100),
        Row("stream of 100 events, Responses to Anthropic", claude, "responses-stream", 300, 20),
        Row("20 MB recording, OpenAI to OpenAI", traffic.LISTENER, "audio", 24, 4),
    ]
    return one + both + others


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def start(core: int, *arguments: object, log: str) -> subprocess.Popen:
    with (ROOT / f"target/bench/{log}.log").open("w") as output:
        return subprocess.Popen(
            [str(argument) for argument in arguments],
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )


class Arm:
    """An Envoy to compare."""

    def __init__(self, name: str, rig: int):
        self.name = name
        self.port, admin = free_port(), free_port()
        config = ROOT / f"target/bench/{name}.json"
        config.write_text(json.dumps(configs.bootstrap(name, self.port, admin, rig, WASM), indent=1))
        self.process = start(
            ENVOY_CORE, ROOT / "target/envoy", "-c", config, "--concurrency", 1, "--use-dynamic-base-id", log=name
        )
        deadline = time.monotonic() + 20
        while not ready(admin):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{name}: Envoy did not start; see target/bench/{name}.log")
            time.sleep(0.05)

    def cpu_seconds(self) -> float:
        # Linux's clock of another process, to the nanosecond: CPUCLOCK_SCHED of its thread group.
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def path(self, row: Row) -> str:
        return PATHS.get(row.kind, CHAT) if self.name.startswith("dragoman") else row.native_path

    def load(self, row: Row, connections: int, calls: int) -> list[int]:
        """Makes calls; gives the times to first byte in microseconds."""
        body = TRAFFIC / f"{row.model}.{row.kind}"
        done = subprocess.run(
            [RIG, "load", str(self.port), self.path(row), body, str(connections), str(calls), *self.headers(row)],
            preexec_fn=lambda: os.sched_setaffinity(0, {RIG_CORE}),
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            sys.exit(f"{self.name}, {row.name}: {done.stderr}")
        return [int(line) for line in done.stdout.split()]

    def burst(self, row: Row, calls: int) -> float:
        """CPU microseconds per call."""
        before = self.cpu_seconds()
        self.load(row, CONNECTIONS, calls)
        return (self.cpu_seconds() - before) / calls * 1e6

    def headers(self, row: Row) -> list[str]:
        return [f"authorization: Bearer {configs.KEY}", f"content-type: {row.content_type}"]

    def growth(self, row: Row) -> int:
        """How many bytes the process grows by at most during calls, one at a time."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        before = self.memory("VmRSS")
        self.load(row, 1, 4)
        return self.memory("VmHWM") - before

    def memory(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(next(line for line in status.splitlines() if line.startswith(name)).split()[1])

    def check(self, row: Row) -> None:
        """The arm must answer what it claims to: the filter in OpenAI's format, the others in the upstream's."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{self.path(row)}",
            (TRAFFIC / f"{row.model}.{row.kind}").read_bytes(),
            dict(header.split(": ") for header in self.headers(row)),
        )
        try:
            answer = urllib.request.urlopen(request, timeout=20).read()
        except urllib.error.HTTPError as error:
            sys.exit(f"{self.name}, {row.name}: {error.code} {error.read().decode()}")
        provider = traffic.PROVIDERS["openai"] if self.path(row) == CHAT else row.provider
        if row.kind == "audio":
            good = json.loads(answer) == json.loads(traffic.transcript())
        elif row.kind.startswith("responses") and self.path(row) == PATHS[row.kind]:
            good = b"response.completed" in answer if row.streams else json.loads(answer)["object"] == "response"
        elif row.streams:
            good = answer.endswith(provider.end) and answer.count(b"text" if provider.kind == "eventstream" else b"data: ") >= traffic.EVENTS
        else:
            good = json.loads(answer).keys() == json.loads(provider.whole()).keys() or b'"choices"' in answer
        if not good:
            sys.exit(f"{self.name}, {row.name}: not the answer that was expected:\n{answer[:2000]!r}")


def ready(admin: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{admin}/ready", timeout=1).status == 200
    except OSError:
        return False


def quantiles(times: list[int]) -> tuple[float, float]:
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return cuts[49], cuts[98]


def measure(row: Row, arms: list[Arm], rounds: int, scale: float) -> dict:
    grown = {}
    for arm in arms:
        arm.check(row)
        grown[arm.name] = arm.growth(row) if row.kind == "audio" else None
        arm.load(row, CONNECTIONS, max(6, row.calls // 4))  # V8 compiles hot functions anew
    costs = {arm.name: [] for arm in arms}
    times = {arm.name: [] for arm in arms}
    for _ in range(rounds):
        for arm in arms:
            costs[arm.name].append(arm.burst(row, max(1, int(row.calls * scale))))
            times[arm.name] += arm.load(row, 1, row.probes)
    result = {}
    for arm in arms:
        p50, p99 = quantiles(times[arm.name])
        result[arm.name.split("-")[0]] = {"cpu_us": min(costs[arm.name]), "rounds_us": costs[arm.name], "p50_us": p50, "p99_us": p99, "grown": grown[arm.name]}
    return result


def show(results: dict[str, dict]) -> None:
    """CPU as multiples of plain Envoy's, and what the last arm adds to the time to the first byte."""
    print(f"\n{'':64}{'plain':>8}{'noop':>8}{'dragoman':>10}{'first byte p50':>17}{'p99':>9}")
    for name, arms in results.items():
        plain, last = arms["plain"], arms.get("dragoman") or arms["noop"]
        ratios = [f"{arms[arm]['cpu_us'] / plain['cpu_us']:.2f}" if arm in arms else "" for arm in ("noop", "dragoman")]
        added = [f"{last[quantile] - plain[quantile]:+.0f} us" for quantile in ("p50_us", "p99_us")]
        print(f"{name:64}{plain['cpu_us']:5.0f} us{ratios[0]:>8}{ratios[1]:>10}{added[0]:>17}{added[1]:>9}")
        if last["grown"] is not None:
            print(f"{'':4}memory grows by {last['grown'] / 1e6:.0f} MB, plain Envoy's by {plain['grown'] / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1, help="calls per burst, as a factor")
    parser.add_argument("--rows", default="", help="only rows whose name holds this")
    parser.add_argument("--floor", action="store_true", help="leave the filter out: plain Envoy and the empty filter alone")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("needs two cores: one for Envoy, one for load and upstream")
    if os.getloadavg()[0] > 0.5:
        print("the machine is busy with something else: expect noise", file=sys.stderr)
    chosen = [row for row in rows() if options.rows in row.name]

    traffic.write(TRAFFIC)
    port = free_port()
    processes = [start(RIG_CORE, RIG, "upstream", port, TRAFFIC, GAP_US, log="upstream")]
    results = {}
    try:
        names = ["plain", "noop"] if options.floor else ["plain", "noop", "dragoman"]
        for setup in ("", *configs.SETUPS):
            part = [row for row in chosen if row.setup == setup]
            if not part:
                continue
            arms = []
            for name in names:
                arms.append(Arm(f"{name}-{setup}" if setup and name != "plain" else name, port))
                processes.append(arms[-1].process)
            for row in part:
                results[row.name] = measure(row, arms, options.rounds, options.scale)
                print(f"{row.name}: " + ", ".join(f"{arm} {value['cpu_us']:.0f} us" for arm, value in results[row.name].items()), flush=True)
            for arm in arms:
                arm.process.terminate()
    finally:
        for process in processes:
            process.terminate()
            process.wait()
    (ROOT / "target/bench.json").write_text(json.dumps(results, indent=1))
    show(results)


if __name__ == "__main__":
    main()
