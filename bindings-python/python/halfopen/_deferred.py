"""Results that end later: futures and other awaitables. A call that returned one ends with it.

- An asyncio future or task, or a ``concurrent.futures.Future``, is returned itself.
- Any other awaitable is returned as a proxy. The call ends when it was awaited, entered (``async with`` or ``with``) or
  iterated to the end, whichever comes first. A call of ``grpc.aio`` also ends when its status was asked for, or when
  its user cancels it.

Entering ends the call because entering makes the request: ``async with session.get(url) as response`` means
``response = await session.get(url)``, and a block that closes the response. Errors in the block are the caller's own.
"""

import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from types import GeneratorType
from typing import Any
from weakref import WeakKeyDictionary

from halfopen._core import Awaiting, Call, is_awaitable
from halfopen._proxy import Proxy, class_of, proxy_class
from halfopen._rpc import answer_methods_of
from halfopen._stream_objects import items_of_async_iterator


def followed(call: Call, result: Any) -> Any:
    """Returns the result, or a proxy of it, and settles the call when the result ends."""
    if _is_future(result):
        if result.done():
            _settle(call, result)
        else:
            result.add_done_callback(partial(_settle, call))
        return result
    return _proxy_of(call, result)


def _is_future(result: Any) -> bool:
    # The second half is `asyncio.isfuture`, without importing asyncio.
    return isinstance(result, Future) or (
        hasattr(class_of(result), "_asyncio_future_blocking") and result._asyncio_future_blocking is not None
    )


def _settle(call: Call, future: Any) -> None:
    if future.cancelled():
        # The error that `await` would raise: the breaker may count it. That of a thread's future is an `Exception`, so
        # rules for exceptions would take it for one that the call raised.
        if isinstance(future, Future):
            call.cancelled()
        else:
            call.raised(sys.modules["asyncio"].CancelledError())
        return
    # `exception()` would mark the error as retrieved, and asyncio would no longer log an error that is never retrieved.
    # All futures that asyncio accepts have this attribute, because their `repr` needs it.
    error = future._exception if hasattr(future, "_exception") else future.exception()
    if error is None:
        call.future_returned(future.result())
    else:
        call.raised(error)


_classes: WeakKeyDictionary[type, type[Proxy]] = WeakKeyDictionary()


def _proxy_of(call: Call, target: Any) -> Any:
    kind = class_of(target)
    made = _classes.get(kind)
    if made is None:
        is_coroutine = issubclass(kind, Coroutine | GeneratorType)
        methods = _METHODS | _METHODS_OF_COROUTINES if is_coroutine else _METHODS
        methods = methods | answer_methods_of(kind)
        observed = {name: method for name, method in methods.items() if hasattr(kind, name)}
        if kind is GeneratorType:
            # A generator-based coroutine has no `__await__`.
            observed["__await__"] = _await
        made = _classes[kind] = proxy_class(kind, observed)
    return made(call, target)


def _await(self: Proxy) -> Awaiting:
    call, target = self._halfopen_call, self._halfopen_target
    kind = class_of(target)
    # A generator-based coroutine has no `__await__`.
    steps = _or_settle(call, iter if kind is GeneratorType else kind.__await__, target)
    return Awaiting(call, steps)


def _enter(self: Proxy) -> Any:
    call, target = self._halfopen_call, self._halfopen_target
    return call.returned(_or_settle(call, class_of(target).__enter__, target))


def _enter_async(self: Proxy) -> Any:
    call, target = self._halfopen_call, self._halfopen_target
    entering = _or_settle(call, class_of(target).__aenter__, target)
    return followed(call, entering) if is_awaitable(entering) else entering


def _iterate_async(self: Proxy) -> Any:
    call, target = self._halfopen_call, self._halfopen_target
    # A guarded generator does not count the time of its consumer.
    return call.returned(items_of_async_iterator(_or_settle(call, class_of(target).__aiter__, target)))


async def _next_async(self: Proxy) -> Any:
    call, target = self._halfopen_call, self._halfopen_target
    try:
        return await class_of(target).__anext__(target)
    except StopAsyncIteration:
        call.returned(None)
        raise
    except BaseException as error:
        call.raised(error)
        raise


def _or_settle(call: Call, method: Callable[[Any], Any], target: Any) -> Any:
    try:
        return method(target)
    except BaseException as error:
        call.raised(error)
        raise


def _step(name: str) -> Callable[..., Any]:
    def step(self: Proxy, *args: Any) -> Any:
        return getattr(Awaiting(self._halfopen_call, self._halfopen_target), name)(*args)

    return step


_METHODS: dict[str, Callable[..., Any]] = {
    "__await__": _await,
    "__enter__": _enter,
    "__aenter__": _enter_async,
    "__aiter__": _iterate_async,
    "__anext__": _next_async,
}
_METHODS_OF_COROUTINES: dict[str, Callable[..., Any]] = {
    "__iter__": _await,
    **{name: _step(name) for name in ("__next__", "send", "throw", "close")},
}
