"""Writes the four metrics. Every function here runs as an entry of the ledger, so one at a time."""

from typing import Any, Self, TypeAlias

from halfopen.compat._ledger import LEDGER
from halfopen.vocabulary import State

Labels: TypeAlias = tuple[str, str]
"""A breaker's name and its provider's."""

_SEVERITY: dict[State, int] = {"closed": 0, "half_open": 1, "open": 2}


class _Children:
    """The children of a collector, looked up anew after it was cleared; looking up takes longer than writing."""

    def __init__(self, collector: Any) -> None:
        self._collector = collector
        self._epoch: int | None = None
        self._known: dict[tuple[str, ...], Any] = {}

    def of(self, labels: tuple[str, ...]) -> Any:
        # One that the replaced module registered tells nobody when it is cleared.
        epoch: int | None = getattr(self._collector, "epoch", None)
        if epoch is None or epoch != self._epoch:
            self._known.clear()
            self._epoch = epoch
        try:
            return self._known[labels]
        except KeyError:
            child = self._known[labels] = self._collector.labels(*labels)
            return child


class _Nowhere:
    """The collectors where ``prometheus_client`` is not installed."""

    epoch = 0

    def labels(self, *_labels: str) -> Self:
        return self

    def write(self, _value: float = 1) -> None:
        pass

    inc = set = observe = write


try:
    from halfopen.compat import _collectors
except ModuleNotFoundError as missing:
    if not (missing.name or "").startswith("prometheus_client"):
        raise
    _state = _calls = _transitions = _durations = _Children(_Nowhere())
else:
    _state = _Children(_collectors.circuit_breaker_state)
    _calls = _Children(_collectors.circuit_breaker_calls_total)
    _transitions = _Children(_collectors.circuit_breaker_state_transitions)
    _durations = _Children(_collectors.circuit_breaker_call_duration)

_living: dict[Labels, tuple[set[object], set[object], set[object]]] = {}
"""By labels: which living breakers stand at each severity."""


def count(labels: Labels, status: str) -> None:
    """One more call of that status."""
    _calls.of((*labels, status)).inc()


def settle(labels: Labels, status: str, seconds: float | None) -> None:
    """One more call that ended so, after so many seconds."""
    ended = (*labels, status)
    _calls.of(ended).inc()
    if seconds is not None:
        _durations.of(ended).observe(seconds)


def transition(labels: Labels, left: State, entered: State) -> None:
    """One more change of state."""
    _transitions.of((*labels, left, entered)).inc()


def stand(labels: Labels, breaker: object, state: State) -> None:
    """A breaker stands there from now on, wherever it stood. Written twice, it changes nothing."""
    standing = _living.setdefault(labels, (set(), set(), set()))
    for breakers in standing:
        breakers.discard(breaker)
    standing[_SEVERITY[state]].add(breaker)
    _tell(labels)


def leave(labels: Labels, breaker: object) -> None:
    """A breaker stands there no more. The gauge stays, where it was the last one of its labels."""
    standing = _living.get(labels, ())
    for breakers in standing:
        breakers.discard(breaker)
    if any(standing):
        # Garbage goes in heaps: told at once, the first to go would leave the state of one that has gone with it.
        LEDGER.add(_tell, labels)
    else:
        _living.pop(labels, None)


def _tell(labels: Labels) -> None:
    standing = [severity for severity, breakers in enumerate(_living.get(labels, ())) if breakers]
    if standing:
        _state.of(labels).set(max(standing))
