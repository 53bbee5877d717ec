"""The server: it reads a request, looks up what to do with it, and writes to the socket itself."""

import asyncio
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from provider.dialects import Answer, Anthropic, Dialect, Google, OpenAIChat, OpenAIResponses, words_in
from provider.faults import Cut, ErrorEvent, Fault, Late, Malformed, NoAnswer, NoTerminator, Reset, Stall, Status

NO_PREFILL = Status(
    400,
    message="This model does not support assistant message prefill. The conversation must end with a user message.",
)
UNKNOWN = Status(404, reason="model_not_found", message="no such model or page")


@dataclass
class Request:
    """A request as it arrived; ``abandoned`` is set when the client leaves before it has the whole answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    abandoned: threading.Event = field(default_factory=threading.Event)

    @property
    def model(self) -> str:
        """The model asked for: Google has it in the path."""
        named: str = self.body.get("model") or self.path.partition("/models/")[2].partition(":")[0]
        return named

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation, under each protocol's own name for it."""
        found = self.body.get("messages") or self.body.get("contents") or self.body.get("input") or []
        return found if isinstance(found, list) else [{"role": "user", "content": found}]


class Provider:
    """A provider on a port of its own, from ``with`` to its end. It is healthy unless it is told otherwise."""

    def __init__(
        self,
        text: str = "The quick brown fox jumps over the lazy dog.",
        *,
        models: tuple[str, ...] = ("small", "large"),
        takes_prefill: bool = True,
    ) -> None:
        self.words = tuple(text.replace(" ", " \n").split("\n"))
        self.text = text
        self.models = models
        self.takes_prefill = takes_prefill
        self.requests: list[Request] = []
        self._arrived = threading.Condition()
        self._script: deque[Fault | None] = deque()
        self._always: Fault | None = None
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="provider", daemon=True)

    @property
    def url(self) -> str:
        """The base URL that Anthropic's and Google's SDKs take."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def openai_url(self) -> str:
        """The base URL that OpenAI's SDK takes."""
        return f"{self.url}/v1"

    def next(self, *faults: Fault | None) -> None:
        """Sets the faults of the next requests, one each; ``None`` is a good answer."""
        self._script.extend(faults)

    def always(self, fault: Fault | None) -> None:
        """Sets the fault of all requests that ``next`` does not cover; ``None`` heals the provider."""
        self._always = fault

    def wait_for_requests(self, number: int) -> None:
        """Waits until this many requests have arrived."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) >= number, timeout=10)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        handlers: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            handler = asyncio.create_task(Connection(self, reader, writer).serve())
            handlers.add(handler)
            handler.add_done_callback(handlers.discard)

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)

    def fault_for(self, request: Request) -> Fault | None:
        """Records a request and returns its fault."""
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
        if self._script:
            return self._script.popleft()
        if self._always is not None:
            return self._always
        if request.model and request.model not in self.models:
            return UNKNOWN
        if not self.takes_prefill and request.messages and request.messages[-1].get("role") in ("assistant", "model"):
            return NO_PREFILL
        return None


class Connection:
    """One connection of a client, which may ask several times."""

    def __init__(self, provider: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._provider = provider
        self._reader = reader
        self._writer = writer

    async def serve(self) -> None:
        try:
            async for request in self._requests():
                try:
                    if not await self._answer(request, self._provider.fault_for(request)):
                        return
                except ConnectionError:
                    request.abandoned.set()
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writer.close()

    async def _requests(self) -> AsyncIterator[Request]:
        while head := await self._head():
            line, *lines = head.decode("latin-1").split("\r\n")
            method, path, _ = line.split(" ")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
            yield Request(method, path, headers, json.loads(body or b"{}"))

    async def _head(self) -> bytes:
        try:
            return await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""

    async def _answer(self, request: Request, fault: Fault | None) -> bool:
        """Whether the connection may be used again."""
        match fault:
            case Reset():
                self._reset()
                return False
            case NoAnswer():
                await self._until_the_client_leaves(request)
                return False
        dialect = dialect_of(request)
        if dialect is None and fault is None and request.path.endswith("/models"):
            return await self._whole(200, self._model_list())
        if dialect is None or isinstance(fault, Status):
            status = fault if isinstance(fault, Status) else UNKNOWN
            body = (dialect or OpenAIChat()).error(status)
            return await self._whole(status.code, body, status.headers())
        prompt_tokens = sum(1 for _ in words_in(request.messages))
        answer = Answer(request.model, self._provider.words, prompt_tokens)
        if request.body.get("stream") or ":streamGenerateContent" in request.path:
            events, trailing = dialect.stream(answer, request.body)
            if isinstance(fault, ErrorEvent):
                events = [*events[: round(len(events) * fault.share)], dialect.error_event(fault.status)]
            return await self._stream(request, fault, events, trailing)
        if isinstance(fault, Late):
            await asyncio.sleep(fault.seconds)
        return await self._whole(200, dialect.whole(answer), cut=isinstance(fault, Cut))

    async def _whole(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None, *, cut: bool = False
    ) -> bool:
        text = json.dumps(body).encode()
        fields = {"content-type": "application/json", "content-length": str(len(text))} | (headers or {})
        self._write_head(status, fields)
        self._writer.write(text[: len(text) * 2 // 3] if cut else text)
        await self._writer.drain()
        return not cut

    async def _stream(self, request: Request, fault: Fault | None, events: list[bytes], trailing: int) -> bool:
        self._write_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        await self._writer.drain()
        if isinstance(fault, NoTerminator):
            events = events[: len(events) - trailing]
        at = round(len(events) * fault.share) if isinstance(fault, Cut | Stall | Malformed) else None
        for number, part in enumerate(events):
            match fault:
                case Late(seconds) if number == 0:
                    await asyncio.sleep(seconds)
                case Cut(in_form=in_form) if number == at:
                    return in_form and await self._end()
                case Stall(seconds=None) if number == at:
                    await self._until_the_client_leaves(request)
                    return False
                case Stall(seconds=float(seconds)) if number == at:
                    await asyncio.sleep(seconds)
                case Malformed(framing=framing) if number == at:
                    part = b'data: {"id": "chatcmpl-1", "choi\n\n'  # noqa: PLW2901
                    if framing:
                        self._writer.write(b"no size\r\n")
            self._writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await self._writer.drain()
        return await self._end()

    async def _end(self) -> bool:
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()
        return True

    def _write_head(self, status: int, fields: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} {reason_of(status)}", *(f"{name}: {value}" for name, value in fields.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def _reset(self) -> None:
        connected: socket.socket = self._writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def _until_the_client_leaves(self, request: Request) -> None:
        await self._reader.read()
        request.abandoned.set()

    def _model_list(self) -> dict[str, Any]:
        models = [{"id": name, "object": "model", "created": 1, "owned_by": "tests"} for name in self._provider.models]
        return {"object": "list", "data": models}


def dialect_of(request: Request) -> Dialect | None:
    """The protocol of a request's path; ``None`` where it has none."""
    path = request.path.partition("?")[0]
    if path.endswith("/chat/completions"):
        return OpenAIChat()
    if path.endswith("/responses"):
        return OpenAIResponses()
    if path.endswith("/messages"):
        return Anthropic()
    if path.endswith((":generateContent", ":streamGenerateContent")):
        return Google()
    return None


def reason_of(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
