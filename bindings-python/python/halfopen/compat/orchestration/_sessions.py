"""The provider of each session, and its switches; their number is bounded."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from uuid import UUID

from halfopen.compat.orchestration._models import ProviderSwitchEvent

MAX_SESSIONS = 10_000
"""The sessions that are kept; the one used longest ago is removed first, because callers may never clean up."""
MAX_SWITCHES = 100
"""The switches that are kept of each session."""


@dataclass(slots=True)
class Session:
    """One session."""

    provider_id: str | None = None
    is_probe: bool = False
    """Whether the provider was selected as a probe."""
    capabilities: tuple[str, ...] = ()
    """The capabilities that the session was selected for, which a failover has to find again."""
    switches: deque[ProviderSwitchEvent] = field(default_factory=lambda: deque(maxlen=MAX_SWITCHES))


class Sessions:
    """The sessions by id."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[UUID, Session] = OrderedDict()

    def get(self, session_id: UUID | None) -> Session | None:
        """The session, if it is known."""
        return None if session_id is None else self._sessions.get(session_id)

    def use(self, session_id: UUID) -> Session:
        """The session, which begins if it is not known."""
        session = self._sessions.setdefault(session_id, Session())
        self._sessions.move_to_end(session_id)
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def forget(self, session_id: UUID) -> None:
        """Forgets the provider of a session; its switches can be read until the session is removed."""
        if (session := self._sessions.get(session_id)) is not None:
            session.provider_id = None
