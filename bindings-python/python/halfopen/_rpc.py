"""Recognises the calls of grpc, and settles those without items when they end.

A call of ``grpc`` is an iterator and a future at once, and only its user knows which of the two. So both are observed.
"""

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from weakref import ref

from halfopen._names import names_of
from halfopen._proxy import Proxy, class_of

_ASYNC_RPC = "grpc.aio._base_call.Call"


def is_async_rpc(result: object) -> bool:
    """Whether it is a call of ``grpc.aio``."""
    return is_async_rpc_class(class_of(result))


def is_async_rpc_class(kind: type) -> bool:
    """Whether it is a class of such calls."""
    return _has_base(kind, _ASYNC_RPC)


def is_rpc(result: object) -> bool:
    """Whether it is a call of ``grpc`` that may still run."""
    return _is_rpc_class(class_of(result))


def _is_rpc_class(kind: type) -> bool:
    return _has_base(kind, "grpc.Future") and hasattr(kind, "__next__")


@lru_cache(maxsize=512)
def _has_base(kind: type, name: str) -> bool:
    return name in names_of(kind)


def settle_at_end(proxy: Proxy) -> None:
    """Settles the call of a proxy when its target, a call of ``grpc``, ends before an item was asked for."""
    reference = ref(proxy)

    # It must not keep the target alive: grpc cancels a call that is deleted.
    def end() -> None:
        followed = reference()
        if followed is not None:
            _settle(followed._halfopen_call, followed._halfopen_target)

    target = proxy._halfopen_target
    # False if the call has ended.
    if not target.add_callback(end):
        end()


def _settle(guard: Any, target: Any) -> None:
    if guard.items.gi_running or guard.items.gi_suspended:
        # The consumer iterates, so the items tell how the call ends.
        return
    if target.cancelled():
        guard.stream.cancelled()
        return
    error = target.exception()
    if error is None:
        guard.stream.resulted_in(target.result())
    else:
        guard.stream.raised(error)


def stream_methods_of(kind: type) -> dict[str, Callable[..., Any]]:
    """The methods of a proxy for a call of ``grpc`` or ``grpc.aio`` with a stream. None for other classes."""
    if is_async_rpc_class(kind):
        return _METHODS_OF_ASYNC_STREAMS
    return _METHODS_OF_STREAMS if _is_rpc_class(kind) else {}


def _cancel(settle: Callable[[Any], None]) -> Callable[[Proxy], bool]:
    """A ``cancel`` that also settles, because the user may never ask for the status. It does nothing after the end."""

    def cancel(self: Proxy) -> bool:
        is_cancelled: bool = self._halfopen_target.cancel()
        if is_cancelled:
            settle(self._halfopen_call)
        return is_cancelled

    return cancel


def _cancelled_error() -> Any:
    """The error that awaiting a cancelled call raises: the breaker may count it."""
    return sys.modules["asyncio"].CancelledError()


async def _read(self: Proxy) -> Any:
    """Replaces the method ``read``, which gets the items of a call of ``grpc.aio`` without iteration."""
    try:
        return await anext(self._halfopen_call.items)
    except StopAsyncIteration:
        return sys.modules["grpc.aio"].EOF


async def _write(self: Proxy, request: Any) -> None:
    """Replaces the method ``write``, because the consumer may learn only from it that the call has failed."""
    target = self._halfopen_target
    try:
        await target.write(request)
    except Exception:
        if target.done() and not target.cancelled():
            await _raised_status(self._halfopen_call.stream, target)
        raise


async def _raised_status(stream: Any, target: Any) -> None:
    """Settles the call of a stream by the status of its target, a call of ``grpc.aio`` that has ended."""
    grpc = sys.modules["grpc"]
    code = await target.code()
    if code is not grpc.StatusCode.OK:
        metadata = await target.initial_metadata(), await target.trailing_metadata()
        stream.raised(grpc.aio.AioRpcError(code, *metadata, await target.details()))


def _settling(name: str) -> Callable[[Proxy], Any]:
    async def observe(self: Proxy) -> Any:
        call, target = self._halfopen_call, self._halfopen_target
        value = await getattr(target, name)()
        if target.cancelled():
            call.raised(_cancelled_error())
            return value
        try:
            # The call has ended, so this takes no time.
            answer = await target
        except Exception as error:
            call.raised(error)
        else:
            call.returned(answer)
        return value

    return observe


_METHODS_OF_STREAMS: dict[str, Callable[..., Any]] = {"cancel": _cancel(lambda guard: guard.stream.cancelled())}
_METHODS_OF_ASYNC_STREAMS: dict[str, Callable[..., Any]] = {
    "cancel": _cancel(lambda guard: guard.stream.raised(_cancelled_error())),
    "read": _read,
    "write": _write,
}
_METHODS_OF_ANSWERS: dict[str, Callable[..., Any]] = {
    "cancel": _cancel(lambda call: call.raised(_cancelled_error())),
    **{name: _settling(name) for name in ("code", "details", "trailing_metadata", "debug_error_string")},
}


def answer_methods_of(kind: type) -> dict[str, Callable[..., Any]]:
    """The methods of a proxy for a call of ``grpc.aio`` with one answer that end it. None for other classes.

    They return its status, or cancel it. Each also settles the call, because a caller that has the status may never
    await the answer. The answer is not kept in this module, because it would keep the class.
    """
    return _METHODS_OF_ANSWERS if _ASYNC_RPC in names_of(kind) else {}
