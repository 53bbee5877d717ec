"""Writes the four metrics. All functions here run in the write queue, one at a time."""

from importlib.util import find_spec
from typing import Any, Self, TypeAlias

from halfopen.compat._write_queue import WRITES
from halfopen.types import State

Labels: TypeAlias = tuple[str, str]
"""The name of a breaker and its provider."""

_SEVERITY: dict[State, int] = {"closed": 0, "half_open": 1, "open": 2}


class _Children:
    """A cache of a collector's children, because looking one up takes longer than writing to it."""

    def __init__(self, collector: Any) -> None:
        self._collector = collector
        self._epoch: int | None = None
        self._known: dict[tuple[str, ...], Any] = {}

    def of(self, labels: tuple[str, ...]) -> Any:
        # A collector of the replaced module has no `epoch`, so its children are never cached.
        epoch: int | None = getattr(self._collector, "epoch", None)
        if epoch is None or epoch != self._epoch:
            self._known.clear()
            self._epoch = epoch
        try:
            return self._known[labels]
        except KeyError:
            child = self._known[labels] = self._collector.labels(*labels)
            return child


class _NoCollector:
    """Replaces the collectors if ``prometheus_client`` is not installed."""

    epoch = 0

    def labels(self, *_labels: str) -> Self:
        return self

    def write(self, _value: float = 1) -> None:
        pass

    inc = set = observe = write


if find_spec("prometheus_client") is None:
    _state = _calls = _transitions = _durations = _Children(_NoCollector())
else:
    from halfopen.compat import _collectors

    _state = _Children(_collectors.circuit_breaker_state)
    _calls = _Children(_collectors.circuit_breaker_calls_total)
    _transitions = _Children(_collectors.circuit_breaker_state_transitions)
    _durations = _Children(_collectors.circuit_breaker_call_duration)

_live: dict[Labels, tuple[set[object], set[object], set[object]]] = {}
"""For each label set: the live breakers at each severity."""


def count_call(labels: Labels, status: str) -> None:
    """Counts a call with that status."""
    _calls.of((*labels, status)).inc()


def settle_call(labels: Labels, status: str, seconds: float | None) -> None:
    """Counts a call with that outcome and observes its duration."""
    ended = (*labels, status)
    _calls.of(ended).inc()
    if seconds is not None:
        _durations.of(ended).observe(seconds)


def transition(labels: Labels, left: State, entered: State) -> None:
    """Counts a change of state."""
    _transitions.of((*labels, left, entered)).inc()


def set_state(labels: Labels, breaker: object, state: State) -> None:
    """Records the state of a breaker; idempotent."""
    states = _live.setdefault(labels, (set(), set(), set()))
    for breakers in states:
        breakers.discard(breaker)
    states[_SEVERITY[state]].add(breaker)
    _set_gauge(labels)


def leave(labels: Labels, breaker: object) -> None:
    """Forgets a breaker that is gone. The gauge keeps its value if no breaker with these labels is left."""
    states = _live.get(labels, ())
    for breakers in states:
        breakers.discard(breaker)
    if any(states):
        # Often several breakers are collected together, so the gauge is set after all of them are forgotten.
        WRITES.add(_set_gauge, labels)
    else:
        _live.pop(labels, None)


def _set_gauge(labels: Labels) -> None:
    states = [severity for severity, breakers in enumerate(_live.get(labels, ())) if breakers]
    if states:
        _state.of(labels).set(max(states))
