"""What the guards of all HTTP clients share: whose breaker it is, and what a request and its response say of it."""

import logging
import sys
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from halfopen._core import CircuitBreakerConfig, Permit
from halfopen._sse import AnswerReader
from halfopen.breaker import CircuitBreaker
from halfopen.errors import (
    CallTimeoutError,
    CircuitBreakerOpenError,
    HalfopenError,
    InvalidValueError,
    RegistryFullError,
)
from halfopen.registry import Registry
from halfopen.types import Outcome, Verdict

_log = logging.getLogger("halfopen")


class HasURL(Protocol):
    """A request of any client."""

    @property
    def url(self) -> Any:
        """Where it goes."""


R = TypeVar("R")
T = TypeVar("T")
E = TypeVar("E", bound=HalfopenError)
BreakerOrChoice = CircuitBreaker | Callable[[R], CircuitBreaker | None]
"""One breaker for all requests, or a function from a request to its breaker; ``None`` leaves the request unguarded."""


class BreakerPerKey(Generic[R]):
    """Chooses the breaker of a request by a key, which is its name in a registry.

    A breaker that is missing is made with ``config`` and the key as its name; one that is there already is used as it
    is, so a host that needs other settings can be registered before. ``key`` may return ``None``: such a request is not
    guarded. Neither is one whose breaker the registry has no room for; the first of them is logged as a warning.
    """

    def __init__(self, registry: Registry, config: CircuitBreakerConfig, key: Callable[[R], str | None]) -> None:
        self._registry = registry
        self._config = config
        self._key = key
        self._warned = False

    def __call__(self, request: R) -> CircuitBreaker | None:
        """The breaker of a request."""
        name = self._key(request)
        if name is None:
            return None
        known = self._registry.get(name)
        if known is not None:
            return known
        try:
            return self._registry.get_or_create(self._config.model_copy(update={"name": name}))
        except RegistryFullError as full:
            if not self._warned:
                self._warned = True
                _log.warning("the registry holds %d circuits, as many as it may: requests pass unguarded", full.bound)
            return None


class BreakerPerHost(BreakerPerKey[HasURL]):
    """Chooses the breaker of a request by its host, and by its port where the URL gives one.

    >>> from halfopen import CircuitBreakerConfig, Registry
    >>> choose = BreakerPerHost(Registry(1_000), CircuitBreakerConfig(failure_threshold=3))
    """

    def __init__(self, registry: Registry, config: CircuitBreakerConfig) -> None:
        super().__init__(registry, config, host_of)


def host_of(request: HasURL) -> str:
    """``api.example.com`` or ``127.0.0.1:8000``: the host in lower case, with the port where the URL gives one."""
    address = urlsplit(str(request.url)).netloc.rpartition("@")[2].lower()
    # A name has at most 128 characters, and the end of a host says whose it is.
    return address[-128:]


def choice_of(breaker: BreakerOrChoice[R], *, plain: bool = False) -> Callable[[R], CircuitBreaker | None]:
    """The function from a request to its breaker; ``plain`` is for a client without an event loop.

    Raises:
        InvalidValueError: for what is neither a breaker nor a function, and for a breaker with a timeout that such a
            client could not keep. If it is chosen later, the request raises that.

    """
    given: Any = breaker
    # A breaker of `compat` has the one that we need inside.
    one: object = getattr(given, "native", given)
    if isinstance(one, CircuitBreaker):
        if plain:
            _check_timeouts(one)
        return lambda _: one
    if not callable(given):
        raise InvalidValueError("breaker", repr(given), "a CircuitBreaker, or a function from a request to one or None")
    choose = cast("Callable[[R], CircuitBreaker | None]", given)
    return (lambda request: _check_timeouts(choose(request))) if plain else choose


def _check_timeouts(breaker: CircuitBreaker | None) -> CircuitBreaker | None:
    if breaker is not None and breaker.call_timeout_seconds is not None:
        allowed = (
            "None for a client without an event loop, whose requests cannot be cut off: set the client's own timeout"
        )
        raise InvalidValueError("call_timeout_seconds", repr(breaker.call_timeout_seconds), allowed)
    return breaker


class Exchange:
    """A request that has been admitted, until it is known what it says of the provider.

    A response whose body comes later ends when the body does; what the consumer takes between two parts of it is not
    the provider's time. A body that the consumer leaves counts against nobody.
    """

    def __init__(self, breaker: CircuitBreaker) -> None:
        try:
            self._permit: Permit = breaker.acquire()
        except CircuitBreakerOpenError as error:
            raise passing_sdks(error) from None
        self._judge = breaker._judge
        self._deadline = breaker._deadline
        self._answer: AnswerReader | None = None

    async def awaited(self, request: Awaitable[T]) -> T:
        """Awaits the response to a request, within the breaker's deadline."""
        try:
            if self._deadline is None:
                return await request
            try:
                async with self._deadline.start():
                    return await request
            except CallTimeoutError as late:
                raise passing_sdks(late) from late.__cause__
        except BaseException as error:
            self.raised(error)
            raise

    def raised(self, error: BaseException) -> None:
        """The request, or reading its response, ended with this error."""
        self._permit.__exit__(type(error), error, error.__traceback__)

    def answered(
        self,
        response: object,
        status: int,
        headers: Iterable[tuple[str, str]],
        *,
        bodiless: bool,
        arrived: bool = False,
    ) -> bool:
        """The headers have come, and perhaps the whole body has; returns whether the verdict waits for the body."""
        verdict = _verdict(self._judge(response))
        fields = {name.lower(): value for name, value in headers}
        bodiless = bodiless or status in (101, 204, 304) or fields.get("content-length") == "0"
        if verdict.outcome != "success" or bodiless:
            self._permit.settle(verdict.outcome, verdict.retry_after)
            return False
        if fields.get("content-type", "").startswith("text/event-stream"):
            self._answer = AnswerReader()
        elif arrived:
            self._permit.success()
            return False
        self._permit.pause()
        return True

    def waits(self) -> None:
        """The consumer asks for the next part of the body."""
        self._permit.resume()

    def received(self, part: bytes) -> None:
        """The consumer has got a part of the body."""
        self._permit.pause()
        if self._answer is not None:
            self._answer.feed(part)

    def ended(self) -> None:
        """The body has ended."""
        if not self._failed_in_its_protocol(("malformed", "incomplete")):
            self._permit.success()

    def left(self, *, arrived: bool = False) -> None:
        """The consumer wants no more of the body, which may have arrived to its end or have held the whole answer."""
        if self._failed_in_its_protocol(("malformed",)):
            return
        if arrived if self._answer is None else self._answer.ending == "complete":
            self._permit.success()
        else:
            self._permit.cancel()

    def _failed_in_its_protocol(self, failures: tuple[str, ...]) -> bool:
        """Whether the events of the answer have settled the call."""
        answer = self._answer
        if answer is None:
            return False
        if answer.error is not None:
            self._permit.settle(answer.error.outcome, answer.error.retry_after)
        elif answer.ending in failures:
            self._permit.failure()
        else:
            return False
        return True


def _verdict(answer: Outcome | Verdict | None) -> Verdict:
    return answer if isinstance(answer, Verdict) else Verdict(answer or "success")


def passing_sdks(error: E) -> E:
    """The same error, as one that the SDKs which are loaded hand to their caller at once.

    Anthropic's retries whatever a transport raises, unless it is one of its own errors. Who catches the base error of
    an SDK around it, as its documentation says, catches this one too.
    """
    bases = tuple(
        base
        for module, name in (("openai", "OpenAIError"), ("anthropic", "AnthropicError"))
        if isinstance(base := getattr(sys.modules.get(module), name, None), type)
    )
    kind: Any = type(error)
    return _copy(error, _passing_class(kind, bases)) if bases else error


@lru_cache
def _passing_class(error: Any, bases: tuple[type, ...]) -> Any:
    def reduce(self: HalfopenError) -> Any:
        # A copy or a pickle is the plain error, since this class exists in this process alone.
        return _copy(self, error).__reduce__()

    members = {"__doc__": error.__doc__, "__module__": error.__module__, "__reduce__": reduce}
    return type(error.__name__, (error, *bases), members)


def _copy(error: E, kind: Any) -> E:
    """The error as one of another class; a constructor may take other arguments than the error has."""
    made: E = kind.__new__(kind, *error.args)
    made.args = error.args
    made.__dict__.update(error.__dict__)
    return made
