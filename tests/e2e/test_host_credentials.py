"""The shipped examples of `credentials: host`: filters of the host's pay for one upstream, and for no other."""

import http.server
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import botocore.auth
import pytest
import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from calls import call, content
from conftest import COMMAND, ROOT, Envoy, Providers, Starter, release
from documents import KEYS, with_logs

FOLDER = ROOT / "envoy/credentials"
NAMES = ["aws", "file", "google"]
AMAZON = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


class Recorder(http.server.ThreadingHTTPServer):
    """Keeps what it is asked, and answers as a provider in OpenAI's format would, or as a metadata server."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.status = 200
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def calls(self) -> list[tuple[str, str, dict[str, str], bytes]]:
        return [request for request in self.requests if request[0] == "POST"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.command, self.path, headers, body))
        if self.command == "GET":
            count = len(self.server.requests)
            answer: dict = {"access_token": f"ya29.machine-{count}", "expires_in": 3599, "token_type": "Bearer"}
        else:
            message = {"role": "assistant", "content": "recorded"}
            answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "m",
                      "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}  # fmt: skip
        sent = json.dumps(answer).encode()
        self.send_response(self.server.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.shutdown()
    recorder.server_close()


def here(config: dict, ports: dict[str, int]) -> dict:
    """Has the endpoints of upstreams, and of clusters without any, be ports of this machine, without TLS."""
    for cluster in config["static_resources"]["clusters"]:
        cluster["type"] = "STATIC"
        for name in ["dns_lookup_family", "transport_socket", "transport_socket_matches"]:
            cluster.pop(name, None)
        for locality in cluster["load_assignment"]["endpoints"]:
            (endpoint,) = locality["lb_endpoints"]
            upstream = endpoint.get("metadata", {}).get("filter_metadata", {}).get("dragoman", {}).get("upstream")
            address = {"address": "127.0.0.1", "port_value": ports[upstream or cluster["name"]]}
            endpoint["endpoint"]["address"]["socket_address"] = address
        for protocol in cluster.get("typed_extension_protocol_options", {}).values():
            protocol.pop("auto_config", None)
            protocol["explicit_http_config"] = {"http_protocol_options": {}}
    return config


def example(name: str, ports: dict[str, int]) -> dict:
    return here(with_logs((FOLDER / f"{name}.yaml").read_text()), ports)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_what_the_command_writes(name: str):
    shipped = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    manager = shipped["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    plugins = [filter["typed_config"]["config"] for filter in manager["http_filters"] if filter["name"] == "dragoman"]
    document = plugins[0]["configuration"]["value"]
    command = [COMMAND, "envoy", "-", "--secrets", "envoy/secrets"]
    done = subprocess.run(command, input=json.dumps(document), env=os.environ | KEYS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout) == shipped


def falls_back(envoy: Envoy, providers: Providers) -> None:
    """The other upstream is paid as it should be."""
    answer = call(envoy, "chat", "smart", "falls back")
    assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "openai"), answer.text
    sent = [request for request in providers.received() if "falls back" in json.dumps(request.get("body"))][-1]
    assert sent["headers"]["authorization"] == "Bearer sk-openai"
    assert not {"x-api-key", "x-amz-date", "x-amz-content-sha256"} & sent["headers"].keys()


def shows_nothing(envoy: Envoy, *secrets: str) -> None:
    log = envoy.output()
    assert '"sent authorization"' in log
    for secret in [*secrets, "sk-openai"]:
        assert secret not in log


def test_requests_are_signed_for_amazon(gateway: Starter, providers: Providers, recorder: Recorder, monkeypatch):
    # The SDK leaves some headers unsigned; Amazon checks those that are.
    monkeypatch.setattr(botocore.auth, "SIGNED_HEADERS_BLACKLIST", [])
    envoy = gateway(example("aws", {"bedrock": recorder.server_port, "openai": providers.port}), env=KEYS | AMAZON)
    for client in ["chat", "messages"]:
        answer = call(envoy, client, "smart", "Grüße", stream=False)
        assert (answer.status_code, content(answer, client)) == (200, "recorded"), answer.text
    for method, path, headers, body in recorder.calls():
        assert json.loads(body)["model"] == "openai.gpt-oss-120b"
        scheme, _, rest = headers["authorization"].partition(" ")
        fields = dict(field.split("=", 1) for field in rest.split(", "))
        assert scheme == "AWS4-HMAC-SHA256"
        assert fields["Credential"].endswith("/us-east-1/bedrock-mantle/aws4_request")
        signed = fields["SignedHeaders"].split(";")
        assert {"host", "x-amz-date", "x-amz-content-sha256"} <= set(signed)
        assert not [name for name in signed if name.startswith(("x-envoy-", "x-forwarded-"))]
        assert fields["Signature"] == signature(method, path, headers, body, signed)
    recorder.status = 503
    falls_back(envoy, providers)
    shows_nothing(envoy, "AWS4-HMAC-SHA256", AMAZON["AWS_SECRET_ACCESS_KEY"])


def signature(method: str, path: str, headers: dict[str, str], body: bytes, signed: list[str]) -> str:
    """Amazon's own signature of what arrived."""
    signer = SigV4Auth(Credentials(*AMAZON.values()), "bedrock-mantle", "us-east-1")
    url = f"https://{headers['host']}{quote(path, safe='/%')}"
    request = AWSRequest(method, url, {name: headers[name] for name in signed}, body)
    request.context["timestamp"] = headers["x-amz-date"]
    return signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)


def test_a_key_in_a_file_is_rotated_without_a_restart(gateway: Starter, providers: Providers, tmp_path: Path):
    shipped = yaml.safe_load((ROOT / "envoy/secrets/claude.yaml").read_text())

    def write(key: str) -> None:
        shipped["resources"][0]["generic_secret"]["secret"]["inline_string"] = key
        (tmp_path / "new").write_text(json.dumps(shipped))
        (tmp_path / "new").rename(tmp_path / "claude.yaml")

    def sent(text: str) -> dict:
        answer = call(envoy, "chat", "smart", text)
        assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "claude"), answer.text
        return next(r["headers"] for r in providers.received() if text in json.dumps(r.get("body")))

    write("sk-ant-first")
    config = json.dumps(example("file", {"claude": providers.port, "openai": providers.port}))
    envoy = gateway(json.loads(config.replace("envoy/secrets", str(tmp_path))), env=KEYS)
    headers = sent("with the first key")
    assert headers["x-api-key"] == "sk-ant-first" and "authorization" not in headers
    write("sk-ant-second")
    deadline = time.monotonic() + 10
    while (key := sent(f"with the second key {time.monotonic()}")["x-api-key"]) != "sk-ant-second":
        assert key == "sk-ant-first" and time.monotonic() < deadline
        time.sleep(0.1)
    answer = call(envoy, "chat", "smart", "[mock status=529 upstream=anthropic] falls back")
    assert answer.headers["x-dragoman-upstream"] == "openai"
    falls = [r for r in providers.received() if "falls back" in json.dumps(r.get("body"))]
    assert "x-api-key" not in falls[-1]["headers"]
    assert falls[-1]["headers"]["authorization"] == "Bearer sk-openai"
    shows_nothing(envoy, "sk-ant-")


GOOGLE = pytest.mark.skipif(release() < (1, 40), reason="the tokens of a machine need Envoy 1.40")


@GOOGLE
def test_the_machine_has_tokens_of_googles(gateway: Starter, providers: Providers, recorder: Recorder):
    metadata = Recorder()
    ports = {"vertex": recorder.server_port, "openai": providers.port, "gce_metadata": metadata.server_port}
    envoy = gateway(example("google", ports), env=KEYS)
    for _ in range(3):
        answer = call(envoy, "chat", "smart")
        assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "vertex"), answer.text
    assert {headers["authorization"] for _, _, headers, _ in recorder.calls()} == {"Bearer ya29.machine-1"}
    ((_, path, headers, _),) = metadata.requests
    assert path.startswith("/computeMetadata/v1/instance/service-accounts/default/token")
    assert headers["metadata-flavor"] == "Google"
    recorder.status = 503
    falls_back(envoy, providers)
    shows_nothing(envoy, "ya29.machine")
    metadata.shutdown()
    metadata.server_close()


@GOOGLE
def test_without_a_metadata_server_the_others_serve(gateway: Starter, providers: Providers, recorder: Recorder):
    recorder.status = 500
    ports = {"vertex": recorder.server_port, "openai": providers.port, "gce_metadata": recorder.server_port}
    envoy = gateway(example("google", ports), env=KEYS)
    assert call(envoy, "chat", "gpt-4.1").status_code == 200
    assert not recorder.requests, "asked for a model that needs no token"
    falls_back(envoy, providers)
