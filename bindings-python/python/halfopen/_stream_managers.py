"""Guards context managers that yield streams, which keep the interface of their type."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import aclosing, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from inspect import CORO_CREATED, getcoroutinestate
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from halfopen._core import AsyncItems, Stream
from halfopen._deadline import Deadline
from halfopen._exchange import Exchange
from halfopen._httpx_bodies import guard_body, open_response
from halfopen._proxy import Proxy, class_of, own_attribute, proxy_class
from halfopen._stream_objects import (
    Guard,
    class_of_proxies,
    exit_async,
    exit_plainly,
    generator_of,
    is_open_stream,
    is_stream,
    items_of,
    items_of_iterator,
    tell_source,
)
from halfopen._streams import guarded_items
from halfopen.errors import CircuitBreakerOpenError


def is_manager(result: Any) -> bool:
    """Whether it can only be entered, as the context managers that SDKs and ``contextlib`` return."""
    kind = class_of(result)
    if is_stream(result) or not (hasattr(kind, "__enter__") or hasattr(kind, "__aenter__")):
        return False
    return all(name.startswith("_") or name in _PARTS_OF_CONTEXTLIB for name in dir(result))


_PARTS_OF_CONTEXTLIB = frozenset(("args", "func", "gen", "kwds"))


def guarded_manager(begin: Callable[[Any], Stream], deadline: Deadline | None, target: Any) -> Any:
    """A proxy of a context manager. Entering it begins the call, and the stream that it yields ends it."""
    return _class_of_managers(class_of(target))(_Entering(begin, deadline), target)


@dataclass(slots=True, eq=False)
class _Entering:
    """The call of a context manager that yields a stream. It begins when the context manager is entered."""

    begin: Callable[[Any], Stream]
    deadline: Deadline | None
    guard: Guard | None = None

    async def stop_async(self) -> None:
        """The context manager is left."""
        if self.guard is not None:
            await self.guard.stop_async()

    def stop(self) -> None:
        """The same without ``async``."""
        if self.guard is not None:
            self.guard.stop()

    def entered(self, stream: Stream, source: list[Any], result: Any, *, is_async: bool) -> Any:
        """A proxy of the stream that was entered. A response ends the call with its body, and any other result now."""
        if not is_stream(result) and not is_open_stream(result):
            response = open_response(result)
            if response is None:
                stream.resulted_in(result)
            elif permit := stream.as_permit():
                exchange = Exchange(stream.breaker, response.request, permit=permit)
                if is_async:
                    exchange.watch()
                guard_body(exchange, response, is_async=is_async, request=response.request)
            return result
        stream.rest()
        tell_source(stream, result)
        inner = _inner_iterator(result)
        source.append(result if inner is None else inner)
        self.guard = Guard(stream)
        if inner is not None:
            result._iterator = self.guard.items
        return class_of_proxies(class_of(result))(self.guard, result)


def _inner_iterator(result: Any) -> Any:
    """The iterator from which a stream of an SDK takes its items, if helpers of the stream read from it.

    Such helpers, ``text_stream`` and ``get_final_message()`` for example, do not pass through a proxy. The attribute is
    not public, but the only place through which all of them read.
    """
    inner = own_attribute(result, "_iterator")
    has_helpers = hasattr(class_of(result), "until_done")
    is_generator = issubclass(class_of(inner), GeneratorType | AsyncGeneratorType | AsyncItems)
    return inner if has_helpers and is_generator else None


@lru_cache(maxsize=512)
def _class_of_managers(kind: type) -> type[Proxy]:
    return proxy_class(kind, {name: method for name, method in _MANAGER.items() if hasattr(kind, name)})


async def _items_of_entered_async(source: list[Any]) -> AsyncGenerator[Any, None]:
    items: Any = generator_of(source[0])
    async with aclosing(items):
        async for item in items:
            yield item


def _items_of_entered(source: list[Any]) -> Generator[Any, None, None]:
    yield from items_of_iterator(source[0])


async def _enter_manager_async(self: Proxy) -> Any:
    return await _made_async(self, class_of(self._halfopen_target).__aenter__)


def _await_manager(self: Proxy) -> Generator[Any, Any, Any]:
    async def awaited(target: Any) -> Any:
        return await target

    return _made_async(self, awaited).__await__()


def _iterate_manager(self: Proxy) -> Any:
    stream = self._halfopen_call.begin(items_of(self._halfopen_target))
    stream.rest()
    return guarded_items(stream)


async def _made_async(self: Proxy, make: Callable[[Any], Awaitable[Any]]) -> Any:
    """The stream that entering or awaiting a context manager makes, which is a part of the call."""
    entering, target = self._halfopen_call, self._halfopen_target
    source: list[Any] = []
    scope = nullcontext() if entering.deadline is None else entering.deadline.start()
    try:
        stream = entering.begin(_items_of_entered_async(source))
    except CircuitBreakerOpenError:
        _close_request(target)
        raise
    try:
        stream.enter()
        async with scope:
            result = await make(target)
    except BaseException as error:
        stream.raised(error)
        raise
    return entering.entered(stream, source, result, is_async=True)


def _close_request(manager: Any) -> None:
    """Closes the coroutine of the request, which Python would report as never awaited.

    The manager is this coroutine, as in aiohttp, or was given it, as in the SDKs.
    """
    if issubclass(class_of(manager), Coroutine):
        manager.close()
    for held in getattr(manager, "__dict__", {}).values():
        # A coroutine that has begun is awaited elsewhere.
        if class_of(held) is CoroutineType and getcoroutinestate(held) == CORO_CREATED:
            held.close()


def _enter_manager(self: Proxy) -> Any:
    entering, target = self._halfopen_call, self._halfopen_target
    source: list[Any] = []
    stream = entering.begin(_items_of_entered(source))
    try:
        stream.enter()
        result = class_of(target).__enter__(target)
    except BaseException as error:
        stream.raised(error)
        raise
    return entering.entered(stream, source, result, is_async=False)


_MANAGER: dict[str, Callable[..., Any]] = {
    "__aenter__": _enter_manager_async,
    "__await__": _await_manager,
    "__aiter__": _iterate_manager,
    "__aexit__": exit_async,
    "__enter__": _enter_manager,
    "__exit__": exit_plainly,
}
