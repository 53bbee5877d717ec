"""Guards the clients of ``httpx`` and of its successor ``httpx2``: a transport around any transport.

    import httpx2
    from halfopen.httpx import guarded_transport

    client = httpx2.Client(transport=guarded_transport(httpx2.HTTPTransport(), breaker))

Inside the SDKs of openai, anthropic and google-genai the client goes in as ``http_client`` or ``httpx_client``; an open
circuit then ends in one attempt.
"""

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from inspect import isasyncgen
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Never, Self, overload

from halfopen._arguments import refused
from halfopen._exchange import Exchange
from halfopen._http import BreakerOrChoice, BreakerPerHost, BreakerPerKey, choice_of
from halfopen._sealed import Sealed, made_once
from halfopen.breaker import CircuitBreaker

if TYPE_CHECKING:
    import httpx
    import httpx2

__all__ = ["BreakerPerHost", "BreakerPerKey", "guarded_async_transport", "guarded_transport"]


@overload
def guarded_transport(
    inner: "httpx2.BaseTransport", breaker: "BreakerOrChoice[httpx2.Request]"
) -> "httpx2.BaseTransport": ...
@overload
def guarded_transport(
    inner: "httpx.BaseTransport", breaker: "BreakerOrChoice[httpx.Request]"
) -> "httpx.BaseTransport": ...
def guarded_transport(inner: Any, breaker: BreakerOrChoice[Any]) -> Any:
    """The transport for a ``Client``: ``inner``, with each request guarded.

    ``breaker`` is one breaker for all requests, a ``BreakerPerHost`` or ``BreakerPerKey``, or any function from a
    request to its breaker. A request that the circuit rejects raises ``CircuitBreakerOpenError``.

    Raises ``InvalidValueError`` for an ``inner`` that is not a transport, or a ``breaker`` that is none of these.
    """
    return _class(_Transport, _library_of(inner, "BaseTransport"), "BaseTransport")(
        inner, choice_of(breaker, plain=True)
    )


@overload
def guarded_async_transport(
    inner: "httpx2.AsyncBaseTransport", breaker: "BreakerOrChoice[httpx2.Request]"
) -> "httpx2.AsyncBaseTransport": ...
@overload
def guarded_async_transport(
    inner: "httpx.AsyncBaseTransport", breaker: "BreakerOrChoice[httpx.Request]"
) -> "httpx.AsyncBaseTransport": ...
def guarded_async_transport(inner: Any, breaker: BreakerOrChoice[Any]) -> Any:
    """The same for an ``AsyncClient``."""
    library = _library_of(inner, "AsyncBaseTransport")
    return _class(_AsyncTransport, library, "AsyncBaseTransport")(inner, choice_of(breaker))


def _library_of(inner: object, base: str) -> ModuleType:
    """The library, ``httpx`` or ``httpx2``, whose base class a transport has."""
    # Not by the names of classes: openai renames those that it exports.
    for library in ("httpx2", "httpx"):
        module = sys.modules.get(library)
        if module is not None and isinstance(inner, getattr(module, base)):
            return module
    raise refused("inner", inner, f"a transport of httpx or httpx2: an instance of {base}")


@cache
def _class(mixin: type, library: ModuleType, base: str) -> Any:
    """The mixin with the base class of its library, because a client accepts only such transports."""
    return type(mixin.__name__.removeprefix("_"), (mixin, getattr(library, base)), {"library": library})


class _Guarding(Sealed):
    """The common part of both kinds of transports."""

    library: ModuleType

    _instead: ClassVar[Mapping[str, str]] = made_once("transport", "inner", "breaker")

    def __init__(self, inner: Any, choose: Callable[[Any], CircuitBreaker | None]) -> None:
        self._inner = inner
        self._choose = choose
        self._times_closed = 0

    def _admit(self, request: Any) -> Exchange | None:
        breaker = self._choose(request)
        if breaker is None:
            return None
        before = self._times_closed
        return Exchange(breaker, request, lambda: self._times_closed != before)

    def _guard_body(self, exchange: Exchange, request: Any, response: Any, body: type, base: str) -> None:
        # A response that was made with its content has nothing left to read.
        bodiless = response.is_closed or request.method == "HEAD"
        encoded = "content-encoding" in response.headers
        fields = response.headers.multi_items()
        if exchange.answered(response, response.status_code, fields, bodiless=bodiless, encoded=encoded):
            response.stream = _class(body, self.library, base)(response.stream, exchange)
            if encoded:
                # Not public, but the only place where content that cannot be decoded shows.
                response._decoder = _Decoder(response._get_content_decoder(), exchange)


class _Transport(_Guarding):
    def handle_request(self, request: Any) -> Any:
        exchange = self._admit(request)
        if exchange is None:
            return self._inner.handle_request(request)
        try:
            response = exchange.made(lambda: self._inner.handle_request(request))
        except BaseException as error:
            exchange.raised(error)
            raise
        self._guard_body(exchange, request, response, _Body, "SyncByteStream")
        return response

    def close(self) -> None:
        self._times_closed += 1
        self._inner.close()

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._times_closed += 1
        self._inner.__exit__(*error)


class _AsyncTransport(_Guarding):
    async def handle_async_request(self, request: Any) -> Any:
        exchange = self._admit(request)
        if exchange is None:
            return await self._inner.handle_async_request(request)
        response = await exchange.awaited(lambda: self._inner.handle_async_request(request))
        self._guard_body(exchange, request, response, _AsyncBody, "AsyncByteStream")
        return response

    async def aclose(self) -> None:
        self._times_closed += 1
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._times_closed += 1
        await self._inner.__aexit__(*error)


class _Guarded:
    """Stands in for a part of a response, and tells the exchange what happens to it."""

    def __init__(self, inner: Any, exchange: Exchange) -> None:
        self._inner = inner
        self._exchange = exchange


class _Decoder(_Guarded):
    """The decoder of a response's content. Content that it cannot decode is a failure of the provider."""

    def __init__(self, inner: Any, exchange: Exchange) -> None:
        super().__init__(inner, exchange)
        self.flush: Callable[[], Any] = inner.flush

    def decode(self, data: bytes) -> Any:
        # Reading the raw content does not call the decoder.
        self._exchange.at_end = self._flush_at_once
        try:
            decoded = self._inner.decode(data)
        except Exception as error:
            self._exchange.raised(error)
            raise
        # The decoders of httpx2 are generators.
        if not isinstance(decoded, bytes):
            return self._parts(decoded)
        self._exchange.decoded(decoded)
        return decoded

    def _parts(self, decoded: Iterable[bytes]) -> Iterator[bytes]:
        try:
            for part in decoded:
                self._exchange.decoded(part)
                yield part
        except Exception as error:
            self._exchange.raised(error)
            raise

    def _flush_at_once(self) -> None:
        """The content has ended. The response tells its decoder only after that was a success."""
        try:
            rest = self._inner.flush()
            rest = rest if isinstance(rest, bytes) else list(rest)
        except Exception as error:
            self._exchange.raised(error)
            self.flush = partial(_raise, error)
        else:
            self._exchange.decoded(rest if isinstance(rest, bytes) else b"".join(rest))
            self.flush = lambda: rest


def _raise(error: Exception) -> Never:
    raise error


class _Body(_Guarded):
    """The body of a response; the request has ended when it has."""

    def __iter__(self) -> Iterator[bytes]:
        return self._exchange.through(self._inner)

    def close(self) -> None:
        self._exchange.left()
        self._inner.close()


class _AsyncBody(_Guarded):
    """The same for an ``AsyncClient``."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = aiter(self._inner)
        try:
            self._exchange.waits()
            async for part in parts:
                self._exchange.received(part)
                yield part
                self._exchange.waits()
        except GeneratorExit:
            self._exchange.left()
            raise
        except BaseException as error:
            self._exchange.raised(error)
            raise
        finally:
            if isasyncgen(parts):
                await parts.aclose()
        self._exchange.ended()

    async def aclose(self) -> None:
        self._exchange.left()
        await self._inner.aclose()
