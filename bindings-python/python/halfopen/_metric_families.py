"""The metrics of this process: their names and labels, and their present values.

``docs/metrics.md`` lists them. Every back-end reads them here, so that all export the same.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Literal, NamedTuple, TypeAlias

from halfopen._core import read_metrics
from halfopen._pool_totals import POOL_TOTALS
from halfopen.types import RawCounts, Reason, State

Kind = Literal["gauge", "counter", "histogram"]


class Family(NamedTuple):
    """A metric. Prometheus adds ``_total`` to the name of a counter."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    text: str
    """Its meaning in one sentence."""


class Buckets(NamedTuple):
    """A histogram of durations in seconds."""

    total_seconds: float
    counts: list[int]
    """Not cumulative; the last bucket has no upper bound."""


Reading: TypeAlias = tuple[Family, tuple[str, ...], float]
"""A family, the values of its labels, and the value."""
HistogramReading: TypeAlias = tuple[Family, tuple[str, ...], Buckets]

_CIRCUIT = ("circuit", "provider")

STATE = Family(
    "halfopen_state", "gauge", (*_CIRCUIT, "state"), "1 for the state of the circuit, 0 for the other states."
)
IN_FLIGHT = Family("halfopen_calls_in_flight", "gauge", _CIRCUIT, "Calls that have been admitted and have not ended.")
CALLS = Family("halfopen_calls", "counter", (*_CIRCUIT, "outcome"), "Calls that have ended.")
REJECTIONS = Family("halfopen_rejections", "counter", (*_CIRCUIT, "reason"), "Calls that were not admitted.")
SHADOW_REJECTIONS = Family(
    "halfopen_shadow_rejections", "counter", _CIRCUIT, "Calls that only shadow mode has admitted."
)
SLOW_CALLS = Family("halfopen_slow_calls", "counter", _CIRCUIT, "Calls that took slow_call_seconds or longer.")
PROBE_TIMEOUTS = Family(
    "halfopen_probe_timeouts", "counter", _CIRCUIT, "Probe slots that were taken back from probes that hung."
)
TRANSITIONS = Family(
    "halfopen_transitions", "counter", (*_CIRCUIT, "from_state", "to_state"), "Changes of state of the circuit."
)
CALL_DURATION = Family(
    "halfopen_call_duration_seconds",
    "histogram",
    (*_CIRCUIT, "outcome"),
    "How long calls took that succeeded or failed, without the time of the consumers of streams.",
)
FIRST_ITEM = Family(
    "halfopen_first_item_seconds", "histogram", _CIRCUIT, "The time from the call to the first item of a stream."
)

CIRCUIT_FAMILIES = (
    STATE,
    IN_FLIGHT,
    CALLS,
    REJECTIONS,
    SHADOW_REJECTIONS,
    SLOW_CALLS,
    PROBE_TIMEOUTS,
    TRANSITIONS,
    CALL_DURATION,
    FIRST_ITEM,
)

CHOICES = Family(
    "halfopen_choices", "counter", ("provider", "role"), "Attempts of orchestrators, by the provider that was chosen."
)
SWITCHES = Family(
    "halfopen_switches",
    "counter",
    ("from_provider", "to_provider", "cause"),
    "Calls and sessions that moved from one provider to another.",
)
COOLDOWNS = Family(
    "halfopen_cooldowns", "counter", ("provider", "scope"), "Cooldowns of a provider, its key or its model."
)
EXTRA_ATTEMPTS = Family(
    "halfopen_extra_attempts",
    "counter",
    ("result",),
    "Further attempts with a price that the budget paid, or refused to pay.",
)

POOL_FAMILIES = (CHOICES, SWITCHES, COOLDOWNS, EXTRA_ATTEMPTS)
_POOL_FAMILIES = {family.name: family for family in POOL_FAMILIES}

_STATES: tuple[State, ...] = ("closed", "half_open", "open")


class CircuitReading(NamedTuple):
    """The values of all breakers of one name and provider, in the order of the core."""

    name: str
    provider: str
    state: State | None
    """The worst state of the present breakers; ``None`` if there is none."""
    counts: RawCounts
    rejections: list[tuple[Reason, int]]
    transitions: list[tuple[State, State, int]]
    durations: list[tuple[Literal["success", "failure"], tuple[float, list[int]]]]
    first_items: tuple[float, list[int]]

    @property
    def labels(self) -> tuple[str, str]:
        """The values of the labels ``circuit`` and ``provider``."""
        return self.name, self.provider

    def values(self) -> Iterator[Reading]:
        """The gauges and the counters."""
        return chain(self.gauges(), self.counters())

    def gauges(self) -> Iterator[Reading]:
        """The values that rise and fall; none without a breaker."""
        if self.state is not None:
            for state in _STATES:
                yield STATE, (*self.labels, state), float(state == self.state)
            yield IN_FLIGHT, self.labels, self.counts["in_flight"]

    def counters(self) -> Iterator[Reading]:
        """The values that only rise."""
        counts, labels = self.counts, self.labels
        yield CALLS, (*labels, "success"), counts["successful_calls"]
        yield CALLS, (*labels, "failure"), counts["failed_calls"]
        yield CALLS, (*labels, "ignored"), counts["ignored_calls"]
        yield CALLS, (*labels, "cancelled"), counts["cancelled_calls"]
        for reason, count in self.rejections:
            yield REJECTIONS, (*labels, reason), count
        yield SHADOW_REJECTIONS, labels, counts["shadow_rejected"]
        yield SLOW_CALLS, labels, counts["slow_calls"]
        yield PROBE_TIMEOUTS, labels, counts["probe_timeouts"]
        for left, entered, count in self.transitions:
            yield TRANSITIONS, (*labels, left, entered), count

    def histograms(self) -> Iterator[HistogramReading]:
        """The durations, as far as there are any."""
        for outcome, read in self.durations:
            buckets = Buckets(*read)
            if any(buckets.counts):
                yield CALL_DURATION, (*self.labels, outcome), buckets
        first_items = Buckets(*self.first_items)
        if any(first_items.counts):
            yield FIRST_ITEM, self.labels, first_items


def read_circuits() -> Iterator[CircuitReading]:
    """The values of all breakers of this process, also of those that are gone."""
    return (CircuitReading(*row) for row in read_metrics())


def read_pools() -> list[Reading]:
    """The counts of all orchestrators of this process."""
    return [(_POOL_FAMILIES[metric], values, count) for metric, values, count in POOL_TOTALS.read()]
