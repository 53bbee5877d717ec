"""Bodies of guarded HTTP clients, read in every way and in every encoding."""

import asyncio
import gzip
import io
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ContentDecodingError

from halfopen import CircuitBreaker
from halfopen.httpx import guarded_async_transport
from halfopen.requests import CircuitBreakerAdapter
from http_clients import CLIENTS, ERRORS, Client, counts

BODY = b'{"lines":\n [1,\n 2]}\n' * 3
JSON = b'{"lines":\n [1,\n 2]}\n'
ENCODED = {
    "gzip": gzip.compress(BODY),
    "rubbish": b"this is not gzip",
    "rubbish later": gzip.compress(BODY)[:-20] + b"rubbish in the place of the end",
}


class Handler(BaseHTTPRequestHandler):
    """Answers with a body in the encoding that the query names."""

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        encoding = parse_qs(urlsplit(self.path).query).get("encoding", [""])[0]
        body = ENCODED.get(encoding, JSON if encoding == "json" else BODY)
        self.send_response(200)
        if encoding in ENCODED:
            self.send_header("content-encoding", "gzip")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Writes nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker("provider")


@pytest.mark.parametrize("name", CLIENTS)
async def test_encoded_content_is_decoded(breaker: CircuitBreaker, url: str, name: str) -> None:
    async with Client(name, breaker).post(url + "?encoding=gzip", {}) as response:
        assert await response.read() == BODY
    assert counts(breaker) == {"successful": 1}


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("encoding", ["rubbish", "rubbish later"])
async def test_content_that_cannot_be_decoded_is_a_failure(
    breaker: CircuitBreaker, url: str, name: str, encoding: str
) -> None:
    with pytest.raises(ERRORS):
        await Client(name, breaker).status(f"{url}?encoding={encoding}", {})
    assert counts(breaker) == {"failed": 1}


# Events that are compressed, of which the transport of httpx sees the compressed parts


class Events(httpx2.AsyncByteStream):
    """A body of events, each compressed at once if asked for, with a pause after the first."""

    def __init__(self, events: list[bytes], *, compressed: bool, pause: float = 0) -> None:
        self._events = events
        self._compressor = zlib.compressobj(wbits=31) if compressed else None
        self._pause = pause

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in self._events:
            data = b"data: " + event + b"\n\n"
            gzip_ = self._compressor
            yield data if gzip_ is None else gzip_.compress(data) + gzip_.flush(zlib.Z_SYNC_FLUSH)
            await asyncio.sleep(self._pause)
            self._pause = 0
        if self._compressor is not None:
            yield self._compressor.flush()


async def read_events(
    breaker: CircuitBreaker,
    events: list[bytes],
    *,
    compressed: bool = False,
    pause: float = 0,
    kind: str = "text/event-stream",
) -> bytes:
    headers = {"content-type": kind} | ({"content-encoding": "gzip"} if compressed else {})
    body = Events(events, compressed=compressed, pause=pause)
    provider = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, stream=body))
    async with httpx2.AsyncClient(transport=guarded_async_transport(provider, breaker)) as client:
        return (await client.get("http://provider")).content


HALF = [b'{"choices": [{"delta": {"content": "half"}}]}', b'{"choices": [{"delta": {"content": "open"}}]}']
END = b'{"choices": [{"delta": {}, "finish_reason": "stop"}]}'
OLD = b'{"choices": [{"text": "half", "finish_reason": null}]}'


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("last", "count"),
    [
        ([END], "successful"),
        ([], "failed"),
        ([b"no JSON"], "failed"),
        ([b'{"error": {"code": "rate_limit_exceeded"}}'], "ignored"),
        ([b'{"error": "overloaded"}'], "failed"),
        ([END, b'{"error": "overloaded"}'], "failed"),
    ],
)
async def test_events_are_read_in_every_encoding(
    breaker: CircuitBreaker, last: list[bytes], count: str, compressed: bool
) -> None:
    assert b"half" in await read_events(breaker, HALF + last, compressed=compressed)
    assert counts(breaker) == {count: 1}


@pytest.mark.parametrize(
    ("events", "count"),
    [
        ([b"no JSON", *HALF, END], "failed"),
        ([b"no JSON", END], "failed"),
        ([b"no JSON", b'{"tick": 1}', b"[DONE]"], "successful"),
        ([b'{"error": "a word of its own"}', b'{"tick": 1}'], "successful"),
    ],
)
async def test_an_event_that_is_not_json_counts_once_the_protocol_is_known(
    breaker: CircuitBreaker, events: list[bytes], count: str
) -> None:
    await read_events(breaker, events)
    assert counts(breaker) == {count: 1}


async def test_a_media_type_may_be_in_upper_case(breaker: CircuitBreaker) -> None:
    await read_events(breaker, HALF, kind="Text/Event-Stream; charset=utf-8")
    assert counts(breaker) == {"failed": 1}


@pytest.mark.parametrize(("first", "compressed"), [(HALF[0], False), (HALF[0], True), (OLD, False)])
async def test_the_time_for_the_first_content_ends_with_it(first: bytes, compressed: bool) -> None:
    breaker = CircuitBreaker("provider", first_item_timeout_seconds=0.3)
    await read_events(breaker, [first, END], compressed=compressed, pause=0.4)
    assert counts(breaker) == {"successful": 1}


# The raw body of requests, which is an object of urllib3


def by_reads(raw: Any) -> bytes:
    assert raw.read(0) == b""
    return b"".join(iter(lambda: raw.read(7), b""))


def by_readinto(raw: Any) -> bytes:
    body, buffer = b"", bytearray(7)
    assert raw.readinto(bytearray()) == 0
    while size := raw.readinto(buffer):
        body += buffer[:size]
    return body


def by_json(raw: Any) -> bytes:
    assert raw.json()["lines"] == [1, 2]
    return JSON


def by_next(raw: Any) -> bytes:
    line: bytes = next(raw)
    rest: bytes = raw.read()
    return line + rest


def in_a_block(raw: Any) -> bytes:
    with raw as entered:
        body: bytes = entered.read()
    return body


READS: dict[str, Callable[[Any], bytes]] = {
    "read": lambda raw: raw.read(),
    "read(n)": by_reads,
    "read1": lambda raw: raw.read1(0) + b"".join(iter(raw.read1, b"")),
    "readinto": by_readinto,
    "readline": lambda raw: raw.readline(0) + raw.readline() + raw.readline(3) + raw.read(),
    "readlines": lambda raw: b"".join(raw.readlines()),
    "next": by_next,
    "iteration": b"".join,
    "stream": lambda raw: b"".join(raw.stream(7)),
    "data": lambda raw: raw.data,
    "json": by_json,
    "buffered": lambda raw: io.BufferedReader(raw).read(),
    "block": in_a_block,
}


def session_of(breaker: CircuitBreaker) -> requests.Session:
    session = requests.Session()
    session.mount("http://", CircuitBreakerAdapter(HTTPAdapter(), breaker))
    return session


@pytest.mark.parametrize("way", READS)
def test_the_raw_body_is_a_success_when_it_has_ended(breaker: CircuitBreaker, url: str, way: str) -> None:
    with session_of(breaker) as session:
        response = session.get(f"{url}?encoding=json", stream=True)
        assert counts(breaker) == {"in_flight": 1}
        assert READS[way](response.raw) == JSON
    assert counts(breaker) == {"successful": 1}


@pytest.mark.parametrize("read", [lambda raw: raw.read(0), lambda raw: raw.read(5), lambda raw: raw.readline()])
def test_a_part_of_the_raw_body_is_not_its_end(breaker: CircuitBreaker, url: str, read: Callable[[Any], bytes]) -> None:
    with session_of(breaker) as session, session.get(url, stream=True) as response:
        read(response.raw)
        assert counts(breaker) == {"in_flight": 1}
    assert counts(breaker) == {"cancelled": 1}


def test_raw_content_is_not_decoded(breaker: CircuitBreaker, url: str) -> None:
    with session_of(breaker) as session:
        response = session.get(f"{url}?encoding=rubbish", stream=True)
        assert response.raw.read(decode_content=False) == ENCODED["rubbish"]
        assert counts(breaker) == {"successful": 1}
        with suppress(ContentDecodingError):
            session.get(f"{url}?encoding=rubbish")
    assert counts(breaker) == {"successful": 1, "failed": 1}
