"""The events of an orchestrator, for people and for metrics."""

from collections import deque
from collections.abc import Callable
from itertools import count
from operator import itemgetter
from time import time
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from halfopen._core import report_unraisable
from halfopen._fork import Lock
from halfopen._pool_totals import POOL_TOTALS
from halfopen.orchestration._errors import EndedBy
from halfopen.types import Outcome, PassReason, Role, Scope

SwitchCause = Literal["failure", "unavailable", "probe", "return_to_primary", "stream_broken", "hedge"]


class PassedOver(NamedTuple):
    """A provider that a choice passed over; ``retry_after`` is in seconds."""

    provider: str
    reason: PassReason
    retry_after: float | None


class Choice(NamedTuple):
    """A provider was chosen, and its circuit admitted the attempt.

    ``at`` is the time in seconds since the Unix epoch, in each event.
    """

    sequence: int
    at: float
    call: int
    """The number of the call; one call may choose several times."""
    session: str | None
    provider: str
    role: Role
    attempt: int
    """The number of the attempt in its call, from 1."""
    passed_over: tuple[PassedOver, ...]


class FirstItem(NamedTuple):
    """The first content item of a stream came after ``seconds``."""

    sequence: int
    at: float
    call: int
    session: str | None
    provider: str
    seconds: float


class AttemptEnded(NamedTuple):
    """An attempt ended; ``error`` is the name of the exception's class."""

    sequence: int
    at: float
    call: int
    session: str | None
    provider: str
    attempt: int
    outcome: Outcome
    seconds: float
    first_item_seconds: float | None
    error: str | None


class Switch(NamedTuple):
    """A call, or a session between two calls, moved from one provider to another."""

    sequence: int
    at: float
    call: int
    session: str | None
    old: str
    new: str
    cause: SwitchCause


class CoolingDown(NamedTuple):
    """A provider, or the key or the model that it uses, cools down for ``seconds``."""

    sequence: int
    at: float
    provider: str
    scope: Scope
    seconds: float


class Budget(NamedTuple):
    """The budget allowed a further attempt that has a price, or had too few ``tokens``; a debt is negative."""

    sequence: int
    at: float
    call: int
    is_paid: bool
    tokens: int


class CallEnded(NamedTuple):
    """A call ended: with an answer of ``provider``, or without one."""

    sequence: int
    at: float
    call: int
    session: str | None
    outcome: Outcome
    provider: str | None
    """The provider that answered, or whose error ended the call because it concerns the call alone (``ignored``)."""
    attempts: int
    seconds: float
    ended_by: EndedBy | None
    """Why it failed, if all providers did."""


class Checked(NamedTuple):
    """A background check ended."""

    sequence: int
    at: float
    provider: str
    outcome: Outcome
    seconds: float


Event: TypeAlias = Choice | FirstItem | AttemptEnded | Switch | CoolingDown | Budget | CallEnded | Checked
Listener: TypeAlias = Callable[[Event], object]
KINDS: tuple[type[Event], ...] = get_args(Event)

Fields: TypeAlias = tuple[Any, ...]
"""The fields of an event, in their order."""
_SEQUENCE = Choice._fields.index("sequence")


class EventLog:
    """The newest events of each kind, so that many choices do not push out the few switches; and the listeners.

    Each call has at least three events, and few programs read them. So only their fields are kept; reading makes the
    objects.
    """

    def __init__(self, bound: int) -> None:
        self._kept: dict[type[Event], deque[Fields]] = {kind: deque(maxlen=bound) for kind in KINDS}
        self._sequence = count(1)
        self._listeners: tuple[tuple[object, Listener], ...] = ()
        self._lock = Lock()

    def emit(self, kind: Any, *fields: Any) -> None:
        """Records an event and tells the listeners."""
        all_fields = (next(self._sequence), time(), *fields)
        counted = _COUNTED.get(kind)
        if counted is not None:
            metric, labels_of = counted
            POOL_TOTALS.count(metric, *labels_of(all_fields))
        self._kept[kind].append(all_fields)
        listeners = self._listeners
        if not listeners:
            return
        event = kind(*all_fields)
        for _, listener in listeners:
            try:
                listener(event)
            except Exception as fault:
                report_unraisable(fault, listener)

    def kept(self, kinds: tuple[type[Event], ...], after: int) -> list[Event]:
        """The kept events of these kinds (of all if none is given) with a higher sequence number, oldest first."""
        kept = [(kind, fields) for kind in kinds or KINDS for fields in self._kept[kind].copy()]
        chosen = [kind(*fields) for kind, fields in kept if fields[_SEQUENCE] > after]
        return sorted(chosen, key=lambda event: event.sequence)

    def last(self, kind: type[Event]) -> int:
        """The sequence number of the newest event of this kind; 0 if there is none."""
        kept = self._kept[kind]
        sequence: int = kept[-1][_SEQUENCE] if kept else 0
        return sequence

    def subscribe(self, listener: Listener) -> Callable[[], bool]:
        """Adds a listener; the returned function removes it, and returns whether it was there."""
        token = object()
        with self._lock.current:
            self._listeners = (*self._listeners, (token, listener))

        def unsubscribe() -> bool:
            with self._lock.current:
                before = self._listeners
                self._listeners = tuple(pair for pair in before if pair[0] is not token)
            return len(self._listeners) < len(before)

        return unsubscribe


def _labels(kind: Any, *names: str) -> Callable[[Fields], tuple[str, ...]]:
    return itemgetter(*(kind._fields.index(name) for name in names))


def _paid_or_refused(fields: Fields) -> tuple[str, ...]:
    return ("paid" if Budget(*fields).is_paid else "refused",)


_COUNTED: dict[type[Event], tuple[str, Callable[[Fields], tuple[str, ...]]]] = {
    Choice: ("halfopen_choices", _labels(Choice, "provider", "role")),
    Switch: ("halfopen_switches", _labels(Switch, "old", "new", "cause")),
    CoolingDown: ("halfopen_cooldowns", _labels(CoolingDown, "provider", "scope")),
    Budget: ("halfopen_extra_attempts", _paid_or_refused),
}
"""The events that the metrics of the process count: the name of the metric, and its labels."""
