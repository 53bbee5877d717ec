"""The breaker with the interface of the replaced module."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Never, ParamSpec, TypeVar, overload

from halfopen._arguments import refused
from halfopen._classify import FailureByDefault
from halfopen._core import CircuitBreakerConfig as NativeConfig
from halfopen.breaker import CircuitBreaker as NativeBreaker
from halfopen.classify import every_exception_is_a_failure, every_result_is_a_success
from halfopen.compat._config import CircuitBreakerConfig, native_of
from halfopen.compat._delegation import Delegation, run
from halfopen.compat._log import log_forced_opening, log_reset
from halfopen.compat._metrics_model import CircuitBreakerMetrics
from halfopen.compat._observer import BreakerObserver
from halfopen.compat._removed_attributes import RemovedAttributes
from halfopen.status import CircuitBreakerState
from halfopen.types import Classifier

P = ParamSpec("P")
R = TypeVar("R")

_ASSIGNED_EARLY = ("config", "provider_id")
_OLD_SETTINGS = ("failure_threshold", "success_threshold", "timeout_seconds", "half_open_max_calls")
_COUNTERS = tuple(CircuitBreakerMetrics.model_fields)
_OLD_METRICS = (*_COUNTERS, "success_rate")


class CircuitBreaker(Delegation, RemovedAttributes):
    """A circuit breaker with the interface of the replaced module.

    It also has the other methods of ``halfopen.CircuitBreaker``. ``native`` is the ``halfopen.CircuitBreaker`` inside;
    calls through it appear in the same metrics and the same log.
    """

    def __init__(
        self,
        config: CircuitBreakerConfig | NativeConfig | None = None,
        provider_id: str = "unknown",
        *,
        clock: Callable[[], float] | None = None,
        classify: Classifier | None = None,
        call_timeout_seconds: float | None = None,
        first_item_timeout_seconds: float | None = None,
        idle_timeout_seconds: float | None = None,
        is_content: Callable[[Any], bool] | None = None,
        is_end: Callable[[Any], bool] | None = None,
    ) -> None:
        config = CircuitBreakerConfig() if config is None else config
        self._native = NativeBreaker(
            native_of(config),
            provider_id,
            clock=clock,
            call_timeout_seconds=call_timeout_seconds,
            first_item_timeout_seconds=first_item_timeout_seconds,
            idle_timeout_seconds=idle_timeout_seconds,
            is_content=is_content,
            is_end=is_end,
            classify=every_exception_is_a_failure if classify is None else FailureByDefault(classify),
            judge=every_result_is_a_success,
        )
        self._observer = BreakerObserver(config, provider_id, self._native)
        for name in _ASSIGNED_EARLY:
            vars(self).pop(name, None)

    # The constructor of a subclass may assign and read these two before it calls this one.

    @property
    def config(self) -> CircuitBreakerConfig:
        """The object that was passed in. Assigning another one, or one of its fields, reconfigures the breaker."""
        if "config" in vars(self):
            return vars(self)["config"]  # type: ignore[no-any-return]
        config: CircuitBreakerConfig = self._observer.config_in_force()
        return config

    @config.setter
    def config(self, config: CircuitBreakerConfig | NativeConfig) -> None:
        native_of(config)
        if "_observer" not in vars(self):
            vars(self)["config"] = config
            return
        self._observer.config = config
        self._observer.follow()

    @property
    def provider_id(self) -> str:
        """The provider behind the circuit, a label of its metrics."""
        if "provider_id" in vars(self):
            return vars(self)["provider_id"]  # type: ignore[no-any-return]
        return self._observer.provider_id

    @provider_id.setter
    def provider_id(self, provider_id: str) -> None:
        if "_observer" not in vars(self):
            vars(self)["provider_id"] = provider_id
            return
        self._observer.provider_id = provider_id
        self._observer.relabel()

    @property
    def state(self) -> CircuitBreakerState:
        """The state now; ``half_open`` as soon as the wait is over, even if no call has come yet."""
        return self._native.state

    # `Never` makes type checkers report the assignment.
    @state.setter
    def state(self, _: Never) -> None:
        raise AttributeError("state cannot be assigned: await reset() or force_open()")

    @property
    def metrics(self) -> CircuitBreakerMetrics:
        """The counters; each access reads them anew."""
        read = self._native.metrics
        # Not validated, because pydantic cannot validate at interpreter exit, when a destructor may call this.
        return CircuitBreakerMetrics.model_construct(**{name: getattr(read, name) for name in _COUNTERS})

    @metrics.setter
    def metrics(self, _: Never) -> None:
        raise AttributeError("metrics cannot be assigned: each access reads the counters anew")

    def get_status(self) -> dict[str, Any]:
        """State, mode, counters and configuration, as a document ready for JSON.

        ``metrics`` and ``config`` have the keys of the replaced module, ``extended_metrics`` and ``extended_config``
        the others.
        """
        self._observer.follow_if_changed()
        status: dict[str, Any] = {**self._native.get_status()}
        for part, old in (("metrics", _OLD_METRICS), ("config", _OLD_SETTINGS)):
            values = status[part]
            status[part] = {name: values[name] for name in old}
            status[f"extended_{part}"] = {name: value for name, value in values.items() if name not in old}
        return {**status, "name": self.config.name, "provider_id": self.provider_id}

    # Typed without `ParamSpec`, so that subclasses written for the replaced module may override it.
    @overload
    async def call(self, func: Callable[..., Awaitable[R]], /, *args: Any, **kwargs: Any) -> R: ...
    @overload
    async def call(self, func: Callable[..., R], /, *args: Any, **kwargs: Any) -> R: ...
    @overload
    async def call(self, /, *, func: Callable[..., Awaitable[R]], **kwargs: Any) -> R: ...
    @overload
    async def call(self, /, *, func: Callable[..., R], **kwargs: Any) -> R: ...
    async def call(self, /, *args: Any, **kwargs: Any) -> Any:
        """Calls ``func`` if the circuit admits the call, and awaits the result if it is awaitable.

        Without positional arguments, the keyword argument ``func`` is the function.

        Raises ``CircuitBreakerOpenError`` if the circuit rejects the call, otherwise whatever ``func`` raises.
        """
        if not args:
            if "func" not in kwargs:
                raise TypeError("call() needs a function to call")
            args = (kwargs.pop("func"),)
        return await self._native.call(run, *args, **kwargs)

    @overload
    def __call__(self, func: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]: ...
    @overload
    def __call__(self, func: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __call__(self, func: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Guards a function, which becomes a coroutine function."""
        method: Any = func
        if isinstance(method, staticmethod | classmethod):
            return type(method)(self(method.__func__))  # type: ignore[return-value]  # a descriptor
        if not callable(func):
            raise refused("func", func, "a function")

        @wraps(func)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            return await self.call(func, *args, **kwargs)

        return guarded

    async def reset(self) -> None:
        """Closes the circuit and returns it to normal operation; the counters stay."""
        self._native.reset()
        log_reset(self.config.name)

    async def force_open(self, duration_seconds: float | None = None) -> None:
        """Holds the circuit open, by default for ``timeout_seconds``; the next call after that is a probe."""
        seconds = float(self.config.timeout_seconds) if duration_seconds is None else duration_seconds
        self._native.force_open(seconds)
        log_forced_opening(self.config.name, seconds)

    def __repr__(self) -> str:
        if "_observer" not in vars(self):
            return f"<{type(self).__name__}, not initialised>"
        return f"<{type(self).__name__} {self.config.name!r} provider={self.provider_id!r} state={self.state.value}>"
