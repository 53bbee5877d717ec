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
from typing import Any, ClassVar, Self

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from halfopen._exchange import Exchange
from halfopen._http import BreakerOrChoice, BreakerPerHost, BreakerPerKey, choice_of
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
        bodiless = request.method == "HEAD" or response.raw is None
        if exchange.answered(response, response.status_code, response.headers.items(), bodiless=bodiless):
            response.raw = _Raw(response.raw, exchange)
        return response

    def close(self) -> None:
        """Closes the inner adapter."""
        self._inner.close()


class _Raw:
    """The body of a response, in place of urllib3's. The request ends with it."""

    def __init__(self, inner: Any, exchange: Exchange) -> None:
        object.__setattr__(self, "_inner", inner)
        object.__setattr__(self, "_exchange", exchange)

    _inner: Any
    _exchange: Exchange

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._inner.__class__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inner, name, value)

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        return self._exchange.through(self._inner.stream(*args, **kwargs))

    def read_chunked(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        return self._exchange.through(self._inner.read_chunked(*args, **kwargs))

    def __iter__(self) -> Iterator[bytes]:
        return self._exchange.through(self._inner)

    def read(self, amt: int | None = None, *args: Any, **kwargs: Any) -> bytes:
        return self._part(lambda: self._inner.read(amt, *args, **kwargs), asked=amt != 0)

    def read1(self, amt: int | None = None, *args: Any, **kwargs: Any) -> bytes:
        return self._part(lambda: self._inner.read1(amt, *args, **kwargs), asked=amt != 0)

    def readinto(self, buffer: bytearray) -> int:
        return len(self._part(lambda: bytes(buffer[: self._inner.readinto(buffer)]), asked=len(buffer) != 0))

    def readline(self, size: int | None = -1) -> bytes:
        return self._part(lambda: self._inner.readline(size), asked=size != 0)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        lines: list[bytes] = []

        def read() -> bytes:
            lines.extend(self._inner.readlines(hint))
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
        return self._part(lambda: self._inner.data or b"")

    def json(self) -> Any:
        return json.loads(self.data)

    def close(self) -> None:
        self._exchange.left()
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _part(self, read: Callable[[], bytes], *, asked: bool = True) -> bytes:
        """Reads a part of the body; where none was asked for, an empty one is not the end."""
        self._exchange.waits()
        try:
            part = read()
        except BaseException as error:
            self._exchange.raised(error, may_go_on=self._exchange.is_mistake(error))
            raise
        self._exchange.received(part)
        # urllib3 closes what it has read to the end.
        if self._inner.closed or (asked and not part):
            self._exchange.ended()
        return part
