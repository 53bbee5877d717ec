"""Guards stream objects of SDKs, and context managers that yield streams. They keep the interface of their type."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import aclosing, nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache
from inspect import CORO_CREATED, getcoroutinestate, iscoroutinefunction
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any

from halfopen._arguments import refuse_plain_stream, refused
from halfopen._core import AsyncItems, ItemsOf, Stream
from halfopen._deadline import Deadline
from halfopen._exchange import Exchange
from halfopen._httpx_bodies import guard_body, open_response
from halfopen._proxy import SLOTS, PlainProxy, Proxy, class_of, own_attribute, proxy_class
from halfopen._result_rules import is_response
from halfopen._rpc import is_rpc, settle_at_end, stream_methods_of
from halfopen._stream_items import is_silent_socket
from halfopen._streams import guarded_items
from halfopen.errors import CircuitBreakerOpenError

if TYPE_CHECKING:
    from halfopen.breaker import CircuitBreaker


_GENERATORS = (GeneratorType, AsyncGeneratorType)


def is_stream_object(result: Any) -> bool:
    """Whether an iterator is the open response of an SDK, which can be closed and has a ``response``, or of grpc."""
    kind = class_of(result)
    if not (hasattr(kind, "close") or hasattr(kind, "aclose")):
        return is_rpc(result)
    # Mocks have every attribute, but not in their class or as their own.
    return hasattr(kind, "response") or own_attribute(result, "response") is not None


def is_manager(result: Any) -> bool:
    """Whether it can only be entered, as the context managers that SDKs and ``contextlib`` return."""
    kind = class_of(result)
    if is_stream(result) or not (hasattr(kind, "__enter__") or hasattr(kind, "__aenter__")):
        return False
    return all(name.startswith("_") or name in _PARTS_OF_CONTEXTLIB for name in dir(result))


_PARTS_OF_CONTEXTLIB = frozenset(("args", "func", "gen", "kwds"))


def is_stream(candidate: Any) -> bool:
    """Whether it has items to iterate, with or without ``async``."""
    kind = class_of(candidate)
    return any(hasattr(kind, name) for name in ("__anext__", "__aiter__", "__next__"))


def items_of(target: Any) -> Any:
    """The source from which ``Stream`` takes the items: an async iterator itself, or a generator of its items.

    A context manager has no items yet, so it is returned itself.
    """
    if not is_stream(target) and not _is_open_stream(target):
        return target
    # Not the result of `__aiter__`: for some SDKs it is an async generator, which would be one more layer.
    return target if hasattr(class_of(target), "__anext__") else _generator_of(target)


def _generator_of(target: Any) -> AsyncGenerator[Any, None] | Generator[Any, None, None]:
    kind = class_of(target)
    if hasattr(kind, "__anext__"):
        return items_of_async_iterator(target)
    return _items_of_async_iterable(target) if hasattr(kind, "__aiter__") else _items_of_iterator(target)


async def items_of_async_iterator(iterator: Any) -> AsyncGenerator[Any, None]:
    step = class_of(iterator).__anext__
    while True:
        try:
            item = await step(iterator)
        except StopAsyncIteration:
            return
        yield item


async def _items_of_async_iterable(iterable: Any) -> AsyncGenerator[Any, None]:
    async for item in iterable:
        yield item


def _items_of_iterator(iterator: Any) -> Generator[Any, None, None]:
    # Not `yield from`, which would close the iterator together with the generator.
    for item in iterator:  # noqa: UP028
        yield item


class _Guard:
    """The call of a stream object and its guarded items."""

    __slots__ = ("items", "stream")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.items: Any = guarded_items(stream)

    async def stop_async(self) -> None:
        """The consumer wants no more items; a stream that has ended stays as it is."""
        # It raises this while another task waits for an item.
        with suppress(RuntimeError):
            await self.items.aclose()
        self.stream.cancelled()

    def stop(self) -> None:
        """The same without ``async``."""
        with suppress(ValueError):
            self.items.close()
        self.stream.cancelled()


def guard_stream(breaker: "CircuitBreaker", source: Any) -> Any:
    """A stream or a context manager that yields one, guarded."""
    kind = class_of(source)
    if not any(hasattr(kind, name) for name in ("__anext__", "__aiter__", "__aenter__")):
        _check_no_timeouts(breaker, source)
    if _is_open_stream(source) or (is_stream(source) and not _is_request(kind)):
        stream = breaker._begin_stream(source if isinstance(source, _GENERATORS) else items_of(source))
        stream.rest()
        return guarded_items(stream) if isinstance(source, _GENERATORS) else guarded_object(stream, source)
    if hasattr(kind, "__aenter__") or hasattr(kind, "__enter__"):
        return guarded_manager(breaker._begin_stream, breaker._deadline, source)
    allowed = "an iterator, an async iterator, an iterable with close(), or a context manager that yields one of them"
    raise refused("source", source, allowed)


@lru_cache(maxsize=512)
def _is_request(kind: type) -> bool:
    """Whether entering or awaiting it makes the stream, as ``connect`` of websockets does, although it has items."""
    is_open = any(hasattr(kind, name) for name in ("__anext__", "aclose", "close"))
    return hasattr(kind, "__aenter__") and (hasattr(kind, "__await__") or not is_open)


def _is_open_stream(candidate: Any) -> bool:
    """Whether it is no iterator but has items and ``close``, as streams of botocore and plain sockets of websockets."""
    return _has_items_and_close(class_of(candidate)) and not is_response(candidate)


@lru_cache(maxsize=512)
def _has_items_and_close(kind: type) -> bool:
    is_async = any(hasattr(kind, name) for name in ("__aenter__", "__await__"))
    return hasattr(kind, "__iter__") and hasattr(kind, "close") and not is_async


def _check_no_timeouts(breaker: "CircuitBreaker", source: Any) -> None:
    """Refuses a plain stream if a timeout would have to cut it off."""
    if breaker._stream_timeouts is not None:
        refuse_plain_stream("source", source)
    if hasattr(class_of(source), "__enter__"):
        breaker._check_no_deadline()


def guarded_stream(stream: Stream, source: Any) -> Any:
    """The stream that a call returned, guarded."""
    # `inspect` would fail at interpreter exit.
    if isinstance(source, GeneratorType):
        _check_no_timeouts(stream.breaker, source)
    if isinstance(source, _GENERATORS):
        return guarded_items(stream)
    return guarded_object(stream, source) if is_stream(source) else _returned_manager(stream, source)


def _returned_manager(stream: Stream, source: Any) -> Any:
    """The context manager that a call returned. Entering it the first time is part of that call."""
    breaker = stream.breaker
    if not hasattr(class_of(source), "__aenter__"):
        _check_no_timeouts(breaker, source)

    def begin(items: Any) -> Stream:
        return stream.hand_on(items) or breaker._begin_stream(items)

    return guarded_manager(begin, breaker._deadline, source)


def guarded_object(stream: Stream, target: Any) -> Any:
    """A proxy of a stream object that ends the call of ``stream`` when it ends."""
    _tell_source(stream, target)
    proxy = _class_of_proxies(class_of(target))(_Guard(stream), target)
    if is_rpc(target):
        settle_at_end(proxy)
    return proxy


def _tell_source(stream: Stream, target: Any) -> None:
    """Tells a guarded stream what else than its items says how it went."""
    response = own_attribute(target, "response")
    if response is not None:
        stream.reads(response)
    if is_silent_socket(class_of(target)):
        stream.ends_with(target)


@lru_cache(maxsize=512)
def _class_of_proxies(kind: type) -> type[Proxy]:
    is_async = hasattr(kind, "__anext__") or hasattr(kind, "__aiter__")
    methods = dict(_ASYNC if is_async else _SYNC)
    base = _AsyncStreamProxy if is_async else PlainProxy
    for name in ("close", "aclose"):
        if hasattr(kind, name):
            methods[name] = _close_async(name) if iscoroutinefunction(getattr(kind, name)) else _close(name)
    methods |= stream_methods_of(kind)
    own = ("__aiter__", "__anext__", "__iter__", "__next__", "close", "aclose")
    observed = {name: method for name, method in methods.items() if name in own or hasattr(kind, name)}
    return proxy_class(kind, observed, base)


class _AsyncStreamProxy(Proxy, ItemsOf):
    """A proxy that asks for an item without any Python code."""

    __slots__ = SLOTS


def _itself(self: Proxy) -> Proxy:
    return self


def _next(self: Proxy) -> Any:
    return next(self._halfopen_call.items)


async def _enter_async(self: Proxy) -> Any:
    entered = await class_of(self._halfopen_target).__aenter__(self._halfopen_target)
    return self if entered is self._halfopen_target else entered


async def _exit_async(self: Proxy, *error: Any) -> Any:
    await self._halfopen_call.stop_async()
    return await class_of(self._halfopen_target).__aexit__(self._halfopen_target, *error)


def _enter(self: Proxy) -> Any:
    entered = class_of(self._halfopen_target).__enter__(self._halfopen_target)
    return self if entered is self._halfopen_target else entered


def _exit(self: Proxy, *error: Any) -> Any:
    self._halfopen_call.stop()
    return class_of(self._halfopen_target).__exit__(self._halfopen_target, *error)


def _close_async(name: str) -> Callable[..., Any]:
    async def close(self: Proxy) -> Any:
        await self._halfopen_call.stop_async()
        return await getattr(self._halfopen_target, name)()

    return close


def _close(name: str) -> Callable[..., Any]:
    def close(self: Proxy) -> Any:
        # An async generator cannot be closed here; it ends when it is garbage.
        if not isinstance(self._halfopen_call.items, AsyncItems):
            self._halfopen_call.stop()
        self._halfopen_call.stream.cancelled()
        return getattr(self._halfopen_target, name)()

    return close


_ASYNC: dict[str, Callable[..., Any]] = {
    "__aiter__": _itself,
    "__anext__": ItemsOf.__anext__,
    "__aenter__": _enter_async,
    "__aexit__": _exit_async,
}
_SYNC: dict[str, Callable[..., Any]] = {
    "__iter__": _itself,
    "__next__": _next,
    "__enter__": _enter,
    "__exit__": _exit,
}


@dataclass(slots=True, eq=False)
class _Entering:
    """The call of a context manager that yields a stream. It begins when the context manager is entered."""

    begin: Callable[[Any], Stream]
    deadline: Deadline | None
    guard: _Guard | None = None

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
        if not is_stream(result) and not _is_open_stream(result):
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
        _tell_source(stream, result)
        inner = _inner_iterator(result)
        source.append(result if inner is None else inner)
        self.guard = _Guard(stream)
        if inner is not None:
            result._iterator = self.guard.items
        return _class_of_proxies(class_of(result))(self.guard, result)


def _inner_iterator(result: Any) -> Any:
    """The iterator from which a stream of an SDK takes its items, if helpers of the stream read from it.

    Such helpers, ``text_stream`` and ``get_final_message()`` for example, do not pass through a proxy. The attribute is
    not public, but the only place through which all of them read.
    """
    inner = own_attribute(result, "_iterator")
    has_helpers = hasattr(class_of(result), "until_done")
    is_generator = issubclass(class_of(inner), GeneratorType | AsyncGeneratorType | AsyncItems)
    return inner if has_helpers and is_generator else None


def guarded_manager(begin: Callable[[Any], Stream], deadline: Deadline | None, target: Any) -> Any:
    """A proxy of a context manager. Entering it begins the call, and the stream that it yields ends it."""
    return _class_of_managers(class_of(target))(_Entering(begin, deadline), target)


@lru_cache(maxsize=512)
def _class_of_managers(kind: type) -> type[Proxy]:
    return proxy_class(kind, {name: method for name, method in _MANAGER.items() if hasattr(kind, name)})


async def _items_of_entered_async(source: list[Any]) -> AsyncGenerator[Any, None]:
    items: Any = _generator_of(source[0])
    async with aclosing(items):
        async for item in items:
            yield item


def _items_of_entered(source: list[Any]) -> Generator[Any, None, None]:
    yield from _items_of_iterator(source[0])


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
    "__aexit__": _exit_async,
    "__enter__": _enter_manager,
    "__exit__": _exit,
}
