"""The four metrics of circuit breakers, read from the core when Prometheus scrapes.

``register()`` makes every breaker of the process visible, those to come included. It needs ``prometheus_client`` (the
extra ``prometheus``) in single-process use; its multiprocess mode runs no collectors such as this one.

A breaker's series stand for its name and its provider; breakers that share both are added up, and of their states the
worst is shown. What is kept of those that are gone:

- Before the first ``register()``, nothing.
- After it, the counts of a breaker outlive it, so a counter never runs backwards; the state ends with the last breaker
  of its labels.
- Names may be made of what users send, so memory is bounded: at most 1,000 label sets without a breaker are kept, which
  is a megabyte. When there are more, the series of the oldest half **end**, and their counts go on in one series that
  holds all that was ever folded: ``name="(other)"``, ``provider="(fold 1)"``. The next fold starts ``(fold 2)`` in its
  place, and so on.

So sums over all series never run backwards. ``rate`` and ``increase`` count no call twice at a fold: they see how much
a series grows after its first sample, and a series of folded counts never grows. What a breaker counted between its
last scrape and a fold they miss, as they miss whatever a series holds at its first sample; sums do not. If a breaker
with folded labels is made again, its series begins again at zero, which Prometheus takes for a restart.
"""

import threading
from contextlib import suppress
from typing import Self
from weakref import WeakSet

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry
from prometheus_client.samples import Sample

from halfopen._core import BUCKET_BOUNDS, keep_ended_metrics, read_metrics

__all__ = ["COLLECTOR", "register", "unregister"]

_STATUSES = ("attempted", "success", "failure", "rejected")
"""In the order in which the core tells them."""
_BOUNDS = (*map(str, BUCKET_BOUNDS), "+Inf")


class _Families:
    """The four metrics, with the samples of one scrape.

    The samples are made here and not by ``add_metric``, which takes more than twice as long.
    """

    def __init__(self) -> None:
        self._state = GaugeMetricFamily("circuit_breaker_state", "0 closed, 1 half-open, 2 open.")
        self._calls = CounterMetricFamily(
            "circuit_breaker_calls", "Calls through circuit breakers; attempted are those admitted."
        )
        self._transitions = CounterMetricFamily(
            "circuit_breaker_state_transitions", "Changes of state of circuit breakers."
        )
        self._durations = HistogramMetricFamily(
            "circuit_breaker_call_duration_seconds", "How long calls through circuit breakers took."
        )

    def read(self) -> Self:
        """Reads all breakers."""
        for name, provider, state, calls, transitions, durations in read_metrics():
            labels = {"name": name, "provider": provider}
            if state is not None:
                self._state.samples.append(Sample("circuit_breaker_state", labels, state))
            self._calls.samples += [
                Sample("circuit_breaker_calls_total", {**labels, "status": status}, count)
                for status, count in zip(_STATUSES, calls, strict=True)
            ]
            self._transitions.samples += [
                Sample(
                    "circuit_breaker_state_transitions_total", {**labels, "from_state": left, "to_state": entered}, n
                )
                for left, entered, n in transitions
            ]
            for outcome, seconds, buckets in durations:
                self._add_histogram({**labels, "status": outcome}, seconds, buckets)
        return self

    def _add_histogram(self, labels: dict[str, str], seconds: float, buckets: list[int]) -> None:
        samples = self._durations.samples
        samples += [
            Sample("circuit_breaker_call_duration_seconds_bucket", {**labels, "le": bound}, count)
            for bound, count in zip(_BOUNDS, buckets, strict=True)
        ]
        samples.append(Sample("circuit_breaker_call_duration_seconds_count", labels, buckets[-1]))
        samples.append(Sample("circuit_breaker_call_duration_seconds_sum", labels, seconds))

    def all(self) -> list[Metric]:
        return [self._state, self._calls, self._transitions, self._durations]


class _Collector(Collector):
    """All four in one, so that they come from one reading, and are registered together or not at all."""

    def describe(self) -> list[Metric]:
        """The metrics without samples: a registry asks for their names when this is registered."""
        return _Families().all()

    def collect(self) -> list[Metric]:
        """The metrics as they are now."""
        return _Families().read().all()


COLLECTOR: Collector = _Collector()
"""What ``register()`` registers, and ``restricted_registry`` and the like find there."""

_registries: WeakSet[CollectorRegistry] = WeakSet()
# No scrape, call or constructor takes it. Re-entrant, because allocating under it may collect garbage, and that may run
# anybody's code in this thread.
_lock = threading.RLock()


def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Adds the four metrics to a registry, by default the one that ``/metrics`` usually shows.

    To do so again changes nothing, and any number of registries may have them.

    Raises ``ValueError`` where the registry has a metric of one of these names from somebody else; then none is added.
    """
    keep_ended_metrics()
    with _lock:
        try:
            registry.register(COLLECTOR)
        except ValueError as collision:
            if registry in _registries:
                return
            raise ValueError(
                f"{collision}: the registry has metrics of these names from another collector. Unregister that one"
                " first, or hand register() a CollectorRegistry of its own; leave register() away where it is"
                " halfopen.compat's, which registers its own"
            ) from collision
        _registries.add(registry)


def unregister(registry: CollectorRegistry = REGISTRY) -> None:
    """Takes the four metrics out of a registry; nothing happens where it does not have them."""
    with _lock, suppress(KeyError):
        _registries.discard(registry)
        registry.unregister(COLLECTOR)
