"""The interface of a FastAPI backend's own module ``app.patterns.circuit_breaker``, on this core.

That file becomes one line, ``from halfopen.compat import *``, and nothing else in the backend changes: ``reset`` and
``force_open`` are coroutine functions, a decorated plain function becomes one too, and the four metrics are in
Prometheus' default registry as soon as this module is imported, where ``prometheus_client`` is installed.
"""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar, overload

from halfopen._core import CircuitBreakerConfig
from halfopen.breaker import GuardedCalls
from halfopen.errors import CircuitBreakerOpenError
from halfopen.status import CircuitBreakerMetrics, CircuitBreakerState

P = ParamSpec("P")
R = TypeVar("R")

__all__ = [
    "CircuitBreaker",
    "CircuitBreakerConfig",
    "CircuitBreakerMetrics",
    "CircuitBreakerOpenError",
    "CircuitBreakerState",
]


class CircuitBreaker(GuardedCalls):
    """As ``halfopen.CircuitBreaker``, with the coroutine functions of the replaced module."""

    @overload
    def __call__(self, func: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]: ...
    @overload
    def __call__(self, func: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __call__(self, func: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Guards a function, which becomes a coroutine function."""
        if iscoroutinefunction(func):
            return self._guard_coroutine_function(func)

        @wraps(func)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            return await self.call(func, *args, **kwargs)

        return guarded

    async def reset(self) -> None:
        """Closes the circuit and hands it back to the machine; the lifetime counters stay."""
        self.order_reset()

    async def force_open(self, duration_seconds: float | None = None) -> None:
        """Holds the circuit open for so many seconds, or until it is reset."""
        self.order_open(duration_seconds)


try:
    from halfopen.prometheus import COLLECTOR, register
except ModuleNotFoundError as missing:
    if not (missing.name or "").startswith("prometheus_client"):
        raise
else:
    register()
    # One collector has all four.
    circuit_breaker_state = COLLECTOR
    circuit_breaker_calls_total = COLLECTOR
    circuit_breaker_state_transitions = COLLECTOR
    circuit_breaker_call_duration = COLLECTOR
    __all__ += [
        "circuit_breaker_call_duration",
        "circuit_breaker_calls_total",
        "circuit_breaker_state",
        "circuit_breaker_state_transitions",
    ]
