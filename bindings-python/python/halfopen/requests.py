"""Guards the sessions of ``requests``: an adapter around any adapter.

    from halfopen.requests import CircuitBreakerAdapter
    from requests import Session
    from requests.adapters import HTTPAdapter

    session = Session()
    session.mount("https://", CircuitBreakerAdapter(HTTPAdapter(), breaker))

A request and its repetitions by the inner adapter (its ``max_retries``) are one call.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self, cast

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter

from halfopen._exchange import Exchange
from halfopen._http import BreakerOrChoice, BreakerPerHost, BreakerPerKey, choice_of
from halfopen._proxy import PlainProxy
from halfopen._sealed import Sealed, made_once

__all__ = ["BreakerPerHost", "BreakerPerKey", "CircuitBreakerAdapter"]


class CircuitBreakerAdapter(Sealed, BaseAdapter):
    """An adapter that guards each request that ``inner`` sends.

    ``breaker`` is one breaker for all requests, a ``BreakerPerHost`` or ``BreakerPerKey``, or any function from a
    request to its breaker. A request that the circuit rejects raises ``CircuitBreakerOpenError``.

    Raises ``InvalidValueError`` for a ``breaker`` that is none of these.
    """

    _instead: ClassVar[Mapping[str, str]] = made_once("CircuitBreakerAdapter", "inner", "breaker")

    def __init__(self, inner: BaseAdapter, breaker: BreakerOrChoice[PreparedRequest]) -> None:
        super().__init__()
        self._inner = inner
        self._choose = choice_of(breaker, plain=True)

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Sends the request, if the circuit lets it."""
        breaker = self._choose(request)
        if breaker is None:
            return self._inner.send(request, *args, **kwargs)
        exchange = Exchange(breaker, request)
        try:
            response = exchange.made(lambda: self._inner.send(request, *args, **kwargs))
        except BaseException as error:
            exchange.raised(error)
            raise
        # Authentication that repeats a request sends it through this adapter.
        response.connection = cast("HTTPAdapter", self)
        bodiless = request.method == "HEAD" or response.raw is None
        if exchange.answered(response, response.status_code, response.headers.items(), bodiless=bodiless):
            response.raw = _Raw(exchange, response.raw)
        return response

    def close(self) -> None:
        """Closes the inner adapter."""
        self._inner.close()


class _Raw(PlainProxy):
    """Takes the place of urllib3's response, which holds the body. The request ends with the body."""

    __slots__ = ()

    _halfopen_call: Exchange

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        return self._halfopen_call.through(self._halfopen_target.stream(*args, **kwargs))

    def read_chunked(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        return self._halfopen_call.through(self._halfopen_target.read_chunked(*args, **kwargs))

    def __iter__(self) -> Iterator[bytes]:
        return self._halfopen_call.through(self._halfopen_target)

    def read(self, amt: int | None = None, *args: Any, **kwargs: Any) -> bytes:
        return self._part(lambda: self._halfopen_target.read(amt, *args, **kwargs), asked=amt != 0)

    def read1(self, amt: int | None = None, *args: Any, **kwargs: Any) -> bytes:
        return self._part(lambda: self._halfopen_target.read1(amt, *args, **kwargs), asked=amt != 0)

    def readinto(self, buffer: bytearray) -> int:
        return len(self._part(lambda: bytes(buffer[: self._halfopen_target.readinto(buffer)]), asked=len(buffer) != 0))

    def readline(self, size: int | None = -1) -> bytes:
        return self._part(lambda: self._halfopen_target.readline(size), asked=size != 0)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        lines: list[bytes] = []

        def read() -> bytes:
            lines.extend(self._halfopen_target.readlines(hint))
            return b"".join(lines)

        self._part(read)
        return lines

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    @property
    def data(self) -> bytes:
        return self._part(lambda: self._halfopen_target.data or b"")

    def json(self) -> Any:
        return json.loads(self.data)

    def close(self) -> None:
        self._halfopen_call.left()
        self._halfopen_target.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _part(self, read: Callable[[], bytes], *, asked: bool = True) -> bytes:
        """Reads a part of the body. An empty part is the end, unless zero bytes were ``asked`` for."""
        self._halfopen_call.waits()
        try:
            part = read()
        except BaseException as error:
            self._halfopen_call.raised(error, may_go_on=self._halfopen_call.is_mistake(error))
            raise
        self._halfopen_call.received(part)
        # urllib3 closes a body that it has read to the end.
        if self._halfopen_target.closed or (asked and not part):
            self._halfopen_call.ended()
        return part
