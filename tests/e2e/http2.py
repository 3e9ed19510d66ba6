"""HTTP/2 frame by frame, at both ends of the gateway: what ordinary libraries do not send."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
from conftest import Envoy
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived

Fields = dict[str, str]


@dataclass
class Message:
    """A request or an answer."""

    headers: Fields = field(default_factory=dict)
    body: bytes = b""
    trailers: Fields = field(default_factory=dict)


def receive(connection: socket.socket, http: H2Connection) -> Iterator[tuple[int, Message]]:
    """The messages of a connection, each with the number of its stream."""
    messages: dict[int, Message] = {}
    while data := connection.recv(65536):
        for event in http.receive_data(data):
            if isinstance(event, RequestReceived | ResponseReceived):
                messages[event.stream_id] = Message(dict(event.headers))
            elif isinstance(event, DataReceived):
                messages[event.stream_id].body += event.data
                http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, TrailersReceived):
                messages[event.stream_id].trailers = dict(event.headers)
            elif isinstance(event, StreamEnded):
                yield event.stream_id, messages.pop(event.stream_id)
            elif isinstance(event, StreamReset):
                raise httpx.RemoteProtocolError(f"stream {event.stream_id} is reset: {event.error_code}")
        connection.sendall(http.data_to_send())


def send(connection: socket.socket, http: H2Connection, stream: int, message: Message) -> None:
    http.send_headers(stream, list(message.headers.items()))
    http.send_data(stream, message.body, end_stream=not message.trailers)
    if message.trailers:
        http.send_headers(stream, list(message.trailers.items()), end_stream=True)
    connection.sendall(http.data_to_send())


def call(envoy: Envoy, message: Message) -> Message:
    """Makes one call over a connection of its own."""
    target = {":method": "POST", ":scheme": "http", ":authority": "gateway"}
    with socket.create_connection(("127.0.0.1", envoy.port), timeout=20) as connection:
        http = H2Connection(H2Configuration(header_encoding="utf-8"))
        http.initiate_connection()
        send(connection, http, 1, Message(target | message.headers, message.body, message.trailers))
        _, answer = next(receive(connection, http))
    return answer


class Server(socketserver.ThreadingTCPServer):
    """Keeps what it receives, and answers all of it alike."""

    daemon_threads = True

    def __init__(self, answer: Message):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.answer = answer
        self.received: list[Message] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class Conversation(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        http.initiate_connection()
        self.request.sendall(http.data_to_send())
        for stream, request in receive(self.request, http):
            self.server.received.append(request)
            send(self.request, http, stream, self.server.answer)
