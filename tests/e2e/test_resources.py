"""Files, batches and fine-tuning jobs that a provider keeps: each is its maker's alone."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
import pytest
from calls import KEY
from conftest import HTTP, Envoy, Starter
from documents import DEMO, KEYS, OPENAI, gateway_role, render, standalone

# The second secret is `sk-other`.
OTHER = {"id": "other", "hash": "sha256:3dcad332ca200026cb05197382714c13fbe0737dee3d327981a235067882d2d3"}


class Keeper(BaseHTTPRequestHandler):
    """OpenAI's API as far as it keeps things: https://platform.openai.com/docs/api-reference/files."""

    protocol_version = "HTTP/1.1"
    kept: dict[str, dict] = {}
    bytes: dict[str, bytes] = {}

    def log_message(self, *_: object) -> None:
        pass

    def body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def reply(self, status: int, body: object, kind: str = "application/json") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def missing(self, name: str) -> None:
        self.reply(404, {"error": {"message": f"No such object: {name}", "type": "invalid_request_error", "param": "id", "code": None}})

    def do_GET(self) -> None:
        *_, name = self.path.removesuffix("/content").removesuffix("/events").split("/")
        if self.path.endswith("/content"):
            return self.reply(200, self.bytes[name], "application/octet-stream")
        if self.path.endswith("/events"):
            event = {"object": "fine_tuning.job.event", "id": "ftevent-1", "created_at": 1, "level": "info", "message": "m"}
            return self.reply(200, {"object": "list", "data": [event], "has_more": False})
        self.reply(200, self.kept[name]) if name in self.kept else self.missing(name)

    def do_DELETE(self) -> None:
        name = self.path.split("/")[-1]
        self.reply(200, {"id": name, "object": "file", "deleted": self.kept.pop(name, None) is not None})

    def do_POST(self) -> None:
        body, number = self.body(), len(self.kept) + 1
        if self.headers["authorization"] != "Bearer sk-openai":
            return self.reply(401, {"error": {"message": "no", "type": "x", "param": None, "code": None}})
        if self.path == "/v1/files":
            name = f"file-{number}"
            self.bytes[name] = re.search(rb"\r\n\r\n(\{.*\})\r\n--", body, re.S)[1]
            made = {"id": name, "object": "file", "bytes": len(self.bytes[name]), "created_at": 1, "filename": "a.jsonl", "purpose": "batch", "status": "processed"}
        elif self.path.endswith("/cancel"):
            name = self.path.split("/")[-2]
            made = self.kept[name] | {"status": "cancelling"}
        else:
            asked = json.loads(body)
            source = asked.get("input_file_id") or asked["training_file"]
            if source not in self.kept:
                return self.missing(source)
            if self.path == "/v1/batches":
                name = f"batch_{number}"
                made = {"id": name, "object": "batch", "status": "validating", "created_at": 1, "errors": None} | asked
                made |= {"output_file_id": "file-out", "error_file_id": None}
            else:
                name = f"ftjob-{number}"
                made = {"id": name, "object": "fine_tuning.job", "status": "queued", "created_at": 1, "result_files": ["file-x"], "hyperparameters": {}, "organization_id": "o", "seed": 1} | asked
        self.kept[name] = made
        self.reply(200, made)


@pytest.fixture(scope="module", params=[gateway_role, standalone])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter) -> Iterator[Envoy]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rules = ["* /files/**", "* /files", "* /batches/**", "* /batches", "* /fine_tuning/**"]
    kept = OPENAI | {"base_url": f"http://127.0.0.1:{server.server_port}/v1", "pass": rules}
    keys = [DEMO[0] | {"upstreams": ["openai"]}, OTHER | {"upstreams": ["openai"]}]
    models = [{"name": "gpt", "upstreams": ["openai"]}]
    yield shared_gateway(render(request.param({"openai": kept}, models, keys=keys)), env=KEYS)
    server.shutdown()


def connect(envoy: Envoy, key: str) -> openai.OpenAI:
    return openai.OpenAI(api_key=key, base_url=f"{envoy.url}/upstream/openai", max_retries=0)


LINE = json.dumps({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"id": "file-1"}}).encode()


def test_a_batch_from_its_file_to_its_end(envoy: Envoy):
    client = connect(envoy, KEY)
    file = client.files.create(file=("a.jsonl", LINE), purpose="batch")
    assert re.fullmatch(r"file-\d+-[0-9a-f]{32}", file.id)
    assert client.files.retrieve(file.id) == file
    assert client.files.content(file.id).read() == LINE
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    assert batch.input_file_id == file.id and batch.id.startswith("batch_") and batch.output_file_id.startswith("file-out-")
    assert client.batches.retrieve(batch.id) == batch
    assert client.batches.cancel(batch.id).status == "cancelling"
    job = client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file.id)
    assert job.training_file == file.id and job.result_files[0].startswith("file-x-")
    assert client.fine_tuning.jobs.retrieve(job.id).id == job.id
    assert next(iter(client.fine_tuning.jobs.list_events(job.id))).message == "m"
    assert client.files.delete(file.id).id == file.id


def test_nobody_else_has_it(envoy: Envoy):
    mine, other = connect(envoy, KEY), connect(envoy, "sk-other")
    file = mine.files.create(file=("a.jsonl", LINE), purpose="batch")
    raw = file.id.rsplit("-", 1)[0]
    for client, name in ((other, file.id), (mine, raw), (other, raw), (mine, file.id[:-1] + "g")):
        for call in (client.files.retrieve, client.files.content, client.files.delete):
            with pytest.raises(openai.NotFoundError):
                call(name)
        with pytest.raises(openai.NotFoundError):
            client.batches.create(input_file_id=name, endpoint="/v1/chat/completions", completion_window="24h")
        with pytest.raises(openai.NotFoundError):
            client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=name)
    for call in (mine.files.list, mine.batches.list, mine.fine_tuning.jobs.list):
        with pytest.raises(openai.PermissionDeniedError, match="nobody may list"):
            list(call())


def test_errors_are_the_providers(envoy: Envoy):
    client = connect(envoy, KEY)
    file = client.files.create(file=("a.jsonl", LINE), purpose="batch")
    client.files.delete(file.id)
    with pytest.raises(openai.NotFoundError, match="No such object"):
        client.files.retrieve(file.id)
    got = HTTP.post(f"{envoy.url}/upstream/openai/batches", content=b"[", headers={"authorization": f"Bearer {KEY}"})
    assert got.status_code == 400 and "not JSON" in got.json()["error"]["message"]
