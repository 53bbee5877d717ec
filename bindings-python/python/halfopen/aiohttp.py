"""Guards the sessions of ``aiohttp`` (3.12 or newer): a client middleware.

    import aiohttp
    from halfopen.aiohttp import CircuitBreakerMiddleware

    session = aiohttp.ClientSession(middlewares=[CircuitBreakerMiddleware(breaker)])

Each attempt is a call: a redirect, or a middleware that stands before this one and repeats requests, makes several. So
does aiohttp itself, which repeats an idempotent request once if a kept connection turns out to be closed.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, ClassVar, cast

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, StreamReader

from halfopen._exchange import Exchange
from halfopen._http import BreakerOrChoice, BreakerPerHost, BreakerPerKey, choice_of
from halfopen._sealed import Sealed, made_once

__all__ = ["BreakerPerHost", "BreakerPerKey", "CircuitBreakerMiddleware"]


class CircuitBreakerMiddleware(Sealed):
    """A client middleware that guards each request.

    ``breaker`` is one breaker for all requests, a ``BreakerPerHost`` or ``BreakerPerKey``, or any function from a
    request to its breaker. A request that the circuit rejects raises ``CircuitBreakerOpenError``.

    Raises ``InvalidValueError`` for a ``breaker`` that is none of these.
    """

    _instead: ClassVar[Mapping[str, str]] = made_once("CircuitBreakerMiddleware", "breaker")

    def __init__(self, breaker: BreakerOrChoice[ClientRequest]) -> None:
        self._choose = choice_of(breaker)

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Sends the request, if the circuit lets it."""
        breaker = self._choose(request)
        if breaker is None:
            return await handler(request)
        exchange = Exchange(breaker, is_closed=lambda: request.session.closed)
        response = await exchange.awaited(lambda: _within_total_timeout(request, handler))
        content = response.content
        bodiless = request.method == "HEAD"
        if exchange.answered(
            response, response.status, response.headers.items(), bodiless=bodiless, arrived=content.is_eof()
        ):
            response.content = cast("StreamReader", _Content(content, exchange))
        return response


async def _within_total_timeout(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    # Outside of the middlewares, aiohttp turns the cancellation by its total timeout into a `TimeoutError`. While it
    # waits for headers or a body, it also does so inside, but not while it connects. The timer is not public.
    with request._timer:
        return await handler(request)


_READS = frozenset(("readany", "readline", "readuntil", "readchunk"))
"""The methods of a ``StreamReader`` that wait for a part of the body."""


class _Content:
    """Takes the place of a response's ``StreamReader``, which reads the body. The request ends with the body."""

    def __init__(self, inner: StreamReader, exchange: Exchange) -> None:
        self._inner = inner
        self._exchange = exchange

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(self._inner)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        return partial(self._part, attribute) if name in _READS else attribute

    # These iterate over the reads above, so they are taken from the class.
    __aiter__ = StreamReader.__aiter__
    iter_chunked = StreamReader.iter_chunked
    iter_any = StreamReader.iter_any
    iter_chunks = StreamReader.iter_chunks
    readexactly = StreamReader.readexactly
    read_nowait = StreamReader.read_nowait

    async def read(self, n: int = -1) -> bytes:
        if n < 0:
            # This reads one part after the other, each with its own wait.
            return await StreamReader.read(cast("StreamReader", self), n)
        part: bytes = await self._part(self._inner.read, n)
        return part

    def exception(self) -> BaseException | None:
        """The error with which the body broke off, maybe before it was read. Closing the response asks for it too."""
        error = self._inner.exception()
        if error is not None:
            self._exchange.raised(error)
        return error

    _exception = property(exception)
    """The methods of the class raise it."""

    def set_exception(self, *args: Any, **kwargs: Any) -> None:
        """The response is closed or released."""
        self._exchange.left(arrived=self._inner.is_eof())
        self._inner.set_exception(*args, **kwargs)

    async def _part(self, read: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        self._exchange.waits()
        try:
            part = await read(*args, **kwargs)
        except BaseException as error:
            # The reader keeps each error of the provider. Timeouts are errors of the operating system.
            of_provider = isinstance(error, OSError) or self._inner.exception() is not None
            self._exchange.raised(error, may_go_on=not of_provider or not isinstance(error, Exception))
            if isinstance(error, Exception) and not of_provider and self._inner.at_eof():
                self._exchange.ended()
            raise
        self._exchange.received(part if isinstance(part, bytes) else part[0])
        if self._inner.at_eof():
            self._exchange.ended()
        return part
