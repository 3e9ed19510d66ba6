"""The word of other providers' SDKs on requests in their formats.

Cohere makes its types from its description of its API; Mistral's and Ollama's are written by hand.
"""

import inspect
from typing import Literal, NotRequired, get_args

import cohere
import ollama
from mistralai.client import models as mistralai
from official import adapter
from typing_extensions import TypedDict


def same(kind: object, body: object) -> None:
    """Fails where a model does not give back what it read."""
    assert adapter(kind).dump_python(adapter(kind).validate_python(body), mode="json", by_alias=True, exclude_unset=True) == body


def cohere_request(body: dict) -> None:
    """The SDK has no type for a whole request."""
    same(list[cohere.ChatMessageV2], body["messages"])
    for name, kind in {
        "tools": list[cohere.ToolV2],
        "response_format": cohere.ResponseFormatV2,
        "thinking": cohere.Thinking,
        "citation_options": cohere.CitationOptions,
    }.items():
        if name in body:
            same(kind, body[name])
    known = set(inspect.signature(cohere.ClientV2.chat).parameters) | {"stream"}
    assert body.keys() <= known


def mistral_request(body: dict) -> None:
    kind = mistralai.ChatCompletionStreamRequest if body.get("stream") else mistralai.ChatCompletionRequest
    known = {field.alias or name for name, field in kind.model_fields.items()}
    assert body.keys() <= known
    adapter(kind).validate_python(body)


def ollama_request(body: dict) -> None:
    """What the server knows and the SDK does not is in Ollama's `api/types.go`."""
    kind = ollama._types.ChatRequest  # noqa: SLF001
    kind.model_validate(body | {"messages": []})
    assert body.keys() <= kind.model_fields.keys() | {"logprobs", "top_logprobs", "truncate"}
    for sent in body["messages"]:
        images = {"images": [{"value": image} for image in sent["images"]]} if "images" in sent else {}
        ollama.Message.model_validate(sent | images)
        assert sent.keys() <= ollama.Message.model_fields.keys() | {"tool_call_id"}
        for call in sent.get("tool_calls", []):
            assert isinstance(call["function"]["arguments"], dict)
    known = ollama.Options.model_fields.keys()
    assert body.get("options", {}).keys() <= known


class TitanText(TypedDict):
    """https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html"""

    inputText: str
    dimensions: NotRequired[Literal[256, 512, 1024]]
    normalize: NotRequired[bool]
    embeddingTypes: NotRequired[list[Literal["float", "binary"]]]


class NovaText(TypedDict):
    truncationMode: Literal["START", "END", "NONE"]
    value: str


class NovaSingle(TypedDict):
    embeddingPurpose: Literal["GENERIC_INDEX", "GENERIC_RETRIEVAL", "TEXT_RETRIEVAL", "CLASSIFICATION", "CLUSTERING"]
    embeddingDimension: NotRequired[Literal[256, 384, 1024, 3072]]
    text: NovaText


class NovaEmbedding(TypedDict):
    """https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html"""

    schemaVersion: NotRequired[Literal["nova-multimodal-embed-v1"]]
    taskType: Literal["SINGLE_EMBEDDING"]
    singleEmbeddingParams: NovaSingle


def bedrock_embeddings(body: dict) -> None:
    """Each maker's own; Cohere's is that of its API but for the model."""
    if "texts" in body:
        known = set(inspect.signature(cohere.ClientV2.embed).parameters) - {"self", "model", "request_options"}
        assert body.keys() <= known
        assert body["input_type"] in get_args(get_args(cohere.EmbedInputType)[0])
    else:
        same(NovaEmbedding if "taskType" in body else TitanText, body)


# By format, or by a provider that follows OpenAI's in its own way.
def rerank_request(body: dict) -> None:
    """Cohere's own client sends no more than that."""
    known = set(inspect.signature(cohere.ClientV2.rerank).parameters) - {"self", "request_options"}
    assert body.keys() <= known | {"priority"}


CHECKS = {"cohere": cohere_request, "mistral": mistral_request, "ollama": ollama_request}
