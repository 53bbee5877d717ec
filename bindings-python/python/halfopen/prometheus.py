"""Prometheus metrics of all circuit breakers, read from the core at each scrape.

``register()`` exports every breaker of the process, also breakers that are made later. It needs ``prometheus_client``
(the extra ``prometheus``) in single-process mode, because its multiprocess mode runs no custom collectors.

A series belongs to a name and a provider. The counters of breakers with the same labels are added, and the gauge shows
the worst of their states.

After the first ``register()``, the counters of a breaker outlive it, so no counter runs backwards. The gauge ends with
the last breaker of its labels.

Names may come from user input, so memory is bounded: at most 1,000 label sets without a breaker are kept, about a
megabyte. Beyond that, the series of the oldest half end, and their counts are added to one series for all such counts:
``name="(other)"``, ``provider="(fold 1)"``. The next fold replaces it with ``(fold 2)``, and so on.

Sums over all series never run backwards. ``rate`` and ``increase`` count no call twice at a fold, because they only see
growth after the first sample of a series, and a fold never grows. They miss the calls between a breaker's last scrape
and the fold; sums do not. If a breaker with folded labels is made again, its series begins at zero, which Prometheus
treats as a restart.
"""

import os
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
"""In the order of the core's counters."""
_BOUNDS = (*map(str, BUCKET_BOUNDS), "+Inf")


class _Families:
    """The four metrics, with the samples of one scrape.

    The samples are made here because ``add_metric`` takes more than twice as long.
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
    """One collector for all four metrics: they come from one reading, and are registered together or not at all."""

    def describe(self) -> list[Metric]:
        """The metrics without samples; the registry reads their names."""
        return _Families().all()

    def collect(self) -> list[Metric]:
        """The metrics with samples."""
        return _Families().read().all()


COLLECTOR: Collector = _Collector()
"""The collector that ``register()`` registers."""

_registries: WeakSet[CollectorRegistry] = WeakSet()
# Re-entrant, because an allocation may start garbage collection, which may run any code in this thread. No scrape, call
# or constructor takes this lock.
_lock = threading.RLock()


def _replace_lock() -> None:
    """In a forked child, the thread that held the lock does not exist."""
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_replace_lock)


def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Adds the four metrics to a registry, by default the one that ``/metrics`` usually exports.

    Any number of registries may have them. Repeating the call has no effect.

    Raises ``ValueError`` if the registry has a metric of one of these names from another collector; then it adds none.
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
                " first, or pass another CollectorRegistry to register(). If it is halfopen.compat's, which"
                " registers its own metrics, remove the call of register()"
            ) from collision
        _registries.add(registry)


def unregister(registry: CollectorRegistry = REGISTRY) -> None:
    """Removes the four metrics from a registry, if it has them."""
    with _lock, suppress(KeyError):
        _registries.discard(registry)
        registry.unregister(COLLECTOR)
