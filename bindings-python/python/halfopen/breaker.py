"""The circuit breaker as Python uses it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, overload

from halfopen._core import Permit
from halfopen.circuit import Circuit
from halfopen.guard import (
    async_stream_function,
    guarded_awaitable,
    guarded_stream,
    judged,
    judged_async,
    outcome_of,
)

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


class GuardedCalls(Circuit):
    """Every way to make a call through a circuit."""

    @overload
    async def call(self, func: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    async def call(self, func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    async def call(self, func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Calls ``func`` if the circuit lets it, and awaits what it returns if that can be awaited.

        Raises ``CircuitBreakerOpenError`` where it is not let, otherwise whatever ``func`` raises, untouched.
        A generator counts when it ends, not when it is made.
        """
        permit, result = self._begin(func, args, kwargs)
        return await judged_async(permit, result, self._classify)

    def call_sync(self, func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls a plain ``func`` if the circuit lets it.

        Where ``func`` returns something to await or to iterate, the call ends when that does.
        """
        permit, result = self._begin(func, args, kwargs)
        guarded: R = judged(permit, result, self._classify)
        return guarded

    def _begin(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Permit, Any]:
        permit = self.acquire()
        try:
            return permit, func(*args, **kwargs)
        except BaseException as error:
            permit.settle(outcome_of(error, self._classify))
            raise

    def __enter__(self) -> Permit:
        permit = self.acquire()
        self._entries.push(permit)
        return permit

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        permit = self._entries.pop()
        if permit is not None:
            permit.settle("success" if error is None else outcome_of(error, self._classify))

    async def __aenter__(self) -> Permit:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _guard_coroutine_function(self, func: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(func)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            return await guarded_awaitable(self.acquire(), func(*args, **kwargs), self._classify)

        return guarded


class CircuitBreaker(GuardedCalls):
    """A circuit breaker, shared by any number of tasks, event loops and threads.

    Four ways to use one breaker: as a decorator, ``await breaker.call(func, …)`` and ``breaker.call_sync(func, …)``,
    ``async with breaker:`` and ``with breaker:``, and in two steps ``permit = breaker.acquire()`` and
    ``permit.success()``.

    ``clock`` returns seconds (``time.monotonic`` does; the default is the core's own clock). ``classify`` says of an
    exception what it means: ``"failure"`` (the default for every ``Exception``), ``"ignored"`` where the caller is to
    blame, ``"success"`` or ``"cancelled"``.

    >>> import asyncio
    >>> from halfopen import CircuitBreaker, CircuitBreakerConfig
    >>> breaker = CircuitBreaker(CircuitBreakerConfig(name="gemini"), provider_id="gemini")
    >>> @breaker
    ... async def ask(prompt: str) -> str:
    ...     return prompt.upper()
    >>> asyncio.run(ask("hello"))
    'HELLO'
    """

    def __call__(self, func: F) -> F:
        """Guards a function: plain, coroutine, generator or async generator; it stays what it is."""
        guarded: Callable[..., Any]
        if isasyncgenfunction(func):
            guarded = self._guard_async_generator_function(func)
        elif isgeneratorfunction(func):
            guarded = self._guard_generator_function(func)
        elif iscoroutinefunction(func):
            guarded = self._guard_coroutine_function(func)
        else:
            guarded = self._guard_plain_function(func)
        return guarded  # type: ignore[return-value]  # `wraps` keeps the signature

    def reset(self) -> None:
        """Closes the circuit and hands it back to the machine; the lifetime counters stay."""
        self.order_reset()

    def force_open(self, duration_seconds: float | None = None) -> None:
        """Holds the circuit open for so many seconds (above 0, at most one year), or until it is reset.

        When the duration ends, the next call is a probe.
        """
        self.order_open(duration_seconds)

    def disable(self) -> None:
        """Lets every call pass, judging none, until the circuit is reset or forced open."""
        self.order_disabled()

    def _guard_plain_function(self, func: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(func)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            return self.call_sync(func, *args, **kwargs)

        return guarded

    def _guard_async_generator_function(
        self, func: Callable[..., AsyncGenerator[Any, Any]]
    ) -> Callable[..., AsyncGenerator[Any, Any]]:
        def begin(*args: Any, **kwargs: Any) -> tuple[Permit, AsyncGenerator[Any, Any]]:
            return self.acquire(), func(*args, **kwargs)

        return wraps(func)(async_stream_function(begin, self._classify))

    def _guard_generator_function(
        self, func: Callable[..., Generator[Any, Any, Any]]
    ) -> Callable[..., Generator[Any, Any, Any]]:
        @wraps(func)
        def guarded(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            return (yield from guarded_stream(self.acquire(), func(*args, **kwargs), self._classify))

        return guarded
