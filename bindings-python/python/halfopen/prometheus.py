"""The four metrics of a circuit breaker, read from the core when Prometheus scrapes.

``register()`` once makes every breaker of the process visible, those to come included. Needs ``prometheus_client``
(the extra ``prometheus``) in single-process use; its multiprocess mode does not run collectors such as these.
"""

from collections.abc import Iterable
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry

from halfopen.living import THIS_PROCESS, Labels
from halfopen.vocabulary import State

_SEVERITY: dict[State, int] = {"closed": 0, "half_open": 1, "open": 2}
_STATUSES = ("attempted", "success", "failure", "rejected")
_OUTCOMES: tuple[Literal["success", "failure"], ...] = ("success", "failure")


class _State(Collector):
    """Where circuits stand: 0 closed, 1 half-open, 2 open; the worst of the living where several share labels."""

    def collect(self) -> Iterable[Metric]:
        worst: dict[Labels, int] = {}
        for labels, state in THIS_PROCESS.states():
            worst[labels] = max(worst.get(labels, 0), _SEVERITY[state])
        family = GaugeMetricFamily(
            "circuit_breaker_state", "0 closed, 1 half-open, 2 open.", labels=["name", "provider"]
        )
        for labels, severity in worst.items():
            family.add_metric(labels, severity)
        yield family


class _Calls(Collector):
    """Calls by status; ``attempted`` means admitted."""

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(
            "circuit_breaker_calls", "Calls through circuit breakers.", labels=["name", "provider", "status"]
        )
        for labels, counted in THIS_PROCESS.counted().items():
            for status in _STATUSES:
                family.add_metric([*labels, status], counted.calls[status])
        yield family


class _Transitions(Collector):
    """Changes of state, by the state left and the state entered."""

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(
            "circuit_breaker_state_transitions",
            "Changes of state of circuit breakers.",
            labels=["name", "provider", "from_state", "to_state"],
        )
        for labels, counted in THIS_PROCESS.counted().items():
            for edge, count in counted.transitions.items():
                family.add_metric([*labels, *edge], count)
        yield family


class _Durations(Collector):
    """How long calls took, by outcome."""

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(
            "circuit_breaker_call_duration_seconds",
            "How long calls through circuit breakers took.",
            labels=["name", "provider", "status"],
        )
        for labels, counted in THIS_PROCESS.counted().items():
            for outcome in _OUTCOMES:
                buckets = sorted((bound, calls) for (of, bound), calls in counted.buckets.items() if of == outcome)
                named = [(_bound(bound), calls) for bound, calls in buckets]
                family.add_metric([*labels, outcome], named, counted.seconds[outcome])
        yield family


circuit_breaker_state: Collector = _State()
circuit_breaker_calls_total: Collector = _Calls()
circuit_breaker_state_transitions: Collector = _Transitions()
circuit_breaker_call_duration: Collector = _Durations()

_COLLECTORS = (
    circuit_breaker_state,
    circuit_breaker_calls_total,
    circuit_breaker_state_transitions,
    circuit_breaker_call_duration,
)


def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Adds the four metrics to a registry, by default the one that ``/metrics`` usually shows.

    Raises ``ValueError`` where the registry already has a metric of one of these names.
    """
    for collector in _COLLECTORS:
        registry.register(collector)


def _bound(seconds: float) -> str:
    """As ``prometheus_client`` writes the upper bound of a bucket."""
    return "+Inf" if seconds == float("inf") else str(seconds)
