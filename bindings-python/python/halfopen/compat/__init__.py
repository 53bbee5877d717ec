"""The interface of a FastAPI backend's own module ``app.patterns.circuit_breaker``, on this core.

That file becomes one line, ``from halfopen.compat import *``, and nothing else in the backend changes. The breaker
decides as ``halfopen.CircuitBreaker`` does; around it the manners of the replaced module stay:

- ``reset`` and ``force_open`` are coroutine functions, and a decorated plain function becomes one. ``force_open()``
  without a duration ends after ``timeout_seconds``.
- ``CircuitBreakerConfig`` and ``CircuitBreakerMetrics`` are pydantic models. What is out of range is refused with a
  ``pydantic.ValidationError``; where the model was constructed directly, that is an ``InvalidValueError``, too. The
  core's other settings are for a subclass to declare, or those of a ``halfopen.CircuitBreakerConfig``, which the
  breaker also takes.
- ``breaker.config`` is the object that was
  passed in; assigning another one, or one of its fields, reconfigures the breaker.
- The four metrics are in Prometheus' default registry as soon as this module is imported, where ``prometheus_client``
  is installed. They are its own counters, so they work in its multiprocess mode, too. The gauge tells the last
  announced state: 2 from the opening until a probe has been admitted.
- Records go to the logger ``app.patterns.circuit_breaker``; ``set_logger`` changes that.
- The error's ``args[0]`` is the replaced module's message, and ``retry_after`` is always a number.

Needs the extra ``compat``. The page ``docs/migrating.md`` says what could not be kept.
"""

from importlib.util import find_spec

if find_spec("pydantic") is None:
    raise ModuleNotFoundError("halfopen.compat needs pydantic: pip install 'halfopen[compat]'", name="pydantic")

from halfopen.compat._breaker import CircuitBreaker
from halfopen.compat._config import CircuitBreakerConfig
from halfopen.compat._error import CircuitBreakerOpenError
from halfopen.compat._log import set_logger as set_logger
from halfopen.compat._metrics import CircuitBreakerMetrics
from halfopen.status import CircuitBreakerState

__all__ = [
    "CircuitBreaker",
    "CircuitBreakerConfig",
    "CircuitBreakerMetrics",
    "CircuitBreakerOpenError",
    "CircuitBreakerState",
]

try:
    from halfopen.compat._collectors import (
        circuit_breaker_call_duration,
        circuit_breaker_calls_total,
        circuit_breaker_state,
        circuit_breaker_state_transitions,
    )
except ModuleNotFoundError as missing:
    if not (missing.name or "").startswith("prometheus_client"):
        raise
else:
    __all__ += [
        "circuit_breaker_call_duration",
        "circuit_breaker_calls_total",
        "circuit_breaker_state",
        "circuit_breaker_state_transitions",
    ]
