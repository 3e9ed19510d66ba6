"""What we send to Amazon against botocore: its model of Bedrock's requests, and its signatures."""

import base64
import datetime
import json
import os
import subprocess

import botocore.auth
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator
from conftest import COMMAND
from test_types import FOLDERS, GOLDEN, Case

SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")
CONVERSE = [case for case in map(Case, FOLDERS) if (case.folder / "upstream.json").exists() and "/converse" in case.target]
NAMES = [str(case.folder.relative_to(GOLDEN)) for case in CONVERSE]


def native(shape, value):
    """Bytes where botocore wants bytes; whatever is not of the model is left for the validator."""
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=True)
    if shape.type_name == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        return {name: native(shape.members[name], member) if name in shape.members else member for name, member in value.items()}
    if shape.type_name == "list":
        return [native(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {name: native(shape.value, member) for name, member in value.items()}
    return value


@pytest.mark.parametrize("case", CONVERSE, ids=NAMES)
def test_requests(case: Case):
    streamed = case.target.endswith("-stream")
    shape = SERVICE.operation_model("ConverseStream" if streamed else "Converse").input_shape
    body = {"modelId": case.target.split("/")[2].replace("%3A", ":").replace("%2F", "/")} | case.json("upstream.json")["body"]
    report = ParamValidator().validate(native(shape, body), shape)
    assert not report.has_errors(), report.generate_report()
    unknown = body.keys() - shape.members.keys()
    assert not unknown
    for block in (block for message in body["messages"] for block in message["content"]):
        assert len(block) == 1, block
    roles = [message["role"] for message in body["messages"]]
    assert roles[0] == "user" and all(one != other for one, other in zip(roles, roles[1:], strict=False))


KEYS = {"access_key_id": {"env": "AWS_ID"}, "secret_access_key": {"env": "AWS_KEY"}}
SESSION = KEYS | {"session_token": {"env": "AWS_TOKEN"}}
SECRETS = {"AWS_ID": "AKIDEXAMPLE", "AWS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "AWS_TOKEN": "AQoDYXdzEPT//////////w="}
MODELS = [
    "us.amazon.nova-pro-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
]
NOW = datetime.datetime(2026, 11, 25, 10, 30, tzinfo=datetime.UTC)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("keys", [KEYS, SESSION], ids=["static", "session"])
def test_signatures(keys: dict, model: str, stream: bool, tmp_path, monkeypatch):
    upstream = {"provider": "bedrock", "options": {"region": "eu-central-1"}, "credentials": {"aws": keys}}
    (tmp_path / "c.json").write_text(json.dumps({"upstreams": {"aws": upstream}}))
    request = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Grüße"}]}
    command = [COMMAND, "translate", "request", "--config", tmp_path / "c.json", "--upstream", "aws", "--path", "/v1/chat/completions"]
    environment = os.environ | SECRETS | {"DRAGOMAN_NOW": str(int(NOW.timestamp()))}
    done = subprocess.run(command, input=json.dumps(request, ensure_ascii=False), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    sent = json.loads(done.stdout)
    ours = {name: value for name, value in sent["headers"].items() if name.startswith("x-amz-") or name == "content-type"}

    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: NOW.replace(tzinfo=None))
    host = "bedrock-runtime.eu-central-1.amazonaws.com"
    # The bytes that go out are those of the body without a space between its tokens.
    body = json.dumps(sent["body"], separators=(",", ":"), ensure_ascii=False).encode()
    theirs = AWSRequest("POST", f"https://{host}{sent['path']}", headers={"content-type": ours["content-type"]}, data=body)
    token = SECRETS["AWS_TOKEN"] if "session_token" in keys else None
    SigV4Auth(Credentials(SECRETS["AWS_ID"], SECRETS["AWS_KEY"], token), "bedrock", "eu-central-1").add_auth(theirs)
    assert sent["headers"]["authorization"] == theirs.headers["Authorization"]
    assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]
