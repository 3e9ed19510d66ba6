"""Amazon's event streams (https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html): messages with
headers, a JSON payload and checksums."""

import binascii
import json
import struct


def encode(kind: str, name: str, payload: dict | bytes) -> bytes:
    """A message: `kind` is `event` or `exception`."""
    headers = b""
    for key, value in {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}.items():
        headers += struct.pack(">B", len(key)) + key.encode() + struct.pack(">BH", 7, len(value)) + value.encode()
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + body
    return message + struct.pack(">I", binascii.crc32(message))
