"""The README's commands, in its order, as one session of a shell: each must go well and print what stands under it.

`…` stands for any text, on a line of its own for any lines. The configuration is the README's first block of YAML, with the
mock providers as its upstreams.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from conftest import ADMIN, COMMAND, ENVOY, LISTENER, PROVIDERS, ROOT, WASM, free_port, listens

BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
# A prompt, the lines that a quote or a backslash or a pipe carries on, and the output.
COMMANDS = re.compile(r"^\$ (.+\n(?:    .*\n)*)((?:(?!\$ ).*\n)*)", re.M)


class Shell:
    """A bash that keeps what it is told."""

    DONE = "--- done:"

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.bash = subprocess.Popen(
            ["bash"], cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, command: str) -> tuple[str, int]:
        """The output, and the status."""
        self.bash.stdin.write(f"{command}\nprintf '\\n%s %s\\n' '{self.DONE}' $?\n")
        self.bash.stdin.flush()
        output = ""
        for line in self.bash.stdout:
            if line.startswith(self.DONE):
                return output.removesuffix("\n"), int(line.split()[-1])
            output += line
        pytest.fail(f"the shell has ended: {output}")

    def stop(self) -> None:
        self.bash.stdin.write("kill $(jobs -p); wait; exit\n")
        self.bash.stdin.close()
        self.bash.wait(timeout=20)


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


# Takes the place of Envoy: the ports of the test, beside other Envoys.
HOST = """#!/bin/sh
sed 's/\\b{listener}\\b/{port}/; s/\\b{admin}\\b/{admin_port}/' "$2" > ports.yaml
exec {envoy} -c ports.yaml --concurrency 1 --use-dynamic-base-id --log-level warning
"""

# Takes the place of Claude Code: a call with the headers and in the manner of its own.
CODE = """#!/bin/sh
exec curl -sS --fail-with-body "$ANTHROPIC_BASE_URL/v1/messages?beta=true" -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN" \\
  -H 'anthropic-version: 2023-06-01' -H 'anthropic-beta: claude-code-20250219' -H 'content-type: application/json' \\
  -H 'user-agent: claude-cli/2.0 (external, cli)' -H 'x-app: cli' \\
  -d '{"model": "'"$2"'", "max_tokens": 200, "system": [{"type": "text", "text": "You are Claude Code."}],
       "messages": [{"role": "user", "content": [{"type": "text", "text": "'"$4"'"}]}], "stream": true}'
"""


@pytest.fixture
def ports() -> dict[int, int]:
    """The README's ports to free ones."""
    return {port: free_port() for port in (LISTENER, ADMIN, PROVIDERS)}


@pytest.fixture
def shell(providers, ports, tmp_path) -> Iterator[Shell]:
    """A shell where `target` is as `make wasm cli` and the tests' own tools leave it."""
    config = yaml.safe_load(next(text for language, text in BLOCKS if language == "yaml"))
    for upstream in config["upstreams"].values():
        upstream["base_url"] = providers.url + ("" if upstream["provider"] == "anthropic" else "/v1")
    # With lines as the README has them.
    written(tmp_path / "dragoman.yaml", yaml.safe_dump(config))
    target = tmp_path / "target"
    (target / "release").mkdir(parents=True)
    (target / "release/dragoman").symlink_to(COMMAND)
    (target / "dragoman.wasm").symlink_to(WASM)
    values = {"listener": LISTENER, "admin": ADMIN, "port": ports[LISTENER], "admin_port": ports[ADMIN], "envoy": ENVOY}
    written(target / "envoy", HOST.format(**values))
    written(target / "claude", CODE)
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    shell = Shell(tmp_path, kept)
    yield shell
    shell.stop()


def like(expected: str) -> str:
    """A regular expression for what the README shows."""
    lines = expected.rstrip("\n").split("\n")
    return "\n".join(r"(?:.*\n)*?.*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) for line in lines)


def run_command(shell: Shell, command: str, expected: str, ports: dict[int, int], folder: Path) -> None:
    if command.startswith("export "):
        command = command.replace("…", "sk-test")
    for port, free in ports.items():
        command = command.replace(str(port), str(free))
    output, status = shell.run(command)
    if command.endswith("&"):
        log = folder / re.search(r"> (\S+)", command)[1]
        deadline = time.monotonic() + 20
        while not listens(ports[LISTENER if command.startswith("envoy") else PROVIDERS]):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        return
    faulty = "antropic" in command
    assert status == (1 if faulty else 0), f"{command}\n{output}"
    assert re.fullmatch(like(expected), output.rstrip("\n")), f"{command}\n{output}\nis not\n{expected}"


def run_python(text: str, ports: dict[int, int]) -> None:
    text = text.replace(str(LISTENER), str(ports[LISTENER]))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "You said: Hi" in done.stdout, done.stdout + done.stderr


@pytest.mark.timeout(120)
def test_commands(shell, ports, tmp_path):
    run = 0
    for language, text in BLOCKS:
        if language == "console":
            for command, expected in COMMANDS.findall(text):
                run_command(shell, command.rstrip("\n"), expected, ports, tmp_path)
                run += 1
        elif language == "python":
            run_python(text, ports)
            run += 1
    assert run > 15


def test_make_targets():
    """Every target that the README names is there, and says what it is for."""
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = {word for words in re.findall(r"`make ([\w -]+)`", (ROOT / "README.md").read_text()) for word in words.split()}
    assert named and named <= {line.split()[0] for line in listed.splitlines()}
