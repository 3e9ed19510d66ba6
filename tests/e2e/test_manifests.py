"""`dragoman envoy --for`: manifests are of the control planes' schemas, and Envoy takes what they add to it."""

import copy
import json
import os
import subprocess
from pathlib import Path

import certifi
import pytest
import yaml
from conftest import ENVOY, ROOT
from documents import KEYS, render
from test_envoy_command import DOCUMENTS

PACKAGES = ROOT / "target/tools/crds/node_modules/@kubernetes-models"
ISTIO = "istio/_schemas/NetworkingIstioIoV1alpha3EnvoyFilter"
PATCHES = "envoy-gateway/_schemas/ComGithubEnvoyproxyGatewayApiV1alpha1EnvoyPatchPolicy"
BOOTSTRAP = "envoy-gateway/_schemas/ComGithubEnvoyproxyGatewayApiV1alpha1ProxyBootstrap"

CHECK = """
import { readFileSync } from "node:fs";
const { validate } = await import(process.argv[1]);
if (!validate(JSON.parse(readFileSync(0)))) { console.log(JSON.stringify(validate.errors)); process.exit(1); }
"""


def faults(schema: str, document: dict) -> str:
    """What is wrong with a document by a schema of a resource."""
    command = ["node", "--input-type=module", "--eval", CHECK, str(PACKAGES / f"{schema}.js")]
    done = subprocess.run(command, input=json.dumps(document), capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.stdout


def manifest(name: str, folder: Path, *arguments: str) -> list[dict]:
    return list(yaml.safe_load_all(render(DOCUMENTS[name], "--ca", certifi.where(), "--secrets", folder, *arguments)))


def validate(bootstrap: dict, path: Path) -> None:
    (path.parent / "host.yaml").write_text('{"resources": []}')
    path.write_text(json.dumps(bootstrap | {"node": {"id": "gateway", "cluster": "gateway"}}))
    command = [ENVOY, "--mode", "validate", "--use-dynamic-base-id", "--log-level", "warning", "-c", path]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | KEYS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


SOME = ["gateway", "gateway-all-kinds-of-addresses", "standalone", "tokens", "words"]


@pytest.mark.parametrize("name", SOME)
def test_istio(name: str, tmp_path: Path):
    (document,) = manifest(name, tmp_path, "--for", "istio", "--gateway", "edge/llm")
    assert faults(ISTIO, document) == ""
    assert document["metadata"] == {"name": "dragoman", "namespace": "edge"}
    assert document["spec"]["workloadSelector"] == {"labels": {"istio": "llm"}}
    patches = document["spec"]["configPatches"]
    of = {kind: [patch["patch"] for patch in patches if patch["applyTo"] == kind] for kind in ["LISTENER", "CLUSTER", "BOOTSTRAP"]}
    assert {patch["operation"] for patch in of["LISTENER"] + of["CLUSTER"]} == {"ADD"}
    resources = {kind.lower() + "s": [patch["value"] for patch in of[kind]] for kind in ["LISTENER", "CLUSTER"]}
    validate({"static_resources": resources} | of["BOOTSTRAP"][0]["value"], tmp_path / "envoy.json")


@pytest.mark.parametrize("name", SOME)
def test_envoy_gateway(name: str, tmp_path: Path):
    policy, proxy = manifest(name, tmp_path, "--for", "envoy-gateway")
    assert faults(PATCHES, policy) == ""
    assert faults(BOOTSTRAP, proxy["spec"]["bootstrap"]) == ""
    assert policy["spec"]["targetRef"]["name"] == "eg"
    listener, *clusters = policy["spec"]["jsonPatches"]
    assert listener["name"] == "default/eg/http"
    assert [patch["name"] for patch in clusters] == [patch["operation"]["value"]["name"] for patch in clusters]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 10080}}
    whole = {"name": listener["name"], "address": address, "default_filter_chain": listener["operation"]["value"]}
    resources = {"listeners": [whole], "clusters": [patch["operation"]["value"] for patch in clusters]}
    validate({"static_resources": resources} | yaml.safe_load(proxy["spec"]["bootstrap"]["value"]), tmp_path / "envoy.json")


def test_the_schemas_refuse_what_is_wrong(tmp_path: Path):
    (istio,) = manifest("gateway", tmp_path, "--for", "istio")
    wrong = copy.deepcopy(istio)
    wrong["spec"]["configPatches"][0]["applyTo"] = "LISTENERS"
    assert "applyTo" in faults(ISTIO, wrong)
    policy, _ = manifest("gateway", tmp_path, "--for", "envoy-gateway")
    wrong = copy.deepcopy(policy)
    del wrong["spec"]["jsonPatches"][0]["operation"]["op"]
    assert "operation" in faults(PATCHES, wrong)
