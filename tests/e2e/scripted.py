"""An upstream that answers by script, byte for byte, as no provider would."""

import json
import socketserver
import threading
import time
from collections.abc import Iterable

# What a script may hold beside bytes: seconds to wait.
Script = Iterable[bytes | float]


class Scripted(socketserver.ThreadingTCPServer):
    """Answers a request by the script that stands under its model's name, in the body or in the path, then closes the connection."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, scripts: dict[str, Script]):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.scripts = scripts
        self.bodies: list[dict] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class Conversation(socketserver.StreamRequestHandler):
    server: Scripted
    disable_nagle_algorithm = True

    def handle(self) -> None:
        length = 0
        target = self.rfile.readline().decode("latin-1")
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = self.rfile.read(length)
        if not body:
            return
        try:
            said = json.loads(body)
            self.server.bodies.append(said)
            model = said.get("model") or next(name for name in self.server.scripts if name in target)
            for step in self.server.scripts[model]:
                if isinstance(step, float):
                    time.sleep(step)
                else:
                    self.wfile.write(step)
        except OSError:
            # The other side had enough.
            pass


def answer(status: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """An answer with a length."""
    return head(status, headers | {"content-length": str(len(body))}) + body


def head(status: str, headers: dict[str, str]) -> bytes:
    # Else Envoy may send its next request into the connection that is being closed.
    headers = {"connection": "close"} | headers
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def chunked(status: str, headers: dict[str, str], *parts: bytes) -> list[bytes]:
    """An answer in parts, each sent alone, that comes to its end."""
    sent = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part]
    return [head(status, headers | {"transfer-encoding": "chunked"}), *sent, b"0\r\n\r\n"]
