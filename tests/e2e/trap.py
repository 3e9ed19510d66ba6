"""The filter with a trap in it: a VM that dies as one does that meets a fault, at a time of the test's own."""

from collections.abc import Iterator
from pathlib import Path

from conftest import LOGS, WASM

EXPORTS, CODE, IMPORTS = 7, 10, 2
FUNCTION = 0
# No locals, `unreachable`, `end`.
BODY = b"\x00\x00\x0b"


def number(data: bytes, at: int) -> tuple[int, int]:
    """A number in LEB128, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return value, at


def written(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    at = 8
    while at < len(module):
        kind = module[at]
        size, at = number(module, at + 1)
        yield kind, module[at : at + size]
        at += size


def imported(section: bytes) -> int:
    """How many functions are imported: they come first in the count of all."""
    count, at = number(section, 0)
    functions = 0
    for _ in range(count):
        for _ in range(2):
            size, at = number(section, at)
            at += size
        assert section[at] == FUNCTION
        functions += 1
        _, at = number(section, at + 1)
    return functions


def exported(section: bytes, name: str) -> int:
    count, at = number(section, 0)
    for _ in range(count):
        size, at = number(section, at)
        found, at = section[at : at + size].decode(), at + size
        kind = section[at]
        index, at = number(section, at + 1)
        if found == name and kind == FUNCTION:
            return index
    raise AssertionError(f"{name} is not exported")


def trapped(name: str) -> Path:
    """The filter, but for an exported function that traps."""
    module = WASM.read_bytes()
    found = dict(sections(module))
    target = exported(found[EXPORTS], name) - imported(found[IMPORTS])
    out = bytearray(module[:8])
    for kind, section in sections(module):
        if kind == CODE:
            count, at = number(section, 0)
            code = bytearray(written(count))
            for index in range(count):
                size, at = number(section, at)
                body, at = section[at : at + size], at + size
                body = BODY if index == target else body
                code += written(len(body)) + body
            section = bytes(code)
        out += bytes([kind]) + written(len(section)) + section
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"trap-{name}.wasm"
    path.write_bytes(out)
    return path
