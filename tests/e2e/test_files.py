"""`dragoman envoy --xds-dir`: a running Envoy takes up what changes, and cuts no stream."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from calls import KEY
from conftest import HTTP, WASM, Envoy, Providers, free_port, wait_until
from documents import DEMO, KEYS, gateway_role, render, standalone


class Files:
    """An Envoy that reads its configuration from files."""

    def __init__(self, name: str, directory: Path, document: dict):
        self.directory, self.port, self.admin = directory, free_port(), free_port()
        bootstrap = self.write(document)
        self.envoy = Envoy(name, bootstrap, self.port, self.admin, KEYS, workers=2)

    def write(self, document: dict) -> str:
        options = ["--xds-dir", str(self.directory), "--port", str(self.port), "--admin-port", str(self.admin)]
        return render(document, *options, "--wasm", str(WASM))

    def ask(self, model: str = "m", key: str = KEY, text: str = "Hi", **more) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        return HTTP.post(f"{self.envoy.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"})


def document(providers: Providers, models: tuple[str, ...] = ("m",), keys: tuple[str, ...] = (), role=gateway_role) -> dict:
    upstreams = {
        "openai": {"provider": "openai", "base_url": f"{providers.url}/v1", "credentials": {"api_key": {"env": "OPENAI_API_KEY"}}},
        "claude": {"provider": "anthropic", "base_url": providers.url, "credentials": {"api_key": {"env": "ANTHROPIC_API_KEY"}}},
    }
    names = {"openai": "gpt-4.1", "claude": "claude-sonnet-4-5"}
    listed = [{"name": name, "upstreams": list(upstreams), "upstream_models": names} for name in models]
    more = [{"id": key, "hash": f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"} for key in keys]
    return role(upstreams, listed, keys=DEMO + more)


@pytest.fixture(params=[gateway_role, standalone])
def files(request: pytest.FixtureRequest, providers: Providers, tmp_path: Path) -> Iterator[Files]:
    files = Files(request.node.name, tmp_path, document(providers, role=request.param))
    files.role = request.param
    yield files
    files.envoy.process.stop()


class Streaming(threading.Thread):
    """A long stream, read to its end."""

    def __init__(self, files: Files, tokens: int, delay: int):
        super().__init__()
        self.files, self.text = files, f"[mock tokens={tokens} delay={delay}]"
        self.said, self.failure = 0, None
        self.start()

    def run(self) -> None:
        body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": self.text}]}
        headers = {"authorization": f"Bearer {KEY}"}
        try:
            with httpx.stream("POST", f"{self.files.envoy.url}/v1/chat/completions", json=body, headers=headers) as answer:
                for line in answer.iter_lines():
                    if line.startswith("data: {"):
                        choices = json.loads(line[6:])["choices"]
                        self.said += bool(choices and choices[0]["delta"].get("content"))
                    elif line == "data: [DONE]":
                        return
            self.failure = "it has no end"
        except httpx.HTTPError as failure:
            self.failure = repr(failure)


def test_new_keys_and_models_need_no_restart(files: Files, providers: Providers):
    assert files.ask().status_code == 200
    assert files.ask(key="sk-new").status_code == 401
    assert files.ask("new").status_code == 404
    files.write(document(providers, ("m", "new"), ("sk-new",), files.role))
    wait_until(lambda: files.ask("new", "sk-new").status_code == 200, files.envoy.process)
    files.write(document(providers, role=files.role))
    wait_until(lambda: files.ask(key="sk-new").status_code == 401, files.envoy.process)
    assert files.ask("new").status_code == 404
    assert files.ask().status_code == 200


def test_what_does_not_change_is_not_written(files: Files, providers: Providers):
    before = {path.name: path.stat().st_mtime_ns for path in files.directory.iterdir()}
    files.write(document(providers, role=files.role))
    assert {path.name: path.stat().st_mtime_ns for path in files.directory.iterdir()} == before
    files.write(document(providers, keys=("sk-new",), role=files.role))
    changed = {path.name for path in files.directory.iterdir() if path.stat().st_mtime_ns != before.get(path.name)}
    assert changed == {"filter-gateway.yaml"}


def test_a_bad_configuration_changes_nothing(files: Files, providers: Providers):
    with pytest.raises(AssertionError, match="unknown provider"):
        bad = document(providers, role=files.role)
        bad["upstreams"]["openai"]["provider"] = "opneai"
        files.write(bad)
    path = files.directory / "filter-gateway.yaml"
    path.with_suffix(".tmp").write_text(path.read_text().replace("openai", "nobody", 1))
    path.with_suffix(".tmp").rename(path)
    wait_until(lambda: sum(files.envoy.stats("extension_config_discovery.*config_fail").values()), files.envoy.process)
    assert files.ask().status_code == 200


@pytest.mark.timeout(150)
def test_no_stream_is_cut_while_the_configuration_changes_each_second(files: Files, providers: Providers):
    seconds = 60 if files.role is gateway_role else 10
    streams = [Streaming(files, seconds * 20, 50) for _ in range(4)]
    end = time.monotonic() + seconds
    turn = 0
    while time.monotonic() < end:
        # A key each time, and a model each other time.
        models = ("m", "new") if turn % 2 else ("m",)
        files.write(document(providers, models, (f"sk-{turn}",), files.role))
        turn += 1
        time.sleep(1)
        assert files.ask().status_code == 200
    for stream in streams:
        stream.join()
        assert (stream.failure, stream.said) == (None, seconds * 20)
    assert files.ask(key=f"sk-{turn - 1}").status_code == 200
    assert "wasm_fail" not in files.envoy.output()
