"""The circuit breaker as Python uses it."""

from collections.abc import Awaitable, Callable
from functools import cached_property, partialmethod
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, ParamSpec, TypeAlias, TypeVar, overload

from halfopen._core import GuardedFunction, is_awaitable
from halfopen.arguments import guarded_descriptor
from halfopen.circuit import Circuit
from halfopen.forward import forwarding
from halfopen.guard import guarded_async_generator_function, guarded_generator_function

P = ParamSpec("P")
R = TypeVar("R")
Guardable: TypeAlias = (
    "Callable[..., Any] | classmethod[Any, Any, Any] | property | cached_property[Any] | partialmethod[Any]"
)
F = TypeVar("F", bound=Guardable)


_PLAIN = """
def guarded({parameters}):
    return _run({arguments})
"""

# Between two steps of Python an interrupt may strike. The call is an object from its first instant, so that it is given
# back wherever it is dropped.
_COROUTINE = """
async def guarded({parameters}):
    _call = _begin(_func)
    try:
        return _call.returned(await _func({arguments}))
    except BaseException as _error:
        _call.raised(_error)
        raise
"""


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
        call = self.begin(func)
        try:
            result = func(*args, **kwargs)
            if is_awaitable(result):
                result = await result
        except BaseException as error:
            call.raised(error)
            raise
        return call.returned(result)

    def _guard_coroutine_function(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return forwarding(_COROUTINE, func, _begin=self.begin)


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
        """Guards a function: plain, coroutine, generator or async generator; it stays what it is.

        So does a ``staticmethod``, ``classmethod`` or ``partialmethod``, and a ``property`` or ``cached_property``, of
        which the reading is guarded. A class is guarded as a function that makes its instances. Anything else that
        cannot be called is refused with ``InvalidValueError``.

        Its parameters and their defaults are those of this moment: what is changed of them later, the guarded function
        does not know.
        """
        function: Any = func
        guarded: Any = guarded_descriptor(self, function)
        if guarded is not None:
            pass
        elif isasyncgenfunction(function):
            guarded = guarded_async_generator_function(self.begin_stream, function)
        elif isgeneratorfunction(function):
            guarded = guarded_generator_function(self.begin_stream, function)
        elif iscoroutinefunction(function):
            guarded = self._guard_coroutine_function(function)
        else:
            guarded = self._guard_plain_function(function)
        result: F = guarded
        return result

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
        return forwarding(_PLAIN, func, _run=GuardedFunction(self, func).run)
