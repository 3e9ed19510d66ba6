"""`dragoman envoy`: a real Envoy takes what it writes, and calls get where they should."""

import http.server
import json
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import certifi
import httpx
import pytest
import yaml
from conftest import ENVOY, ROOT
from documents import CLAUDE, KEYS, MOCK_OPENAI, MOCKS, OPENAI, gateway_role, render, standalone

KEY = {"authorization": "Bearer sk-demo"}

LOCAL = {"provider": "openai_compatible", "base_url": "http://vllm.default.svc:8000/v1", "credentials": "none"}
ADDRESS = {"provider": "openai_compatible", "base_url": "https://10.0.0.1:8443/v1", "credentials": "none"}
IPV6 = {"provider": "openai_compatible", "base_url": "http://[::1]:8000/v1", "credentials": "none"}
HOST = {"provider": "openai_compatible", "base_url": "https://llm.example.com/v1", "credentials": "host"}
ALL = {"openai": OPENAI, "claude": CLAUDE, "local": LOCAL, "address": ADDRESS, "ipv6": IPV6, "host": HOST}
BOTH = {"openai": OPENAI, "claude": CLAUDE}
SIGNED = {"provider": "bedrock_mantle", "options": {"region": "eu-west-1"}, "credentials": "host"}
IBM = {"ibm_iam": {"api_key": {"env": "OPENAI_API_KEY"}}}
AZURE = {"azure_ad": {"tenant_id": "t", "client_id": "c", "client_secret": {"env": "OPENAI_API_KEY"}}}
FETCHED = {"ibm": HOST | {"credentials": IBM}, "azure": HOST | {"provider": "azure_ai", "credentials": AZURE}}
HOSTED = {"host": HOST, "signed": SIGNED, "openai": OPENAI}
EVERYWHERE = [{"name": "smart", "aliases": ["gpt-4.1"], "upstreams": list(ALL), "timeouts": {"total": "20m"}}]
MIXED = [
    {"name": "smart", "upstreams": ["openai", "claude"], "retries": 0},
    {"name": "spread", "upstreams": [{"name": "openai", "weight": 3}, "claude"], "balance": "weighted"},
    {"name": "gpt-4.1", "upstreams": ["openai"]},
    {"name": "anthropic/*", "upstreams": ["claude"]},
    {"name": "é \"quoted\": #1", "upstreams": ["claude"]},
]  # fmt: skip

DOCUMENTS = {
    "standalone": standalone(BOTH, [{"name": "gpt-4.1", "upstreams": ["openai"]}, {"name": "*", "upstreams": ["claude"]}]),
    "standalone-all-kinds-of-addresses": standalone(ALL, EVERYWHERE),
    "standalone-without-models": standalone(BOTH),
    "standalone-one-upstream": standalone({"claude": CLAUDE}),
    "gateway": gateway_role(BOTH, MIXED),
    "gateway-all-kinds-of-addresses": gateway_role(ALL, EVERYWHERE),
    "gateway-without-models": gateway_role(BOTH),
    "gateway-one-upstream": gateway_role({"claude": CLAUDE}),
    "caller-in-header": gateway_role(BOTH, MIXED, client_auth="header:x-caller"),
    "caller-in-metadata": standalone(BOTH, MIXED, client_auth="metadata:envoy.filters.http.jwt_authn.key_id"),
    "tokens": gateway_role(FETCHED, [{"name": "m", "upstreams": ["ibm", "azure"]}]),
    "credentials-of-the-host": gateway_role(HOSTED, [{"name": "m", "upstreams": list(HOSTED)}]),
    "standalone-credentials-of-the-host": standalone(HOSTED),
    "numbers": gateway_role({"openai": OPENAI | {"params": {"default": {"temperature": 0.7, "seed": 3000000000}}}}),
    "words": gateway_role({"on": OPENAI, "y": CLAUDE}, [{"name": "no", "upstreams": ["on", "y"]}]),
}  # fmt: skip


def validate(*arguments: str | Path) -> None:
    # Validation compiles the module and has it read its configuration.
    command = [ENVOY, "--mode", "validate", "--use-dynamic-base-id", "--log-level", "warning", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | KEYS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "eprecated" not in done.stderr


@pytest.mark.parametrize("name", DOCUMENTS)
def test_envoy_takes_it(name: str, tmp_path: Path):
    path = tmp_path / "envoy.yaml"
    (tmp_path / "host.yaml").write_text('{"resources": []}')
    path.write_text(render(DOCUMENTS[name], "--ca", certifi.where(), "--secrets", tmp_path))
    validate("-c", path)


@pytest.mark.parametrize("name", ["standalone", "gateway"])
def test_envoy_takes_the_parts(name: str, tmp_path: Path):
    path = tmp_path / "envoy.yaml"
    path.write_text(render(DOCUMENTS[name], "--only", "listener"))
    validate("-c", path, "--config-yaml", render(DOCUMENTS[name], "--only", "clusters", "--ca", certifi.where()))


def call(envoy, model: str, text: str = "Hi", path: str = "/v1/chat/completions", headers: dict = KEY):
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    return httpx.post(envoy.url + path, json=body, headers=headers)


MODELS = [
    {"name": "one", "upstreams": ["openai"], "upstream_models": {"openai": "gpt-4.1"}},
    {"name": "smart", "upstreams": ["claude", "openai"],
     "upstream_models": {"claude": "claude-sonnet-4-5", "openai": "gpt-4.1"}},
    {"name": "spread", "upstreams": [{"name": "claude", "weight": 3}, "openai"], "balance": "weighted",
     "upstream_models": {"claude": "claude-sonnet-4-5", "openai": "gpt-4.1"}},
    {"name": "anthropic/*", "upstreams": ["claude"]},
]  # fmt: skip


@pytest.mark.parametrize("kind", [standalone, gateway_role])
def test_calls_reach_the_models(kind, gateway):
    envoy = gateway(render(kind(MOCKS, MODELS)), env=KEYS)
    for model, upstream in [("one", "openai"), ("smart", "claude"), ("anthropic/claude-haiku-4-5", "claude")]:
        answer = call(envoy, model)
        assert (answer.status_code, answer.headers.get("x-dragoman-upstream")) == (200, upstream), answer.text
    assert call(envoy, "nobody").status_code == 404
    assert call(envoy, "one", headers={}).status_code == 401


def test_a_retry_falls_back_to_the_next_upstream(gateway):
    envoy = gateway(render(gateway_role(MOCKS, MODELS)), env=KEYS)
    answer = call(envoy, "smart", "[mock status=529 upstream=anthropic]")
    assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "openai"), answer.text
    assert answer.headers["x-dragoman-attempts"] == "2"


def test_weights_are_kept_and_a_retry_goes_elsewhere(gateway):
    # By a name, as Envoy looks after such addresses in another way; the upstreams are at one address.
    by_name = {n: u | {"base_url": u["base_url"].replace("127.0.0.1", "localhost")} for n, u in MOCKS.items()}
    envoy = gateway(render(gateway_role(by_name, MODELS)), env=KEYS)
    answers = [call(envoy, "spread").headers["x-dragoman-upstream"] for _ in range(1000)]
    # Three of four, within four standard deviations.
    assert abs(answers.count("claude") - 750) < 4 * (1000 * 3 / 4 * 1 / 4) ** 0.5
    assert answers.count("openai") == 1000 - answers.count("claude")
    for _ in range(4):
        answer = call(envoy, "spread", "[mock status=529 upstream=anthropic]")
        assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "openai"), answer.text


@pytest.mark.parametrize("kind", [standalone, gateway_role])
def test_paths_choose_where_no_models_are_listed(kind, gateway):
    envoy = gateway(render(kind(MOCKS)), env=KEYS)
    for upstream, model in [("openai", "gpt-4.1"), ("claude", "claude-haiku-4-5")]:
        answer = call(envoy, model, path=f"/{upstream}/v1/chat/completions")
        assert (answer.status_code, answer.headers.get("x-dragoman-upstream")) == (200, upstream), answer.text


def test_a_client_cannot_send_the_header_that_the_host_sets(gateway):
    document = gateway_role(MOCKS, MODELS, client_auth="header:x-caller")
    caller = {"x-caller": "demo"}
    assert call(gateway(render(document), env=KEYS), "one", headers=caller).status_code == 401
    # With the host's filter in its place.
    rendered = yaml.safe_load(render(document))
    manager = rendered["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    mutation = {"append": {"header": {"key": "x-caller", "value": "demo"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
    of = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"
    setter = {"@type": of, "mutations": {"request_mutations": [mutation]}}
    manager["http_filters"].insert(0, {"name": "envoy.filters.http.header_mutation", "typed_config": setter})
    assert call(gateway(rendered, env=KEYS), "one", headers={}).status_code == 200


def test_numbers_reach_the_provider_as_they_were_written(gateway, providers):
    upstream = MOCK_OPENAI | {"params": {"default": {"temperature": 0.7, "seed": 3000000000}}}
    envoy = gateway(render(standalone({"openai": upstream})), env=KEYS)
    assert call(envoy, "gpt-4.1", "numbers as written").status_code == 200
    bodies = [sent["body"] for sent in httpx.get(f"{providers.url}/mock/requests").json()]
    sent = next(body for body in bodies if "numbers as written" in json.dumps(body))
    assert (sent["temperature"], sent["seed"]) == (0.7, 3000000000)


class Answer(http.server.BaseHTTPRequestHandler):
    """A provider that says which name the client asked for in TLS."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": f"SNI {self.connection.context.asked}"}
        answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "m",
                  "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}  # fmt: skip
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, int]]]:
    """An authority's certificate, and the ports of servers on 127.0.0.1 by the one name that theirs is for."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make certificates")
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(*new, "-x509", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test", "-days", "2")
    servers, ports = [], {}
    for number, name in enumerate(["DNS:localhost", "DNS:a.localhost", "DNS:elsewhere.example", "IP:127.0.0.1"]):
        (folder / "san").write_text(f"subjectAltName={name}\n")
        openssl(*new, "-keyout", f"{number}.key", "-out", "csr", "-subj", "/CN=test")
        openssl("x509", "-req", "-in", "csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{number}.crt", "-days", "2", "-extfile", "san")  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{number}.crt", folder / f"{number}.key")
        context.sni_callback = lambda _, asked, context: setattr(context, "asked", asked)
        context.asked = None
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        ports[name.split(":")[1]] = server.server_port
    yield folder / "ca.crt", ports
    for server in servers:
        server.shutdown()
        server.server_close()


def test_certificates_are_checked_by_name(tls, gateway):
    ca, ports = tls

    def at(host: str, port: int) -> dict:
        return {"provider": "openai_compatible", "base_url": f"https://{host}:{port}/v1", "credentials": "none"}

    upstreams = {
        "one": at("localhost", ports["localhost"]),
        "other": at("a.localhost", ports["a.localhost"]),
        "ip": at("127.0.0.1", ports["127.0.0.1"]),
        "wrong": at("localhost", ports["elsewhere.example"]),
        "wrong-ip": at("127.0.0.1", ports["localhost"]),
        "plain": MOCK_OPENAI,
    }
    # The retries are none, so that the first upstream answers or nobody.
    orders = {name: [name] for name in upstreams} | {
        "one-first": ["one", "other", "ip"],
        "other-first": ["other", "one", "plain"],
        "ip-first": ["ip", "plain", "one"],
        "plain-first": ["plain", "one", "ip"],
        "wrong-first": ["wrong", "other", "plain"],
    }
    models = [{"name": name, "upstreams": order, "retries": 0} for name, order in orders.items()]
    envoy = gateway(render(gateway_role(upstreams, models), "--ca", ca), env=KEYS)
    names = {"one": "SNI localhost", "other": "SNI a.localhost", "ip": "SNI None", "plain": "You said: Hi"}
    for model, order in orders.items():
        answer = call(envoy, model)
        if order[0].startswith("wrong"):
            assert answer.status_code == 503, model
        else:
            assert answer.status_code == 200, (model, answer.text)
            assert answer.json()["choices"][0]["message"]["content"] == names[order[0]], model
