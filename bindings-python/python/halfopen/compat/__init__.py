"""The interface of a FastAPI backend's own module ``app.patterns.circuit_breaker``, on this core.

That file becomes one line, ``from halfopen.compat import *``, and nothing else in the backend changes. The breaker
decides as ``halfopen.CircuitBreaker`` does, with the interface of the replaced module:

- ``reset`` and ``force_open`` are coroutine functions, and a decorated plain function becomes one. ``force_open()``
  without a duration ends after ``timeout_seconds``.
- ``CircuitBreakerConfig`` and ``CircuitBreakerMetrics`` are pydantic models. A value out of range raises a
  ``pydantic.ValidationError``; if the model was constructed directly, the error is also an ``InvalidValueError``. For
  the core's other settings, declare them in a subclass, or pass a ``halfopen.CircuitBreakerConfig`` to the breaker.
- ``breaker.config`` is the object that was passed in. Assigning another one, or one of its fields, reconfigures the
  breaker.
- If ``prometheus_client`` is installed, importing this module adds the four metrics to Prometheus' default registry.
  They also work in its multiprocess mode. The gauge shows the last announced state: 2 from the opening until a probe is
  admitted.
- Records go to the logger ``app.patterns.circuit_breaker``; ``set_logger`` changes that.
- The error's ``args[0]`` is the replaced module's message, and ``retry_after`` is always a number.

Needs the extra ``compat``. ``docs/migrating.md`` lists the differences.
"""

from importlib.util import find_spec

if find_spec("pydantic") is None:
    raise ModuleNotFoundError("halfopen.compat needs pydantic: pip install 'halfopen[compat]'", name="pydantic")

from halfopen.compat._breaker import CircuitBreaker
from halfopen.compat._config import CircuitBreakerConfig
from halfopen.compat._error import CircuitBreakerOpenError
from halfopen.compat._log import set_logger as set_logger
from halfopen.compat._metrics_model import CircuitBreakerMetrics
from halfopen.status import CircuitBreakerState

__all__ = [
    "CircuitBreaker",
    "CircuitBreakerConfig",
    "CircuitBreakerMetrics",
    "CircuitBreakerOpenError",
    "CircuitBreakerState",
]

if find_spec("prometheus_client") is not None:
    from halfopen.compat._collectors import (
        circuit_breaker_call_duration,
        circuit_breaker_calls_total,
        circuit_breaker_state,
        circuit_breaker_state_transitions,
    )

    __all__ += [
        "circuit_breaker_call_duration",
        "circuit_breaker_calls_total",
        "circuit_breaker_state",
        "circuit_breaker_state_transitions",
    ]
