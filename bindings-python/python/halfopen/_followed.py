"""Results whose outcome comes later: they keep all that they can do, and their end ends the call that returned them.

- An asyncio future or task and a ``concurrent.futures.Future`` are returned themselves; the call ends when they are
  done.
- Anything else that can be awaited is returned as a stand-in for it. The call ends with the first of these that ends:
  it has been awaited, it has been entered (``async with``, ``with``), an iteration over it has ended.

Entering ends the call because that is where the request is made: ``async with session.get(url) as response`` is
``response = await session.get(url)`` and a block that closes it. What happens in the block is the caller's own.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from types import GeneratorType
from typing import Any
from weakref import WeakKeyDictionary

from halfopen._core import Awaiting, Call, is_awaitable
from halfopen._stand_in import StandIn, class_of, stand_in_class


def followed(call: Call, result: Any) -> Any:
    """What a guarded function returned; it settles the call when its own outcome is known."""
    if _is_future(result):
        if result.done():
            _settle(call, result)
        else:
            result.add_done_callback(partial(_settle, call))
        return result
    return _stand_in(call, result)


def _is_future(result: Any) -> bool:
    # The second half is `asyncio.isfuture`, without importing asyncio where nobody uses it.
    return isinstance(result, Future) or (
        hasattr(class_of(result), "_asyncio_future_blocking") and result._asyncio_future_blocking is not None
    )


def _settle(call: Call, future: Any) -> None:
    if future.cancelled():
        call.raised(GeneratorExit())
        return
    # `exception()` would mark the error as retrieved, and asyncio would no longer log one that nobody looks at. Futures
    # that asyncio takes have this attribute, because it shows them with it.
    error = future._exception if hasattr(future, "_exception") else future.exception()
    if error is None:
        call.returned(None)
    else:
        call.future_raised(error)


_classes: WeakKeyDictionary[type, type[StandIn]] = WeakKeyDictionary()


def _stand_in(call: Call, original: Any) -> Any:
    kind = class_of(original)
    made = _classes.get(kind)
    if made is None:
        is_coroutine = issubclass(kind, Coroutine | GeneratorType)
        methods = _METHODS | _METHODS_OF_COROUTINES if is_coroutine else _METHODS
        observed = {name: method for name, method in methods.items() if hasattr(kind, name)}
        if kind is GeneratorType:
            # A coroutine written as a generator has no method for it.
            observed["__await__"] = _await
        made = _classes[kind] = stand_in_class(kind, observed)
    return made(call, original)


def _await(self: StandIn) -> Awaiting:
    call, original = self._halfopen_call, self._halfopen_original
    kind = class_of(original)
    # A coroutine that was written as a generator has no method for it.
    steps = _or_settle(call, iter if kind is GeneratorType else kind.__await__, original)
    return Awaiting(call, steps)


def _enter(self: StandIn) -> Any:
    call, original = self._halfopen_call, self._halfopen_original
    return call.returned(_or_settle(call, class_of(original).__enter__, original))


def _enter_async(self: StandIn) -> Any:
    call, original = self._halfopen_call, self._halfopen_original
    entering = _or_settle(call, class_of(original).__aenter__, original)
    return followed(call, entering) if is_awaitable(entering) else entering


def _iterate_async(self: StandIn) -> Any:
    call, original = self._halfopen_call, self._halfopen_original
    return call.returned(_items(_or_settle(call, class_of(original).__aiter__, original)))


async def _items(iterator: Any) -> AsyncGenerator[Any, None]:
    # A guarded generator leaves out the time that its consumer takes.
    while True:
        try:
            item = await anext(iterator)
        except StopAsyncIteration:
            return
        yield item


async def _next_async(self: StandIn) -> Any:
    call, original = self._halfopen_call, self._halfopen_original
    try:
        return await class_of(original).__anext__(original)
    except StopAsyncIteration:
        call.returned(None)
        raise
    except BaseException as error:
        call.raised(error)
        raise


def _or_settle(call: Call, method: Callable[[Any], Any], original: Any) -> Any:
    try:
        return method(original)
    except BaseException as error:
        call.raised(error)
        raise


def _next(self: StandIn) -> Any:
    return next(Awaiting(self._halfopen_call, self._halfopen_original))


def _send(self: StandIn, value: Any) -> Any:
    return Awaiting(self._halfopen_call, self._halfopen_original).send(value)


def _throw(self: StandIn, *error: Any) -> Any:
    return Awaiting(self._halfopen_call, self._halfopen_original).throw(*error)


def _close(self: StandIn) -> None:
    Awaiting(self._halfopen_call, self._halfopen_original).close()


_METHODS: dict[str, Callable[..., Any]] = {
    "__await__": _await,
    "__enter__": _enter,
    "__aenter__": _enter_async,
    "__aiter__": _iterate_async,
    "__anext__": _next_async,
}
_METHODS_OF_COROUTINES: dict[str, Callable[..., Any]] = {
    "__iter__": _await,
    "__next__": _next,
    "send": _send,
    "throw": _throw,
    "close": _close,
}
