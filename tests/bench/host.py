"""A proxy-wasm host without a proxy: as much of ABI 0.2.1 as a call needs, with nothing behind it.

    guest = Guest(wasm, configuration)
    guest.open(2, headers), guest.part(2, REQUEST, body, last=True), guest.answer(2, headers), …, guest.close(2)
"""

import struct
from collections.abc import Callable

import wasmtime

OK, NOT_FOUND, CAS_MISMATCH = 0, 1, 8
PAUSE = 1
ROOT = 1
# Numbers of buffers. A half of a call is known by that of its body.
REQUEST, RESPONSE, PLUGIN_CONFIGURATION = 0, 1, 7
# The numbers of the header maps.
HEADERS = {REQUEST: 0, RESPONSE: 2}
# A point in time for all calls: 2026-01-01T00:00:00Z.
NOW_NS = 1_767_225_600_000_000_000
FUEL = 2**64 - 1

Pairs = list[tuple[bytes, bytes]]


class Failed(Exception):
    """The filter did not do what a call needs."""


class Guest:
    """A filter in its host: a VM with one plugin that has taken its configuration."""

    def __init__(self, engine: wasmtime.Engine, module: wasmtime.Module, configuration: bytes):
        self.buffers: dict[int, bytes] = {PLUGIN_CONFIGURATION: configuration}
        self.headers: dict[int, Pairs] = {}
        self.shared: dict[bytes, tuple[bytes, int]] = {}
        self.metrics = 0
        self.local_reply: str | None = None

        self.store = wasmtime.Store(engine)
        self.store.set_fuel(FUEL)
        self.fuel = FUEL
        functions = self.functions()
        linker = wasmtime.Linker(engine)
        for wanted in module.imports:
            # What a call does not need answers that all is well.
            function = functions.get(wanted.name, lambda *_, results=wanted.type.results: OK if results else None)
            linker.define_func(wanted.module, wanted.name, wanted.type, function)
        self.exports = linker.instantiate(self.store, module).exports(self.store)
        self.memory = self.exports["memory"]
        self.allocate = self.export("proxy_on_memory_allocate") or self.exports["malloc"]
        for start in ("_initialize", "_start"):
            self.call(start)
        self.call("proxy_on_context_create", ROOT, 0)
        for callback, size in (("proxy_on_vm_start", 0), ("proxy_on_configure", len(configuration))):
            if self.call(callback, ROOT, size) == 0:
                raise Failed("the filter refuses its configuration")

    def export(self, name: str) -> wasmtime.Func | None:
        return self.exports[name] if name in self.exports else None

    def call(self, name: str, *arguments: int) -> int | None:
        """A callback, if the filter has it."""
        function = self.export(name)
        return function(self.store, *arguments) if function else None

    # A call

    def take_fuel(self) -> int:
        """The instructions since this was last asked."""
        before, self.fuel = self.fuel, self.store.get_fuel()
        return before - self.fuel

    def memory_size(self) -> int:
        """The bytes of memory that the VM has."""
        return self.memory.data_len(self.store)

    def open(self, call: int, headers: dict[str, str]) -> None:
        """A new call, with a body to come."""
        self.take_fuel()
        self.call("proxy_on_context_create", call, ROOT)
        self.head(call, REQUEST, "proxy_on_request_headers", headers)

    def answer(self, call: int, headers: dict[str, str]) -> None:
        """The head of the answer, with a body to come."""
        self.head(call, RESPONSE, "proxy_on_response_headers", headers)

    def head(self, call: int, half: int, callback: str, headers: dict[str, str]) -> None:
        self.headers[HEADERS[half]] = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.call(callback, call, len(headers), 0)
        self.check()

    def part(self, call: int, half: int, part: bytes, last: bool) -> None:
        """A part of a body; what the filter lets pass leaves the buffer."""
        self.buffers[half] = self.buffers.get(half, b"") + part
        callback = "proxy_on_request_body" if half == REQUEST else "proxy_on_response_body"
        if self.call(callback, call, len(self.buffers[half]), int(last)) != PAUSE:
            del self.buffers[half]
        self.check()

    def body(self, call: int, half: int, parts: list[bytes]) -> None:
        """A body as it arrives."""
        for number, part in enumerate(parts, 1):
            self.part(call, half, part, number == len(parts))

    def close(self, call: int) -> None:
        """The end of a call."""
        for callback in ("proxy_on_done", "proxy_on_log", "proxy_on_delete"):
            self.call(callback, call)

    def header(self, half: int, name: str) -> str:
        """A header as the filter left it."""
        return dict(self.headers[HEADERS[half]]).get(name.encode(), b"").decode()

    def check(self) -> None:
        if self.local_reply:
            raise Failed(f"the filter answers itself: {self.local_reply}")

    # What the filter calls

    def read(self, at: int, size: int) -> bytes:
        return bytes(self.memory.read(self.store, at & 0xFFFFFFFF, (at & 0xFFFFFFFF) + size))

    def write(self, at: int, value: bytes) -> None:
        self.memory.write(self.store, value, at & 0xFFFFFFFF)

    def write_number(self, at: int, number: int, format: str = "<I") -> None:
        self.write(at, struct.pack(format, number))

    def give(self, value: bytes, out: int, out_size: int) -> int:
        """Hands bytes over: in memory that the filter allocates, at an address that it then owns."""
        at = self.allocate(self.store, len(value)) if value else 0
        if value:
            self.write(at, value)
        self.write_number(out, at & 0xFFFFFFFF)
        self.write_number(out_size, len(value))
        return OK

    def functions(self) -> dict[str, Callable]:
        found = {name: getattr(self, name) for name in dir(self) if name.startswith("proxy_")}
        return found | {"environ_sizes_get": self.environ_sizes_get, "random_get": self.random_get}

    def environ_sizes_get(self, count: int, size: int) -> int:
        """An empty environment."""
        self.write_number(count, 0)
        self.write_number(size, 0)
        return OK

    def random_get(self, at: int, size: int) -> int:
        """The same each time, so that runs can be compared."""
        self.write(at, bytes(size))
        return OK

    def proxy_log(self, level: int, at: int, size: int) -> int:
        if level >= 3:
            print("filter:", self.read(at, size).decode(errors="replace"))
        return OK

    def proxy_get_log_level(self, out: int) -> int:
        self.write_number(out, 2)
        return OK

    def proxy_get_current_time_nanoseconds(self, out: int) -> int:
        self.write_number(out, NOW_NS, "<Q")
        return OK

    def proxy_get_buffer_bytes(self, buffer: int, start: int, most: int, out: int, out_size: int) -> int:
        if buffer not in self.buffers:
            return NOT_FOUND
        # Numbers without a sign, of which `usize::MAX` is one.
        start, most = start & 0xFFFFFFFF, most & 0xFFFFFFFF
        return self.give(self.buffers[buffer][start : start + most], out, out_size)

    def proxy_set_buffer_bytes(self, buffer: int, start: int, size: int, at: int, length: int) -> int:
        start, size = start & 0xFFFFFFFF, size & 0xFFFFFFFF
        held = self.buffers.get(buffer, b"")
        self.buffers[buffer] = held[:start] + self.read(at, length) + held[start + size :]
        return OK

    def proxy_get_buffer_status(self, buffer: int, out_size: int, out_flags: int) -> int:
        if buffer not in self.buffers:
            return NOT_FOUND
        self.write_number(out_size, len(self.buffers[buffer]))
        self.write_number(out_flags, 0)
        return OK

    def proxy_get_header_map_pairs(self, kind: int, out: int, out_size: int) -> int:
        return self.give(encode(self.headers.get(kind, [])), out, out_size)

    def proxy_set_header_map_pairs(self, kind: int, at: int, size: int) -> int:
        self.headers[kind] = decode(self.read(at, size))
        return OK

    def proxy_get_header_map_value(self, kind: int, key: int, key_size: int, out: int, out_size: int) -> int:
        value = dict(self.headers.get(kind, [])).get(self.read(key, key_size))
        return NOT_FOUND if value is None else self.give(value, out, out_size)

    def proxy_add_header_map_value(self, kind: int, key: int, key_size: int, value: int, value_size: int) -> int:
        self.headers.setdefault(kind, []).append((self.read(key, key_size), self.read(value, value_size)))
        return OK

    def proxy_remove_header_map_value(self, kind: int, key: int, key_size: int) -> int:
        name = self.read(key, key_size)
        self.headers[kind] = [pair for pair in self.headers.get(kind, []) if pair[0] != name]
        return OK

    def proxy_replace_header_map_value(self, kind: int, key: int, key_size: int, value: int, value_size: int) -> int:
        self.proxy_remove_header_map_value(kind, key, key_size)
        return self.proxy_add_header_map_value(kind, key, key_size, value, value_size)

    def proxy_send_local_response(self, status: int, _a: int, _b: int, at: int, size: int, *_: int) -> int:
        self.local_reply = f"{status} {self.read(at, size).decode(errors='replace')}"
        return OK

    def proxy_get_property(self, *_: int) -> int:
        return NOT_FOUND

    def proxy_call_foreign_function(self, *_: int) -> int:
        return NOT_FOUND

    def proxy_get_shared_data(self, key: int, key_size: int, out: int, out_size: int, out_cas: int) -> int:
        found = self.shared.get(self.read(key, key_size))
        if found is None:
            return NOT_FOUND
        self.write_number(out_cas, found[1])
        return self.give(found[0], out, out_size)

    def proxy_set_shared_data(self, key: int, key_size: int, value: int, value_size: int, cas: int) -> int:
        name = self.read(key, key_size)
        _, held = self.shared.get(name, (b"", None))
        # No cas overwrites, and any cas creates.
        if cas != 0 and held is not None and held != cas:
            return CAS_MISMATCH
        self.shared[name] = (self.read(value, value_size), (held or 0) + 1)
        return OK

    def proxy_define_metric(self, _kind: int, _at: int, _size: int, out: int) -> int:
        self.metrics += 1
        self.write_number(out, self.metrics)
        return OK


def encode(pairs: Pairs) -> bytes:
    """A map as the ABI has it: the count, all sizes, then all strings with a zero after each."""
    strings = [text for pair in pairs for text in pair]
    sizes = struct.pack(f"<{1 + len(strings)}I", len(pairs), *map(len, strings))
    return sizes + b"".join(text + b"\0" for text in strings)


def decode(packed: bytes) -> Pairs:
    (count,) = struct.unpack_from("<I", packed)
    sizes = struct.unpack_from(f"<{2 * count}I", packed, 4)
    at, strings = 4 + 8 * count, []
    for size in sizes:
        strings.append(packed[at : at + size])
        at += size + 1
    return list(zip(strings[::2], strings[1::2], strict=True))
