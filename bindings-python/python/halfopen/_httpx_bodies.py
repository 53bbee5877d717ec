"""The bodies of responses of ``httpx`` and ``httpx2``, whose end is the end of a guarded request."""

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import cache, partial
from inspect import isasyncgen
from types import ModuleType
from typing import Any, Never

from halfopen._exchange import Exchange
from halfopen._proxy import own_attribute
from halfopen._result_rules import is_response


def open_response(result: object) -> Any:
    """The response whose body has yet to be read: the result itself, or the one that an SDK's response holds."""
    held = own_attribute(result, "http_response")
    response: Any = result if held is None else held
    # Other clients do not call it so.
    return response if is_response(response) and getattr(response, "is_closed", True) is False else None


def guard_body(exchange: Exchange, response: Any, *, is_async: bool, request: Any) -> None:
    """The response has come. The exchange ends with the body, unless its headers settle it."""
    # A response that was made with its content has nothing left to read.
    bodiless = response.is_closed or request.method == "HEAD"
    encoded = "content-encoding" in response.headers
    fields = response.headers.multi_items()
    if exchange.answered(response, response.status_code, fields, bodiless=bodiless, encoded=encoded):
        library = _library_of(response)
        made = (
            class_in(_AsyncBody, library, "AsyncByteStream") if is_async else class_in(_Body, library, "SyncByteStream")
        )
        response.stream = made(response.stream, exchange)
        if encoded:
            # Not public, but the only place where content that cannot be decoded shows.
            response._decoder = _Decoder(response._get_content_decoder(), exchange)


def _library_of(response: object) -> ModuleType:
    newer = sys.modules.get("httpx2")
    return newer if newer is not None and isinstance(response, newer.Response) else sys.modules["httpx"]


@cache
def class_in(mixin: type, library: ModuleType, base: str) -> Any:
    """The mixin with the base class of its library, because a client accepts only such transports and bodies."""
    return type(mixin.__name__.removeprefix("_"), (mixin, getattr(library, base)), {})


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
