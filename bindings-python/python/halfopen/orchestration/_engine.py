"""The parts that all calls of an orchestrator share."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from halfopen._arguments import check_seconds, refused
from halfopen._core import Need, Order, Pool
from halfopen._fork import renewed_in_child
from halfopen.breaker import CircuitBreaker
from halfopen.orchestration._events import CoolingDown, EventLog
from halfopen.orchestration._provider import Provider
from halfopen.orchestration._provider_log import ProviderLog
from halfopen.orchestration._sessions import Session, Sessions
from halfopen.orchestration._settings import Settings
from halfopen.orchestration._verdicts import Rules
from halfopen.status import CircuitBreakerState
from halfopen.types import Asked, Scope

DEFAULT_HOLD_SECONDS = 30.0
DEFAULT_RETRY_DELAY_SECONDS = 0.5


@dataclass(frozen=True)
class ProviderStatus:
    """A reading of a provider. Times are in seconds, and ``None`` if they are not known."""

    provider: str
    state: CircuitBreakerState
    in_flight: int
    success_rate: float | None
    """The share of calls that succeeded, from 0 to 1. Old calls count less."""
    call_seconds: float | None
    """How long its calls take at present."""
    first_item_seconds: float | None
    """How long its streams take to their first content at present."""
    cooling_down_for: float | None
    slow_start_share: float | None
    """The share of its weight that it gets, from 0.1 to 1, because its circuit has just closed."""
    slow_start_for: float | None
    """How long until it gets its whole weight."""


class Engine:
    """The pool, the breakers, the settings and the records of one orchestrator."""

    def __init__(
        self, pool: Pool, providers: Sequence[Provider], breakers: Sequence[CircuitBreaker], settings: Settings
    ) -> None:
        self.pool = renewed_in_child(pool)
        self.providers = list(providers)
        self.breakers = tuple(breakers)
        self.index = {provider.id: index for index, provider in enumerate(providers)}
        self.settings = settings
        self.hold = DEFAULT_HOLD_SECONDS if settings.hold_seconds is None else settings.hold_seconds
        self.events = EventLog(settings.kept_events)
        self.log = ProviderLog(pool.now)
        self.sessions = Sessions(settings.max_sessions, settings.session_lifetime_seconds, pool.now)
        self.rules = Rules(settings.is_too_large, settings.next_after)
        self.numbers = count(1)

    def index_of(self, provider: str) -> int:
        """The index of the provider with this id."""
        index = self.index.get(provider)
        if index is None:
            raise refused("provider", provider, "one of: " + ", ".join(self.index))
        return index

    def session_of(self, session: str | Session | None) -> Session | None:
        """The session that a call names."""
        if isinstance(session, Session):
            session = session.id
        return None if session is None else self.sessions.use(session)

    def deadline_of(self, deadline_seconds: float | None) -> float | None:
        """The deadline of a call, in seconds."""
        if deadline_seconds is None:
            return self.settings.deadline_seconds
        return check_seconds("deadline_seconds", deadline_seconds)

    def pin_of(self, session: Session) -> int | None:
        """The provider to which a call of the session goes if it is available, by its index."""
        pinned = session.provider
        if pinned is None:
            return None
        primary = session.primary
        if primary is None or primary == pinned or self.settings.return_to_primary == "never":
            return self.index[pinned]
        held = self.pool.now() - session.switched_at
        if held < self.hold or not self._is_back(self.index[primary]):
            return self.index[pinned]
        return self.index[primary]

    def _is_back(self, index: int) -> bool:
        """Whether a provider gets calls again, and not just a probe."""
        return (index, "normal") in self.look().picks

    def cools_down(self, index: int, scope: Scope | None, seconds: float) -> None:
        """A provider, its key or its model cools down for this many seconds."""
        provider, scope = self.providers[index].id, scope or "provider"
        self.events.emit(CoolingDown, provider, scope, seconds)
        self.log.cools_down(provider, scope, seconds)

    def statuses(self, order: Order) -> list[ProviderStatus]:
        """A reading of each provider; ``order`` is that of a call now."""
        groups = Counter((self.providers[index].tier, role) for index, role in order.picks)
        shared = {index for index, role in order.picks if groups[self.providers[index].tier, role] > 1}
        statuses: list[ProviderStatus] = []
        for index, provider in enumerate(self.providers):
            # A provider that is alone in its place gets everything, slow start or not.
            slow_start = self.pool.slow_start(index) if index in shared else None
            share, seconds = slow_start or (None, None)
            state, record = self.breakers[index].state, self.pool.record(index)
            statuses.append(ProviderStatus(provider.id, state, *record, share, seconds))
        return statuses

    def look(self, need: Need | None = None, pin: int | None = None) -> Order:
        """The order that a call would get now; nothing changes."""
        return self.pool.look(Asked(need, pin=pin))
