"""`make demo`, as people run it."""

import os
import re
import signal
import socket
import subprocess
import sys

import pytest
from conftest import ENVOY, ROOT, free_port, listens

PORTS = ("GATEWAY_PORT", "ADMIN_PORT", "MOCK_PORT")
# With what has been built: these tests are not the place to build it anew.
MAKE = ["make", *(f"--old-file={built}" for built in ("target/dragoman.wasm", "target/release/dragoman", "target/envoy"))]


@pytest.fixture
def environment() -> dict[str, str]:
    """Free ports, and no accounts."""
    ours = {name: str(free_port()) for name in PORTS} | {"ENVOY": str(ENVOY)}
    others = {name: value for name, value in os.environ.items() if not re.match("(OPENAI|ANTHROPIC)_|MAKE|MFLAGS|ONCE", name)}
    return others | ours


def run(command: list, environment: dict[str, str], **more: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT, env=environment | more, capture_output=True, text=True, check=False)


def closed(environment: dict[str, str]) -> bool:
    return not any(listens(int(environment[name])) for name in PORTS)


def test_once(environment):
    done = run([*MAKE, "demo", "ONCE=1"], environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "\033" not in done.stdout and "Ctrl-C" not in done.stdout
    titles = re.findall(r"^(\d)  .*$", done.stdout, re.M)
    assert titles == [str(number) for number in range(1, 9)]
    # What a translation is, what a fallback is, and what is counted.
    assert re.search(r'^claude +POST /v1/messages  x-api-key: \*\*\*\n.*"max_tokens": 300, "system": "Be brief."', done.stdout, re.M)
    assert "upstream: claude  provider: anthropic  upstream-model: claude-haiku-5-5  attempts: 2" in done.stdout
    assert "upstream: claude  provider: anthropic  upstream-model: claude-haiku-5-5  attempts: 3  fallback: context_window" in done.stdout
    assert re.search(r"^ +2  dragoman_attempts_total +upstream=down provider=gemini result=5xx$", done.stdout, re.M)
    assert re.search(r"^ +1  dragoman_fallbacks_total +model=short reason=context_window$", done.stdout, re.M)
    assert closed(environment)


ACCOUNT = """
import sys
sys.path.insert(0, "envoy")
import demo
demo.DOCUMENT = demo.DOCUMENT.replace("«openai»", "\\n    base_url: {url}/v1")
sys.exit(demo.main())
"""


@pytest.mark.parametrize(("key", "status"), [("sk-never-shown", 0), ("bad-never-shown", 1)])
def test_accounts(environment, providers, key, status):
    """With a provider elsewhere, which refuses keys that begin with `bad`."""
    command = [sys.executable, "-c", ACCOUNT.replace("{url}", providers.url)]
    done = run(command, environment, ONCE="1", OPENAI_API_KEY=key)
    assert done.returncode == status, done.stdout + done.stderr
    assert "your account (OPENAI_API_KEY)" in done.stdout
    # What the filter would send is shown, as nobody tells what was received.
    assert re.search(r'^openai +POST /v1/chat/completions  authorization: Bearer \*\*\*\n.*"model": "gpt', done.stdout, re.M)
    written = [path.read_text() for path in (ROOT / "target/demo").iterdir()]
    assert not any("never-shown" in text for text in [done.stdout, done.stderr, *written])
    assert ("not what was expected" in done.stdout) == bool(status)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stays_until_it_is_stopped(environment, number):
    # As a terminal has it, however the tests were started: what runs in the background may not hear Ctrl-C.
    heard = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    demo = subprocess.Popen(
        [sys.executable, "envoy/demo.py"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, preexec_fn=heard
    )
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if line.startswith("ANTHROPIC_BASE_URL"):
            break
    try:
        commands = re.findall(r"^curl (.*?[^\\])$", "".join(lines), re.M | re.S)
        assert len(commands) == 3
        for command in commands:
            done = run(["bash", "-c", f"curl --silent --show-error --fail {command}"], environment)
            assert done.returncode == 0 and done.stdout, (command, done.stderr)
    finally:
        demo.send_signal(number)
        assert demo.wait(timeout=20) == 0
    assert closed(environment)


def test_a_taken_port(environment):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run([*MAKE, "demo", "ONCE=1"], environment, ADMIN_PORT=str(port))
    assert done.returncode != 0 and done.stdout.count("\n") == 1
    assert f"demo: port {port} is taken: " in done.stderr and "`make demo ADMIN_PORT=…`" in done.stderr


def test_what_is_missing_is_told(environment):
    done = run([sys.executable, "envoy/demo.py"], environment, ENVOY="/bin/false")
    assert done.returncode == 1 and "demo: envoy did not start; the end of target/demo/envoy.log" in done.stderr
    assert closed(environment)
