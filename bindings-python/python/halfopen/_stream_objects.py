"""Guards stream objects of SDKs, which keep the interface of their type."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from functools import lru_cache
from inspect import iscoroutinefunction
from typing import Any

from halfopen._core import AsyncItems, ItemsOf, Stream
from halfopen._proxy import SLOTS, PlainProxy, Proxy, class_of, own_attribute, proxy_class
from halfopen._result_rules import is_response
from halfopen._rpc import is_rpc, settle_at_end, stream_methods_of
from halfopen._stream_items import is_silent_socket
from halfopen._streams import guarded_items


def is_stream_object(result: Any) -> bool:
    """Whether an iterator is the open response of an SDK, which can be closed and has a ``response``, or of grpc."""
    kind = class_of(result)
    if not (hasattr(kind, "close") or hasattr(kind, "aclose")):
        return is_rpc(result)
    # Mocks have every attribute, but not in their class or as their own.
    return hasattr(kind, "response") or own_attribute(result, "response") is not None


def is_stream(candidate: Any) -> bool:
    """Whether it has items to iterate, with or without ``async``."""
    kind = class_of(candidate)
    return hasattr(kind, "__anext__") or hasattr(kind, "__aiter__") or hasattr(kind, "__next__")


def is_open_stream(candidate: Any) -> bool:
    """Whether it is no iterator but has items and ``close``, as streams of botocore and plain sockets of websockets."""
    return _has_items_and_close(class_of(candidate)) and not is_response(candidate)


@lru_cache(maxsize=512)
def _has_items_and_close(kind: type) -> bool:
    is_async = hasattr(kind, "__aenter__") or hasattr(kind, "__await__")
    return hasattr(kind, "__iter__") and hasattr(kind, "close") and not is_async


def items_of(target: Any) -> Any:
    """The source from which ``Stream`` takes the items: an async iterator itself, or a generator of its items.

    A context manager has no items yet, so it is returned itself.
    """
    if not is_stream(target) and not is_open_stream(target):
        return target
    # Not the result of `__aiter__`: for some SDKs it is an async generator, which would be one more layer.
    return target if hasattr(class_of(target), "__anext__") else generator_of(target)


def generator_of(target: Any) -> AsyncGenerator[Any, None] | Generator[Any, None, None]:
    kind = class_of(target)
    if hasattr(kind, "__anext__"):
        return items_of_async_iterator(target)
    return _items_of_async_iterable(target) if hasattr(kind, "__aiter__") else items_of_iterator(target)


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


def items_of_iterator(iterator: Any) -> Generator[Any, None, None]:
    # Not `yield from`, which would close the iterator together with the generator.
    for item in iterator:  # noqa: UP028
        yield item


class Guard:
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


def guarded_object(stream: Stream, target: Any) -> Any:
    """A proxy of a stream object that ends the call of ``stream`` when it ends."""
    tell_source(stream, target)
    proxy = class_of_proxies(class_of(target))(Guard(stream), target)
    if is_rpc(target):
        settle_at_end(proxy)
    return proxy


def tell_source(stream: Stream, target: Any) -> None:
    """Tells a guarded stream what else than its items says how it went."""
    response = own_attribute(target, "response")
    if response is not None:
        stream.reads(response)
    if is_silent_socket(class_of(target)):
        stream.ends_with(target)


@lru_cache(maxsize=512)
def class_of_proxies(kind: type) -> type[Proxy]:
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


async def exit_async(self: Proxy, *error: Any) -> Any:
    await self._halfopen_call.stop_async()
    return await class_of(self._halfopen_target).__aexit__(self._halfopen_target, *error)


def _enter(self: Proxy) -> Any:
    entered = class_of(self._halfopen_target).__enter__(self._halfopen_target)
    return self if entered is self._halfopen_target else entered


def exit_plainly(self: Proxy, *error: Any) -> Any:
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
    "__aexit__": exit_async,
}
_SYNC: dict[str, Callable[..., Any]] = {
    "__iter__": _itself,
    "__next__": _next,
    "__enter__": _enter,
    "__exit__": exit_plainly,
}
