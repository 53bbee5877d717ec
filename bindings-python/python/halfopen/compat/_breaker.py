"""The breaker of the replaced module, around the one of this package."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar, overload

from halfopen._core import CircuitBreakerConfig as NativeConfig
from halfopen.breaker import CircuitBreaker as NativeBreaker
from halfopen.compat import _log
from halfopen.compat._books import Books
from halfopen.compat._config import CircuitBreakerConfig, native_of
from halfopen.compat._metrics import CircuitBreakerMetrics
from halfopen.compat._more import NewWays
from halfopen.compat._private import WithoutPrivates
from halfopen.errors import InvalidValueError
from halfopen.guard import Classifier
from halfopen.status import CircuitBreakerState

P = ParamSpec("P")
R = TypeVar("R")

_OLD_SETTINGS = ("failure_threshold", "success_threshold", "timeout_seconds", "half_open_max_calls")
_OLD_METRICS = (*CircuitBreakerMetrics.model_fields, "success_rate")


class CircuitBreaker(NewWays, WithoutPrivates):
    """A circuit breaker with the interface of the replaced module.

    What the replaced module did not have is that of ``halfopen.CircuitBreaker``, which is also to be had itself, as
    ``native``: what is called through it is in the same metrics and in the same log.
    """

    def __init__(
        self,
        config: CircuitBreakerConfig | NativeConfig | None = None,
        provider_id: str = "unknown",
        *,
        clock: Callable[[], float] | None = None,
        classify: Classifier | None = None,
    ) -> None:
        config = CircuitBreakerConfig() if config is None else config
        self._native = NativeBreaker(native_of(config), provider_id, clock=clock, classify=classify)
        self._books = Books(config, provider_id, self._native)

    @property
    def config(self) -> CircuitBreakerConfig:
        """The object that was passed in; another one puts itself in force, and so does one of its fields."""
        config: CircuitBreakerConfig = self._books.config
        return config

    @config.setter
    def config(self, config: CircuitBreakerConfig | NativeConfig) -> None:
        native_of(config)
        self._books.config = config
        self._books.follow()

    @property
    def provider_id(self) -> str:
        """Whom it guards."""
        return self._books.provider_id

    @provider_id.setter
    def provider_id(self, provider_id: str) -> None:
        self._books.provider_id = provider_id
        self._books.relabel()

    @property
    def state(self) -> CircuitBreakerState:
        """The state now; ``half_open`` also where the wait is over and nobody has called yet."""
        return self._native.state

    @property
    def metrics(self) -> CircuitBreakerMetrics:
        """A reading of the counters; each access makes a new one."""
        return CircuitBreakerMetrics.model_validate(self._native.metrics, from_attributes=True)

    def get_status(self) -> dict[str, Any]:
        """Everything that can be read, as a document ready for JSON.

        ``metrics`` and ``config`` hold what they held in the replaced module, and ``extended_metrics`` and
        ``extended_config`` the rest.
        """
        self._books.follow_if_changed()
        status: dict[str, Any] = {**self._native.get_status()}
        for part, old in (("metrics", _OLD_METRICS), ("config", _OLD_SETTINGS)):
            values = status[part]
            status[part] = {name: values[name] for name in old}
            status[f"extended_{part}"] = {name: value for name, value in values.items() if name not in old}
        return {**status, "name": self.config.name, "provider_id": self.provider_id}

    # The arguments are not checked against the function, so that a subclass may override it as in the replaced module.
    @overload
    async def call(self, func: Callable[..., Awaitable[R]], /, *args: Any, **kwargs: Any) -> R: ...
    @overload
    async def call(self, func: Callable[..., R], /, *args: Any, **kwargs: Any) -> R: ...
    @overload
    async def call(self, /, *, func: Callable[..., Awaitable[R]], **kwargs: Any) -> R: ...
    @overload
    async def call(self, /, *, func: Callable[..., R], **kwargs: Any) -> R: ...
    async def call(self, /, *args: Any, **kwargs: Any) -> Any:
        """Calls ``func`` if the circuit lets it, and awaits what it returns if that can be awaited.

        Raises ``CircuitBreakerOpenError`` where it is not let, otherwise whatever ``func`` raises, untouched. A keyword
        argument named ``func`` is the function where none is given by position, and otherwise one of its arguments.
        """
        if not args:
            if "func" not in kwargs:
                raise TypeError("call() needs a function to call")
            args = (kwargs.pop("func"),)
        return await self._native.call(*args, **kwargs)

    @overload
    def __call__(self, func: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]: ...
    @overload
    def __call__(self, func: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __call__(self, func: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Guards a function, which becomes a coroutine function."""
        method: Any = func
        if isinstance(method, staticmethod | classmethod):
            return type(method)(self(method.__func__))  # type: ignore[return-value]  # what a class makes a method of
        if not callable(func):
            raise InvalidValueError("func", repr(func), "a function")

        @wraps(func)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            return await self.call(func, *args, **kwargs)

        return guarded

    async def reset(self) -> None:
        """Closes the circuit and hands it back to the machine; the lifetime counters stay."""
        self._native.reset()
        _log.reset(self.config.name)

    async def force_open(self, duration_seconds: float | None = None) -> None:
        """Holds the circuit open for so many seconds, by default ``timeout_seconds``; then the next call is a probe."""
        seconds = float(self.config.timeout_seconds) if duration_seconds is None else duration_seconds
        self._native.force_open(seconds)
        _log.forced_open(self.config.name, seconds)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.config.name!r} provider={self.provider_id!r} state={self.state.value}>"
