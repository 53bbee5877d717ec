"""A circuit breaker that cannot get stuck, for asyncio and threads.

>>> from halfopen import CircuitBreaker
>>> breaker = CircuitBreaker("gemini", failure_threshold=3)
>>> breaker.call_sync(str.upper, "hello")
'HELLO'
>>> breaker.state
<CircuitBreakerState.CLOSED: 'closed'>
"""

from halfopen import _config_introspection as _config_introspection
from halfopen import _fork as _fork
from halfopen import _log as _log
from halfopen._core import CircuitBreakerConfig, Permit, load_imports
from halfopen.breaker import CircuitBreaker
from halfopen.clock import ManualClock
from halfopen.errors import (
    CallTimeoutError,
    CircuitBreakerOpenError,
    HalfopenError,
    InvalidValueError,
    NameConflictError,
    RegistryFullError,
)
from halfopen.registry import Registry
from halfopen.session import Session
from halfopen.status import CircuitBreakerMetrics, CircuitBreakerState, CircuitBreakerStatus, Durations, Event

load_imports()

__all__ = [
    "CallTimeoutError",
    "CircuitBreaker",
    "CircuitBreakerConfig",
    "CircuitBreakerMetrics",
    "CircuitBreakerOpenError",
    "CircuitBreakerState",
    "CircuitBreakerStatus",
    "Durations",
    "Event",
    "HalfopenError",
    "InvalidValueError",
    "ManualClock",
    "NameConflictError",
    "Permit",
    "Registry",
    "RegistryFullError",
    "Session",
]
