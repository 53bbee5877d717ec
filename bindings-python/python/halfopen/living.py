"""The breakers of this process, and what those that are gone have counted.

Metrics are read from here when somebody scrapes them, so a guarded call pays nothing for them. A breaker's counts
outlive it, because a counter that several breakers share must not run backwards when one of them goes.
"""

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from weakref import ref

from halfopen._core import Evidence
from halfopen.vocabulary import State

if TYPE_CHECKING:
    from halfopen.circuit import Circuit

Labels: TypeAlias = tuple[str, str]
"""A breaker's name and its provider's."""


@dataclass
class Counted:
    """What all breakers of the same labels have counted together."""

    calls: Counter[str] = field(default_factory=Counter[str])
    """By status: attempted, success, failure, rejected."""
    transitions: Counter[tuple[State, State]] = field(default_factory=Counter[tuple[State, State]])
    """By the state left and the state entered."""
    buckets: Counter[tuple[str, float]] = field(default_factory=Counter[tuple[str, float]])
    """By outcome and upper bound in seconds: the calls that took at most so long."""
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """By outcome: all durations added up."""

    def read(self, evidence: Evidence) -> None:
        """Adds one breaker's counts."""
        counts = evidence.counts()
        self.calls["attempted"] += counts["total_calls"]
        self.calls["success"] += counts["successful_calls"]
        self.calls["failure"] += counts["failed_calls"]
        self.calls["rejected"] += counts["rejected_calls"]
        for left, entered, count in evidence.edges():
            self.transitions[left, entered] += count
        for outcome, (_, seconds, buckets) in evidence.durations():
            self.seconds[outcome] += seconds
            for bound, calls in buckets:
                self.buckets[outcome, bound] += calls

    def add(self, other: "Counted") -> None:
        """Adds what was counted elsewhere."""
        self.calls.update(other.calls)
        self.transitions.update(other.transitions)
        self.buckets.update(other.buckets)
        for outcome, seconds in other.seconds.items():
            self.seconds[outcome] += seconds


_SWEEP_FROM = 64


class _Entry(NamedTuple):
    breaker: "ref[Circuit]"
    labels: Labels
    evidence: Evidence


class Living:
    """Follows breakers as long as they live, and keeps their counts for ever."""

    def __init__(self) -> None:
        # Re-entrant, because allocating under it may collect garbage, and that may run anybody's code in this thread.
        self._lock = threading.RLock()
        self._entries: list[_Entry] = []
        self._gone: defaultdict[Labels, Counted] = defaultdict(Counted)
        self._sweep_at = _SWEEP_FROM

    def add(self, breaker: "Circuit") -> None:
        """Follows a breaker from now on."""
        entry = _Entry(ref(breaker), (breaker.name, breaker.provider_id), breaker.evidence())
        with self._lock:
            self._entries.append(entry)
            if len(self._entries) >= self._sweep_at:
                # Doubling keeps the cost of sweeping constant per breaker, however many there are.
                self._sweep()
                self._sweep_at = max(_SWEEP_FROM, 2 * len(self._entries))

    def counted(self) -> dict[Labels, Counted]:
        """What has been counted, by labels; of the living and of those that are gone."""
        totals: defaultdict[Labels, Counted] = defaultdict(Counted)
        with self._lock:
            self._sweep()
            for labels, gone in self._gone.items():
                totals[labels].add(gone)
            for entry in self._entries:
                totals[entry.labels].read(entry.evidence)
        return totals

    def states(self) -> list[tuple[Labels, State]]:
        """The state of each living breaker."""
        with self._lock:
            living = [entry for entry in self._entries if entry.breaker() is not None]
        # Reading a state reads the breaker's clock, which may be a host's: not under the lock.
        return [(entry.labels, entry.evidence.state()) for entry in living]

    def _sweep(self) -> None:
        """Moves the counts of breakers that are gone to where they take no more room."""
        entries, self._entries = self._entries, []
        for entry in entries:
            if entry.breaker() is None:
                self._gone[entry.labels].read(entry.evidence)
            else:
                self._entries.append(entry)


THIS_PROCESS = Living()
