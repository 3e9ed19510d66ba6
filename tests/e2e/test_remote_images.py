"""Images at an address, for a provider that takes only bytes: fetched by the filter, from a server of the test's own."""

import base64
import http.server
import shutil
import ssl
import subprocess
import threading
import time

import anthropic
import httpx
import openai
import pytest
import yaml
from conftest import PROVIDERS
from documents import KEYS, MOCK_CLAUDE, MOCK_OPENAI, gateway_role, render, standalone

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
LARGEST = 4096
# The answers to paths; what is not here is 404.
FILES = {
    "/a.png": (200, {}, PNG),
    "/b.jpg?size=1": (200, {"content-type": "text/plain"}, JPEG),
    "/page": (200, {"content-type": "image/png"}, b"<html>"),
    "/moved": (302, {"location": "/a.png"}, b""),
    "/large": (200, {}, PNG + bytes(LARGEST)),
    "/packed": (200, {"content-encoding": "gzip"}, PNG),
    "/late": (200, {}, PNG),
}
LOCAL = {"provider": "ollama", "base_url": f"http://127.0.0.1:{PROVIDERS}", "credentials": "none"}
FETCH = {"hosts": ["images.test", "*.cdn.test"], "cluster": "images", "max_bytes": LARGEST, "timeout": "1s"}
MODELS = [
    {"name": "local", "upstreams": ["local"], "upstream_models": {"local": "llava"}, "retries": 0},
    {"name": "reads-addresses", "upstreams": ["claude"], "upstream_models": {"claude": "claude-haiku-4-5"}},
    {"name": "fallback", "upstreams": ["openai", "local"], "retries": 1,
     "upstream_models": {"openai": "gpt-4.1+status=503", "local": "llava"}},
]  # fmt: skip
UPSTREAMS = {"local": LOCAL, "claude": MOCK_CLAUDE, "openai": MOCK_OPENAI}


class Files(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        status, headers, body = FILES.get(self.path, (404, {}, b""))
        if self.path == "/late":
            time.sleep(1.5)
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A server of images, with a certificate for `images.test`."""
    assert shutil.which("openssl"), "openssl makes the certificate"
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", "key", "-out", "crt", "-subj", "/CN=test", "-addext", "subjectAltName=DNS:images.test"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt", folder / "key")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.asked, server.ca = [], str(folder / "crt")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def with_cluster(config: str, files) -> dict:
    """A cluster of the user's own leads to the server."""
    rendered = yaml.safe_load(config)
    socket = {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": "images.test",
            "auto_sni_san_validation": True,
            "common_tls_context": {"validation_context": {"trusted_ca": {"filename": files.ca}}},
        },
    }
    address = {"socket_address": {"address": "127.0.0.1", "port_value": files.server_port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    assignment = {"cluster_name": "images", "endpoints": endpoints}
    cluster = {"name": "images", "type": "STATIC", "load_assignment": assignment, "transport_socket": socket}
    rendered["static_resources"]["clusters"].append(cluster)
    return rendered


@pytest.fixture(scope="module", params=[standalone, gateway_role])
def envoy(request, shared_gateway, files):
    document = request.param(UPSTREAMS, MODELS, remote_images=FETCH)
    envoy = shared_gateway(with_cluster(render(document), files), env=KEYS)
    envoy.role = request.param
    return envoy


@pytest.fixture(autouse=True)
def fresh(providers, files):
    providers.forget()
    files.asked.clear()


def image(url: str) -> dict:
    return {"type": "image_url", "image_url": {"url": url, "detail": "low"}}


def ask(envoy, model: str, *urls: str, **more):
    client = openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="sk-demo", max_retries=0)
    content = [{"type": "text", "text": "Look"}, *map(image, urls)]
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}], **more)


def sent(providers) -> list[bytes]:
    [request] = providers.received()
    return [base64.b64decode(image) for image in request["body"]["messages"][0]["images"]]


def test_images_are_fetched(envoy, providers, files):
    answer = ask(envoy, "local", "https://images.test/a.png", "https://x.cdn.test/b.jpg?size=1", "https://images.test/a.png")
    assert answer.choices[0].message.content.startswith("You said: Look")
    assert sent(providers) == [PNG, JPEG, PNG]
    asked = {path: headers for path, headers in files.asked}
    assert sorted(path for path, _ in files.asked) == ["/a.png", "/b.jpg?size=1"]
    assert [asked[path]["host"] for path in sorted(asked)] == ["images.test", "x.cdn.test"]
    text = str(asked).lower()
    assert "sk-demo" not in text and "authorization" not in text and "x-dragoman" not in text


def test_streams_have_images_too(envoy, providers):
    chunks = list(ask(envoy, "local", "https://images.test/a.png", stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices).startswith("You said")
    assert sent(providers) == [PNG]


def test_images_of_messages_and_of_results_are_fetched(envoy, providers):
    client = anthropic.Anthropic(base_url=envoy.url, api_key="sk-demo", max_retries=0)
    picture = {"type": "image", "source": {"type": "url", "url": "https://images.test/a.png"}}
    answer = client.messages.create(
        model="local", max_tokens=100, messages=[{"role": "user", "content": [picture, {"type": "text", "text": "Look"}]}]
    )
    assert answer.content[0].text.startswith("You said: Look")
    assert sent(providers) == [PNG]


def test_who_reads_addresses_gets_them(envoy, providers, files):
    ask(envoy, "reads-addresses", "https://images.test/a.png", max_tokens=10)
    [request] = providers.received()
    assert request["body"]["messages"][0]["content"][1]["source"] == {"type": "url", "url": "https://images.test/a.png"}
    assert files.asked == []


def test_a_fallback_has_the_images(envoy, providers):
    if envoy.role is standalone:
        pytest.skip("falls back to nobody else")
    ask(envoy, "fallback", "https://images.test/a.png")
    refused, answered = providers.received()
    assert refused["status"] == 503
    url = refused["body"]["messages"][0]["content"][1]["image_url"]["url"]
    assert url == "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert answered["body"]["messages"][0]["images"] == [base64.b64encode(PNG).decode()]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://images.test/none", "its server answered with status 404"),
        ("https://images.test/moved", "its server redirects, which is not followed"),
        ("https://images.test/page", "it is neither PNG, JPEG, GIF nor WebP"),
        ("https://images.test/large", f"it has more than {LARGEST} bytes"),
        ("https://images.test/packed", "its server sends it compressed"),
        ("https://images.test/late", "its server does not answer"),
        ("https://other.test/a.png", "the gateway does not fetch from this host"),
        ("http://images.test/a.png", "only `https://` is fetched"),
        ("https://127.0.0.1/a.png", "it must name a host, without a user, a port or an IP address"),
    ],
)
def test_what_cannot_be_fetched_is_told(envoy, providers, url, why):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(envoy, "local", "https://images.test/a.png", url)
    assert f"the image at `{url}` cannot be fetched: {why}" in caught.value.message
    assert caught.value.code == "image_not_fetched"
    assert providers.received() == []
    # The stream and its VM live on.
    ask(envoy, "local", "https://images.test/a.png")


def test_a_client_that_leaves_meanwhile_hurts_nobody(envoy, providers):
    body = {"model": "local", "messages": [{"role": "user", "content": [image("https://images.test/late")]}]}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{envoy.url}/v1/chat/completions", json=body, headers={"authorization": "Bearer sk-demo"}, timeout=0.3)
    time.sleep(1.5)
    ask(envoy, "local", "https://images.test/a.png")
    assert sent(providers) == [PNG]
    assert "panicked" not in envoy.output()


def test_where_nothing_is_fetched_another_upstream_takes_addresses(gateway, providers):
    models = [{"name": "both", "upstreams": ["local", "openai"], "upstream_models": {"local": "llava", "openai": "gpt-4.1"}},
              {"name": "one", "upstreams": ["local"], "upstream_models": {"local": "llava"}}]  # fmt: skip
    envoy = gateway(render(standalone(UPSTREAMS, models)), env=KEYS)
    ask(envoy, "both", "https://images.test/a.png")
    [request] = providers.received()
    assert request["body"]["messages"][0]["content"][1] == image("https://images.test/a.png")
    with pytest.raises(openai.BadRequestError):
        ask(envoy, "one", "https://images.test/a.png")


def test_the_cluster_that_is_written_finds_hosts_itself(gateway):
    document = standalone(UPSTREAMS, MODELS, remote_images={"hosts": ["no-such-host.invalid.test"]})
    envoy = gateway(render(document), env=KEYS)
    with pytest.raises(openai.BadRequestError, match="its server does not answer"):
        ask(envoy, "local", "https://no-such-host.invalid.test/a.png")
    [tried] = [count for name, count in envoy.stats("dns_query_attempt").items() if "dragoman_remote_images" in name]
    assert tried >= 1
