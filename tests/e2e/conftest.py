"""Fixtures: mock providers, and a real Envoy with one of the shipped configurations or one of the test's own.

    def test_chat(providers, gateway):
        envoy = gateway("envoy/standalone.yaml")
        assert httpx.post(f"{envoy.url}/v1/chat/completions", json=...).status_code == 200
        assert envoy.stat("dragoman_requests_total") == 1

`shared_gateway` starts Envoys that all tests of a module share. Configurations name the ports that people use (10000,
9901, 9900) and the wasm by its place in the project; both are rewritten, so that tests use free ports and run from
anywhere. The environment variable ENVOY names another Envoy.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tap import Tap

ROOT = Path(__file__).resolve().parents[2]
ENVOY = ROOT / os.environ.get("ENVOY", "target/envoy")
COMMAND = ROOT / "target/release/dragoman"
WASM = ROOT / "target/dragoman.wasm"
LOGS = ROOT / "target/e2e"

# The ports that shipped configurations name.
LISTENER, ADMIN, PROVIDERS = 10000, 9901, 9900

START_SECONDS = 20

# Of its own for each call a client would read the certificates of authorities anew.
HTTP = httpx.Client(timeout=30)

# What ran under a test, for its report.
PROCESSES = pytest.StashKey[list["Process"]]()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def wait_until(done: Callable[[], bool], process: Process) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not done():
        if process.popen.poll() is not None:
            pytest.fail(f"{process.name} exited with {process.popen.returncode}:\n{process.tail()}", pytrace=False)
        if time.monotonic() > deadline:
            pytest.fail(f"{process.name} is not ready after {START_SECONDS} s:\n{process.tail()}", pytrace=False)
        time.sleep(0.02)


def answers(url: str) -> bool:
    try:
        return HTTP.get(url, timeout=1).status_code == 200
    except httpx.TransportError:
        return False


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def release() -> tuple[int, int]:
    """Which Envoy is under test, such as (1, 40)."""
    told = subprocess.run([ENVOY, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = re.search(r"/(\d+)\.(\d+)\.", told).groups()
    return int(major), int(minor)


class Process:
    """A child with its output in a log file of its own."""

    def __init__(self, name: str, arguments: list[str | Path], environment: dict[str, str]):
        LOGS.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = LOGS / f"{name}.log"
        self.log.write_bytes(b"")
        # Appending, as Envoy opens /dev/stdout a second time for its access log.
        with self.log.open("a") as log:
            self.popen = subprocess.Popen(
                arguments, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT
            )

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def tail(self) -> str:
        return self.output()[-6000:]

    def stop(self) -> None:
        self.popen.terminate()
        try:
            self.popen.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


@dataclass
class Providers:
    """The mock providers."""

    process: Process
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def received(self) -> list[dict]:
        """The last requests, oldest first."""
        return HTTP.get(f"{self.url}/mock/requests").json()

    def forget(self) -> None:
        """Forgets what was received, and how often."""
        HTTP.delete(f"{self.url}/mock/requests")


class Envoy:
    """A running Envoy, ready to take calls."""

    def __init__(self, name: str, config: str, port: int, admin: int, environment: dict[str, str], workers: int):
        self.url = f"http://127.0.0.1:{port}"
        self.admin = f"http://127.0.0.1:{admin}"
        self.port = port
        LOGS.mkdir(parents=True, exist_ok=True)
        path = LOGS / f"{name}.yaml"  # of which JSON is a part
        path.write_text(config)
        self.process = Process(
            name,
            [ENVOY, "-c", path, "--concurrency", str(workers), "--use-dynamic-base-id", "--file-flush-interval-msec", "20",
             "--log-level", "warning", "--component-log-level", "wasm:debug"],
            environment,
        )  # fmt: skip
        try:
            wait_until(lambda: answers(f"{self.admin}/ready") and listens(port), self.process)
        except BaseException:
            self.process.stop()
            raise

    def stats(self, pattern: str = "") -> dict[str, int]:
        """Counters and gauges whose name matches the pattern."""
        text = HTTP.get(f"{self.admin}/stats", params={"filter": pattern} if pattern else None).text
        pairs = (line.rsplit(": ", 1) for line in text.splitlines())
        return {name: int(value) for name, value in pairs if value.lstrip("-").isdigit()}

    def samples(self, prefix: str = "") -> dict[tuple[str, frozenset], float]:
        """Metrics as Prometheus reads them, by name and labels."""
        found = {}
        for line in HTTP.get(f"{self.admin}/stats/prometheus").text.splitlines():
            sample = re.fullmatch(r"([\w:]+)(?:\{(.*)\})? (\S+)", line)
            if sample and sample[1].startswith(prefix):
                labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', sample[2] or "")
                if sample[1].startswith("dragoman_"):
                    # Before 1.39 they stand under a cluster's name as well.
                    labels = [label for label in labels if label[0] not in ("envoy_cluster_name", "wasm_scope")]
                found[sample[1], frozenset(labels)] = float(sample[3])
        return found

    def stat(self, name: str, **labels: str) -> float:
        """The sum of a metric over the label sets that have these labels."""
        found = self.samples(name).items()
        return sum(value for (other, at), value in found if other == name and labels.items() <= at)

    def output(self) -> str:
        """What Envoy logged, access log lines to standard output among them."""
        return self.process.output()

    def access_log(self, calls: int = 1) -> list[str]:
        """The access log's lines (the lines that are JSON objects), once there are that many."""
        wait_until(lambda: len(self._access_lines()) >= calls, self.process)
        return self._access_lines()

    def _access_lines(self) -> list[str]:
        # A line without its newline is still being written.
        return [line for line in self.output().splitlines(keepends=True) if re.fullmatch(r"\{.*\}\n", line)]


@pytest.fixture(scope="session")
def providers() -> Iterator[Providers]:
    """Mock providers for the whole run: they keep no state between calls."""
    port = free_port()
    process = Process("providers", [COMMAND, "mock", "--port", str(port)], {})
    try:
        wait_until(lambda: listens(port), process)
        yield Providers(process, port)
    finally:
        process.stop()


@pytest.fixture(scope="session")
def mock(providers: Providers) -> str:
    """The address of the mock providers."""
    return providers.url


class Starter:
    """Starts Envoys under a name, and stops them all."""

    def __init__(self, node: pytest.Item | pytest.Collector, providers: Providers):
        self.name = re.sub(r"\W+", "-", node.nodeid).strip("-")
        self.providers = providers
        self.started: list[Envoy] = []
        self.processes = node.stash[PROCESSES] = [providers.process]

    def __call__(self, config: str | Path | dict, env: dict[str, str] | None = None, workers: int = 1) -> Envoy:
        """An Envoy with a configuration: a path in the project, YAML, or a document.

        `env` adds environment variables, such as providers' keys. Of one worker tests may expect that one VM sees all
        calls.
        """
        if isinstance(config, dict):
            text = json.dumps(config)
        elif "\n" in str(config):
            text = str(config)
        else:
            text = (ROOT / config).read_text()
        port, admin = free_port(), free_port()
        for shipped, used in ((LISTENER, port), (ADMIN, admin), (PROVIDERS, self.providers.port)):
            text = re.sub(rf"\b{shipped}\b", str(used), text)
        text = re.sub(r"[\w./-]*\bdragoman\.wasm\b", str(WASM), text)
        number = f"-{len(self.started) + 1}" if self.started else ""
        envoy = Envoy(f"{self.name}{number}", text, port, admin, env or {}, workers)
        self.started.append(envoy)
        self.processes.append(envoy.process)
        return envoy

    def stop(self) -> None:
        for envoy in self.started:
            envoy.process.stop()


@pytest.fixture
def gateway(request: pytest.FixtureRequest, providers: Providers) -> Iterator[Starter]:
    """Starts Envoys for one test."""
    starter = Starter(request.node, providers)
    yield starter
    starter.stop()


@pytest.fixture(scope="module")
def shared_gateway(request: pytest.FixtureRequest, providers: Providers) -> Iterator[Starter]:
    """Starts Envoys for all tests of a module."""
    starter = Starter(request.node, providers)
    yield starter
    starter.stop()


@pytest.fixture
def tap(providers: Providers) -> Iterator[Tap]:
    """A tap on the lines of one test, whose findings fail the test."""
    tap = Tap(providers)
    yield tap
    tap.check()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Shows the end of the logs of what ran under a failed test."""
    report = yield
    if report.failed:
        for process in item.stash.get(PROCESSES, item.parent.stash.get(PROCESSES, [])):
            report.sections.append((f"end of {process.log.relative_to(ROOT)}", process.tail()))
    return report
