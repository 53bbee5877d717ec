"""Guards the clients of ``httpx`` and of its successor ``httpx2``: a transport around any transport.

    import httpx2
    from halfopen.httpx import guarded_transport

    client = httpx2.Client(transport=guarded_transport(httpx2.HTTPTransport(), breaker))

Inside the SDKs of openai, anthropic and google-genai the client goes in as ``http_client`` or ``httpx_client``; an open
circuit then ends in one attempt.
"""

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

from halfopen._arguments import refused
from halfopen._exchange import Exchange
from halfopen._http import BreakerOrChoice, BreakerPerHost, BreakerPerKey, choice_of
from halfopen._httpx_bodies import class_in, guard_body
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
    return class_in(_Transport, _library_of(inner, "BaseTransport"), "BaseTransport")(
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
    return class_in(_AsyncTransport, library, "AsyncBaseTransport")(inner, choice_of(breaker))


def _library_of(inner: object, base: str) -> ModuleType:
    """The library, ``httpx`` or ``httpx2``, whose base class a transport has."""
    # Not by the names of classes: openai renames those that it exports.
    for library in ("httpx2", "httpx"):
        module = sys.modules.get(library)
        if module is not None and isinstance(inner, getattr(module, base)):
            return module
    raise refused("inner", inner, f"a transport of httpx or httpx2: an instance of {base}")


class _Guarding(Sealed):
    """The common part of both kinds of transports."""

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
        guard_body(exchange, response, is_async=False, request=request)
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
        guard_body(exchange, response, is_async=True, request=request)
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
