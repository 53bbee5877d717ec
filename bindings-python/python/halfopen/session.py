"""Long sessions, such as web sockets: the first real event decides about the probe, not the end of the session."""

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

from halfopen._core import HealthySession, Permit
from halfopen._deadline import Scope
from halfopen._sealed import Sealed
from halfopen.errors import InvalidValueError

if TYPE_CHECKING:
    from halfopen.breaker import CircuitBreaker


class Session(Sealed):
    """One session with a provider, made by ``breaker.session()``, for one ``async with`` or ``with``.

    Entering asks for a permit, as for any call, and raises ``CircuitBreakerOpenError`` if the circuit rejects it. Until
    ``healthy()`` is called, the session is a call in flight: an exception ends it as it ends any call, and leaving the
    block without an exception cancels it, because the provider has proved nothing. ``healthy()`` ends the call as a
    success, which frees its probe slot, while the session goes on. An exception that leaves the block after that counts
    as a call of its own if the circuit is closed. It does not count if the circuit has opened, closed or been reset
    since ``healthy()``, because no call that began before such a change counts after it. Neither does it count if a
    call of the same breaker inside the session has counted it.

    A client that ends without an exception when its connection dies tells the session nothing. ``async for`` over a
    socket of ``aiohttp`` is one: look at its ``close_code``, and raise an exception.

    Until a session that is a probe is healthy, calls and sessions of the same breaker inside it share its permit and
    have no vote: call ``healthy()`` of the outer session too.

    >>> from halfopen import CircuitBreaker
    >>> breaker = CircuitBreaker("voice")
    >>> with breaker.session() as session:
    ...     session.healthy()
    True
    >>> breaker.metrics.successful_calls
    1
    """

    __slots__ = ("_breaker", "_healthy", "_permit", "_scope")

    _instead: ClassVar[Mapping[str, str]] = {"is_healthy": "call healthy()"}
    _no_attribute = "call healthy() to end its call, or raise the error that ends the session"

    def __init__(self, breaker: "CircuitBreaker") -> None:
        self._breaker = breaker
        self._permit: Permit | None = None
        self._scope: Scope | None = None
        self._healthy: HealthySession | None = None

    def healthy(self) -> bool:
        """Reports a real event of the provider; the first report ends the call as a success and returns true.

        It also ends ``call_timeout_seconds``. Call it in the task that entered the session, or in its event loop.
        """
        if self._permit is None:
            raise InvalidValueError("session", "not entered", "a session that was entered")
        if self._permit.settled or (self._scope is not None and not self._scope.lift()):
            return False
        self._healthy = self._permit._healthy()
        return self._healthy is not None

    @property
    def is_healthy(self) -> bool:
        """Whether the call of the session has ended, as a rule by ``healthy()``."""
        return self._permit is not None and self._permit.settled

    def __enter__(self) -> Self:
        self._breaker._check_no_deadline()
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(error)

    async def __aenter__(self) -> Self:
        deadline = self._breaker._deadline
        scope = None if deadline is None else deadline.start()
        self._begin()
        if scope is not None:
            await scope.__aenter__()
            self._scope = scope
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._scope is not None:
            try:
                await self._scope.__aexit__(kind, error, trace)
            except BaseException as ending:
                self._end(ending)
                raise
        self._end(error)

    def _begin(self) -> None:
        if self._permit is not None:
            raise InvalidValueError("session", "entered before", "a new session for each connection")
        self._permit = self._breaker.acquire()
        self._permit.__enter__()

    def _end(self, error: BaseException | None) -> None:
        permit = self._permit
        if permit is None:
            return
        if self._healthy is not None:
            self._healthy.ended(error)
        elif error is None:
            permit.cancel()
        else:
            permit.__exit__(type(error), error, error.__traceback__)
