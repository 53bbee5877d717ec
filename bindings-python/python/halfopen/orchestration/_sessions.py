"""Sessions: conversations that stay with one provider."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from halfopen._fork import Lock
from halfopen.orchestration._events import SwitchCause


class Session:
    """A conversation that is pinned to the provider that answered first, until that provider fails.

    ``unfinished_input`` is yours: the input that the provider has not answered yet (settings, audio). It is handed
    to ``on_switch`` when a call of the session goes to another provider.
    """

    __slots__ = ("cause", "id", "primary", "provider", "spoke_with", "switched_at", "unfinished_input", "used_at")

    def __init__(self, session_id: str, now: float) -> None:
        self.id = session_id
        self.provider: str | None = None
        """The id of the provider that the session is pinned to."""
        self.unfinished_input: Any = None
        self.used_at = now
        """When it was used last, in seconds of the orchestrator's clock."""
        self.primary: str | None = None
        """The id of the provider that answered first."""
        self.spoke_with: str | None = None
        """The id of the provider that received the last attempt."""
        self.switched_at = now
        """When it was pinned, in the same seconds."""
        self.cause: SwitchCause | None = None
        """Why it is not pinned to another provider any more."""

    def pin(self, provider: str, now: float, cause: SwitchCause | None = None) -> None:
        """Pins the session to a provider from now on."""
        self.provider = provider
        self.primary = self.primary or provider
        self.switched_at = now
        self.cause = cause

    def __repr__(self) -> str:
        return f"<Session {self.id!r} provider={self.provider!r}>"


class Sessions:
    """The sessions that were used last, each for a lifetime after its last call."""

    def __init__(self, bound: int, lifetime: float, now: Callable[[], float]) -> None:
        self._bound = bound
        self._lifetime = lifetime
        self._now = now
        self._by_id: OrderedDict[str, Session] = OrderedDict()
        # Held for some steps of Python, never over an `await`.
        self._lock = Lock()

    def use(self, session_id: str) -> Session:
        """The session of that id, which is made if there is none."""
        now = self._now()
        with self._lock.current:
            self._expire(now)
            session = self._by_id.get(session_id)
            if session is None:
                session = self._by_id[session_id] = Session(session_id, now)
                if len(self._by_id) > self._bound:
                    self._by_id.popitem(last=False)
            else:
                self._by_id.move_to_end(session_id)
            session.used_at = now
        return session

    def get(self, session_id: str) -> Session | None:
        """The session of that id, if there is one; asking does not use it."""
        with self._lock.current:
            self._expire(self._now())
            return self._by_id.get(session_id)

    def end(self, session_id: str) -> bool:
        """Forgets a session; false if there is none."""
        with self._lock.current:
            return self._by_id.pop(session_id, None) is not None

    def all(self) -> list[Session]:
        """The sessions, the one used last at the end."""
        with self._lock.current:
            self._expire(self._now())
            return list(self._by_id.values())

    def _expire(self, now: float) -> None:
        while self._by_id:
            oldest = next(iter(self._by_id.values()))
            if now - oldest.used_at < self._lifetime:
                return
            self._by_id.popitem(last=False)
