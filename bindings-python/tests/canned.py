"""A server that answers every request with the same bytes, whatever they are."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress


def response(status: str, body: bytes | str = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A response with this body, after which the connection ends."""
    content = body.encode() if isinstance(body, str) else body
    fields = {"content-length": str(len(content)), "connection": "close", **(headers or {})}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The URL of such a server. It closes each connection after its answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, answer), name="canned")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            # This wakes `accept` on every platform.
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def refusing() -> str:
    """A URL on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def _serve(server: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, suppress(ConnectionError):
            _read_request(connection)
            connection.sendall(answer)


def _read_request(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65536)
