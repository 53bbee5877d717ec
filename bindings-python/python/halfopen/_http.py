"""Which breaker guards an HTTP request: one for all, one for each host, or one by a key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from halfopen._arguments import check_config, check_function, refused
from halfopen._core import CircuitBreakerConfig
from halfopen._inner import AnyBreaker, breaker_in, checked_breaker
from halfopen._log import WarnOnce
from halfopen._sealed import Sealed, made_once
from halfopen.breaker import CircuitBreaker
from halfopen.errors import RegistryFullError
from halfopen.registry import Registry

_NO_TIMEOUT = "None for a client without an event loop, whose requests cannot be cut off: set the client's own timeout"


class HasURL(Protocol):
    """A request of any client."""

    @property
    def url(self) -> Any:
        """The URL of the request."""


R = TypeVar("R")
BreakerOrChoice = AnyBreaker | Callable[[R], AnyBreaker | None]
"""One breaker for all requests, or a function from a request to its breaker; ``None`` leaves the request unguarded."""


class BreakerPerKey(Sealed, Generic[R]):
    """Chooses the breaker of a request by a key, which is its name in a registry.

    A breaker that is missing is made with ``config`` and the key as its name; one that is there already is used as it
    is, so a host that needs other settings can be registered before. ``key`` may return ``None``: such a request is not
    guarded. Neither is one whose breaker the registry has no room for; the first of them is logged as a warning.

    Raises ``InvalidValueError`` for an argument of another kind, for example a ``key`` that is a coroutine function.
    """

    _instead: ClassVar[Mapping[str, str]] = made_once("BreakerPerKey", "registry", "config", "key")

    def __init__(self, registry: Registry, config: CircuitBreakerConfig, key: Callable[[R], str | None]) -> None:
        if not isinstance(registry, Registry):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise refused("registry", registry, "a Registry")
        check_config(config)
        check_function("key", key, "a plain function from a request to the name of its breaker or None", 1)
        self._registry = registry
        self._config = config
        self._key = key
        self._warn = WarnOnce()

    def __call__(self, request: R) -> CircuitBreaker | None:
        """The breaker of a request."""
        name = self._key(request)
        if name is None:
            return None
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise refused("key", name, "a string or None, from the function that names the breaker of a request")
        known = self._registry.get(name)
        if known is not None:
            return known
        try:
            return self._registry.get_or_create(self._config.model_copy(update={"name": name}))
        except RegistryFullError as full:
            text = "each of the %d circuits of the registry is in use: a request without a circuit passes unguarded"
            self._warn(text, full.bound)
            return None


class BreakerPerHost(BreakerPerKey[HasURL]):
    """Chooses the breaker of a request by its host, and by its port where the URL gives one.

    >>> from halfopen import CircuitBreakerConfig, Registry
    >>> choose = BreakerPerHost(Registry(1_000), CircuitBreakerConfig(failure_threshold=3))
    """

    def __init__(self, registry: Registry, config: CircuitBreakerConfig) -> None:
        super().__init__(registry, config, host_of)


def host_of(request: HasURL) -> str | None:
    """``api.example.com`` or ``127.0.0.1:8000``: the host in lower case, with the port where the URL gives one."""
    address = urlsplit(str(request.url)).netloc.rpartition("@")[2].lower()
    # A name has at most 128 characters, and the end of a host says whose it is. A URL without a host is refused by the
    # client, whose error says why.
    return address[-128:] or None


@dataclass(slots=True, eq=False)
class OneBreaker:
    """Chooses the same breaker for each request."""

    breaker: CircuitBreaker

    def __call__(self, _: object) -> CircuitBreaker:
        return self.breaker


def choice_of(breaker: BreakerOrChoice[R], *, plain: bool = False) -> Callable[[R], CircuitBreaker | None]:
    """The function from a request to its breaker; ``plain`` is for a client without an event loop.

    Raises:
        InvalidValueError: for anything that is neither a breaker nor a function, and for a breaker with a timeout that
            such a client cannot enforce. If a function chooses such a breaker, the request raises the error.

    """
    one = breaker_in(breaker)
    if one is not None:
        if plain:
            _check_timeouts(one)
        return OneBreaker(one)
    allowed = "a CircuitBreaker, or a plain function from a request to one or None"
    check_function("breaker", breaker, allowed, 1)
    choose = cast("Callable[[R], AnyBreaker | None]", breaker)

    def chosen(request: R) -> CircuitBreaker | None:
        given = choose(request)
        if given is None:
            return None
        one = checked_breaker(given, "a CircuitBreaker or None, from the function that chooses one for a request")
        if plain:
            _check_timeouts(one)
        return one

    return chosen


def _check_timeouts(breaker: CircuitBreaker) -> None:
    streams = breaker._stream_timeouts
    timeouts = {
        "call_timeout_seconds": breaker.call_timeout_seconds,
        "first_item_timeout_seconds": streams and streams.first_item_seconds,
        "idle_timeout_seconds": streams and streams.idle_seconds,
    }
    for field, seconds in timeouts.items():
        if seconds is not None:
            raise refused(field, seconds, _NO_TIMEOUT)
