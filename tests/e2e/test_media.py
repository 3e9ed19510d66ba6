"""Images and audio: OpenAI's own client, to several providers, in a real Envoy."""

import base64
import io
import json
import struct
import zlib

import openai
import pytest
from calls import KEY, counted
from conftest import HTTP, PROVIDERS, Envoy, Starter
from documents import KEYS, MOCKS, gateway_role, render, standalone
from scripted import Scripted, answer

MOCK = {"base_url": f"http://127.0.0.1:{PROVIDERS}"}
SOUND = base64.b64encode(b"\x01\x00\x02\x00").decode()
SPOKEN = {
    "candidates": [{"content": {"role": "model", "parts": [{"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=16000", "data": SOUND}}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 30, "totalTokenCount": 34},
}  # fmt: skip
PREDICTED = {"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": "AAAA"}] * 2}
PAINTED = {"images": ["AAAA"]}
DRAWN = {"id": "1", "base64": ["data:image/png;base64,AAAA"], "finishReason": "SUCCESS", "seed": 7}
JSON = {"content-type": "application/json"}
MODELS = {
    "gpt-image-1": ("openai", "gpt-image-1"),
    "dall-e-3": ("openai", "dall-e-3"),
    "gemini-image": ("gemini", "gemini-3-pro-image"),
    "imagen": ("scripted-gemini", "imagen-4.0-generate-001"),
    "nova": ("scripted-bedrock", "amazon.nova-canvas-v1:0"),
    "flux": ("scripted-fireworks", "accounts/fireworks/models/flux-1-schnell-fp8"),
    "tts-1": ("openai", "tts-1"),
    "eleven": ("elevenlabs", "eleven_multilingual_v2"),
    "aura": ("deepgram", "aura-2-thalia-en"),
    "gemini-tts": ("scripted-gemini", "gemini-2.5-flash-preview-tts"),
    "whisper-1": ("openai", "whisper-1"),
    "gpt-4o-transcribe": ("openai", "gpt-4o-transcribe"),
    "renamed": ("openai", "whisper-1"),
    "scribe": ("elevenlabs", "scribe_v1"),
    "nova-3": ("deepgram", "nova-3"),
    "claude": ("claude", "claude-haiku-4-5"),
}


@pytest.fixture(scope="module", params=[gateway_role, standalone])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter):
    good = lambda body: [answer("200 OK", JSON, json.dumps(body).encode())]  # noqa: E731
    scripted = Scripted({"imagen": good(PREDICTED), "nova-canvas": good(PAINTED), "-tts": good(SPOKEN), "flux-1": good(DRAWN)})
    address = {"base_url": f"http://127.0.0.1:{scripted.port}"}
    key = lambda value: {"credentials": {"api_key": {"value": value}}}  # noqa: E731
    upstreams = MOCKS | {
        "gemini": {"provider": "gemini"} | key("AIza") | MOCK,
        "elevenlabs": {"provider": "elevenlabs"} | key("xi") | MOCK,
        "deepgram": {"provider": "deepgram"} | key("dg") | MOCK,
        "scripted-gemini": {"provider": "gemini"} | key("AIza") | address,
        "scripted-fireworks": {"provider": "fireworks_ai"} | key("fw") | address,
        "scripted-bedrock": {"provider": "bedrock", "options": {"region": "us-east-1"}} | key("bedrock") | address,
    }
    models = [
        {"name": name, "upstreams": [upstream], "upstream_models": {upstream: model}, "retries": 0}
        for name, (upstream, model) in MODELS.items()
    ]
    started = shared_gateway(render(request.param(upstreams, models)), env=KEYS)
    started.scripted = scripted
    yield started
    scripted.stop()


@pytest.fixture
def client(envoy: Envoy) -> openai.OpenAI:
    return openai.OpenAI(api_key=KEY, base_url=f"{envoy.url}/v1", max_retries=0)


def png() -> bytes:
    """One pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + chunk(b"IEND", b"")


# Images


@pytest.mark.parametrize(("model", "count"), [("gpt-image-1", 2), ("dall-e-3", 1), ("gemini-image", 1), ("imagen", 2), ("nova", 1), ("flux", 1)])
def test_images_are_made(envoy: Envoy, client: openai.OpenAI, model: str, count: int):
    before = envoy.samples("dragoman_")
    got = client.images.generate(model=model, prompt="A fox", n=count, size="1024x1024")
    assert len(got.data) == count and all(base64.b64decode(image.b64_json) for image in got.data)
    after = envoy.samples("dragoman_")
    ((labels, calls),) = counted(before, after, "dragoman_requests_total").items()
    assert (labels[1], labels[2], labels[4], calls) == (model, "images", "200", 1)
    if model == "gpt-image-1":
        assert got.usage.total_tokens == 282
        assert sum(counted(before, after, "dragoman_cost_nanousd_total").values()) > 0


def test_images_are_streamed(client: openai.OpenAI):
    events = list(client.images.generate(model="gpt-image-1", prompt="A fox", stream=True, partial_images=1))
    assert [event.type for event in events] == ["image_generation.partial_image", "image_generation.completed"]


@pytest.mark.parametrize("model", ["gpt-image-1", "dall-e-3"])
def test_images_are_changed(envoy: Envoy, client: openai.OpenAI, model: str):
    files = [("a.png", png(), "image/png"), ("b.png", png(), "image/png")]
    got = client.images.edit(model=model, image=files, prompt="Redder", n=1)
    assert got.data[0].b64_json
    form = [("image[]", ("a.png", png(), "image/png")), ("prompt", (None, "Redder")), ("model", (None, model))]
    got = HTTP.post(f"{envoy.url}/v1/images/edits", files=form, headers={"authorization": f"Bearer {KEY}"})
    assert got.status_code == 200, got.text


def test_what_others_are_sent(envoy: Envoy, client: openai.OpenAI):
    client.images.generate(model="nova", prompt="A fox", n=3, size="512x768", quality="hd", extra_body={"seed": 7})
    sent = envoy.scripted.bodies[-1]
    config = {"numberOfImages": 3, "width": 512, "height": 768, "quality": "premium", "seed": 7}
    assert sent == {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "A fox"}, "imageGenerationConfig": config}
    got = client.images.with_raw_response.generate(model="imagen", prompt="A fox", size="1792x1024", style="vivid")
    sent = envoy.scripted.bodies[-1]
    assert sent == {"instances": [{"prompt": "A fox"}], "parameters": {"sampleCount": 1, "aspectRatio": "16:9"}}
    assert got.headers["x-dragoman-dropped-params"] == "style"
    got = client.images.with_raw_response.generate(model="flux", prompt="A fox", size="1024x1536", user="me", extra_body={"seed": 7})
    assert envoy.scripted.bodies[-1] == {"prompt": "A fox", "aspect_ratio": "2:3", "seed": 7}
    assert got.headers["x-dragoman-dropped-params"] == "user"


# Speech


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("tts-1", b"mp3:The quick fox"),
        ("eleven", b"mp3_44100_128:21m00Tcm4TlvDq8ikWAM:The quick fox"),
        ("aura", b"/v1/speak?model=aura-2-thalia-en&encoding=mp3&container=none:The quick fox"),
    ],
)
def test_texts_are_read_aloud(envoy: Envoy, client: openai.OpenAI, model: str, expected: bytes):
    before = envoy.samples("dragoman_")
    with client.audio.speech.with_streaming_response.create(model=model, input="The quick fox", voice="21m00Tcm4TlvDq8ikWAM") as got:
        assert got.headers["content-type"] == "audio/mpeg"
        assert b"".join(got.iter_bytes()) == expected
    after = envoy.samples("dragoman_")
    ((labels, calls),) = counted(before, after, "dragoman_requests_total").items()
    assert (labels[1], labels[2], labels[4], calls) == (model, "speech", "200", 1)
    if model == "tts-1":
        # 15 USD for a million characters.
        assert sum(counted(before, after, "dragoman_cost_nanousd_total").values()) == 13 * 15_000


def test_googles_sound_becomes_a_file(envoy: Envoy, client: openai.OpenAI):
    got = client.audio.speech.create(model="gemini-tts", input="Hi", voice="Kore", instructions="Say it softly")
    assert got.response.headers["content-type"] == "audio/wav"
    file = got.read()
    assert file[:4] == b"RIFF" and file[8:16] == b"WAVEfmt " and struct.unpack("<I", file[24:28]) == (16000,)
    assert file[44:] == b"\x01\x00\x02\x00" and struct.unpack("<I", file[40:44]) == (4,)
    sent = envoy.scripted.bodies[-1]
    assert sent["contents"][0]["parts"] == [{"text": "Say it softly: Hi"}]
    assert sent["generationConfig"]["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"] == {"voiceName": "Kore"}
    raw = client.audio.speech.create(model="gemini-tts", input="Hi", voice="Kore", response_format="pcm")
    assert raw.read() == b"\x01\x00\x02\x00"


def test_speech_comes_as_events(client: openai.OpenAI):
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", input="Hi", voice="alloy", extra_body={"stream_format": "sse"}
    ) as got:
        assert got.headers["content-type"].startswith("text/event-stream")
        assert "speech.audio.done" in got.read().decode()


# Transcriptions


def total(data: bytes) -> int:
    value = 0
    for byte in data:
        value = (value * 31 + byte) & 0xFFFFFFFF
    return value


RECORDING = bytes(range(256)) * 8 + b"\r\n--boundary\r\n" * 4


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-transcribe", "renamed"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("size", [1, 150])
def test_recordings_are_written_down(envoy: Envoy, model: str, last: bool, size: int):
    """Wherever the recording stands in the form, and however long it is, it arrives as it was."""
    data = RECORDING * size
    file = ("file", ("fox.mp3", data, "audio/mpeg"))
    fields = [("model", (None, model)), ("language", (None, "en")), ("timestamp_granularities[]", (None, "word"))]
    form = [*fields, file] if last else [file, *fields]
    before = envoy.samples("dragoman_")
    got = HTTP.post(f"{envoy.url}/v1/audio/transcriptions", files=form, headers={"authorization": f"Bearer {KEY}"})
    assert got.status_code == 200, got.text
    assert got.json()["text"] == f"{len(data)} bytes of audio/mpeg that add up to {total(data)}"
    after = envoy.samples("dragoman_")
    ((labels, calls),) = counted(before, after, "dragoman_requests_total").items()
    assert (labels[1], labels[2], labels[4], calls) == (model, "transcriptions", "200", 1)
    if model != "gpt-4o-transcribe":
        # 0.006 USD a minute, for 3 seconds.
        assert sum(counted(before, after, "dragoman_cost_nanousd_total").values()) == 300_000


@pytest.mark.parametrize("kind", ["json", "verbose_json", "text", "srt"])
def test_openais_client_has_its_formats(client: openai.OpenAI, kind: str):
    file = ("fox.wav", RECORDING, "audio/wav")
    got = client.audio.transcriptions.create(model="whisper-1", file=file, response_format=kind)
    text = got if isinstance(got, str) else got.text
    assert f"{len(RECORDING)} bytes of audio/wav" in text
    if kind == "verbose_json":
        assert got.duration == 3.25


def test_transcripts_are_streamed(client: openai.OpenAI):
    stream = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("fox.mp3", RECORDING), stream=True)
    assert [event.type for event in stream] == ["transcript.text.delta", "transcript.text.done"]


def test_translations(envoy: Envoy, client: openai.OpenAI):
    assert client.audio.translations.create(model="whisper-1", file=("fox.mp3", RECORDING)).text.startswith("In English")
    with pytest.raises(openai.InternalServerError, match="cannot do this"):
        client.audio.translations.create(model="nova-3", file=("fox.mp3", RECORDING))


@pytest.mark.parametrize("model", ["scribe", "nova-3"])
@pytest.mark.parametrize("size", [1, 150])
def test_others_write_down_as_well(envoy: Envoy, client: openai.OpenAI, model: str, size: int):
    data = RECORDING * size
    file = ("fox.mp3", io.BytesIO(data), "audio/mpeg")
    got = client.audio.transcriptions.create(model=model, file=file, language="en")
    assert got.text.startswith(f"{len(data)} bytes")
    file = ("fox.mp3", data, "audio/mpeg")
    words = client.audio.transcriptions.create(
        model=model, file=file, response_format="verbose_json", timestamp_granularities=["word"]
    )
    assert words.words[0].end > words.words[0].start and words.duration in (2.5, 12.5)
    plain = client.audio.transcriptions.create(model=model, file=file, response_format="text")
    assert plain.strip() == got.text
    with pytest.raises(openai.BadRequestError, match="has no such format"):
        client.audio.transcriptions.create(model=model, file=file, response_format="srt")


# Errors


def test_bad_calls_are_told(envoy: Envoy, client: openai.OpenAI):
    headers = {"authorization": f"Bearer {KEY}"}
    got = HTTP.post(f"{envoy.url}/v1/audio/transcriptions", json={"model": "whisper-1"}, headers=headers)
    assert got.status_code == 415 and "multipart/form-data" in got.json()["error"]["message"]
    broken = headers | {"content-type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x", b"--x\r\nnothing", b"--x--", b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc"):
        got = HTTP.post(f"{envoy.url}/v1/audio/transcriptions", content=body, headers=broken)
        assert got.status_code == 400, (body, got.text)
        assert got.json()["error"]["type"] == "invalid_request_error"
    got = HTTP.post(f"{envoy.url}/v1/audio/transcriptions", files={"model": (None, "whisper-1")}, headers=headers)
    assert got.status_code == 400 and got.json()["error"]["param"] == "file"
    with pytest.raises(openai.BadRequestError, match="expected `auto` or a size"):
        client.images.generate(model="imagen", prompt="A fox", size="large")
    with pytest.raises(openai.BadRequestError) as missing:
        client.post("/images/generations", body={"model": "gpt-image-1"}, cast_to=object)
    assert missing.value.param == "prompt"
    with pytest.raises(openai.BadRequestError, match="one image per call"):
        client.images.generate(model="gemini-image", prompt="A fox", n=2)
    with pytest.raises(openai.InternalServerError, match="cannot do this"):
        client.images.generate(model="claude", prompt="A fox")
    with pytest.raises(openai.BadRequestError) as voiceless:
        client.post("/audio/speech", body={"model": "eleven", "input": "Hi"}, cast_to=object)
    assert voiceless.value.param == "voice"
    for model in ("gpt-image-1",):
        with pytest.raises(openai.RateLimitError):
            client.images.generate(model=model, prompt="A fox [mock status=429]")
    with pytest.raises(openai.RateLimitError):
        client.audio.speech.create(model="tts-1", input="Hi [mock status=429]", voice="alloy")
    with pytest.raises(openai.NotFoundError):
        client.audio.transcriptions.create(model="nobody", file=("fox.mp3", RECORDING))
    assert "wasm_fail" not in envoy.output() and "Function: " not in envoy.output()
