"""Prometheus metrics of all circuit breakers and orchestrators of this process.

``register()`` exports every breaker, also breakers that are made later; ``docs/metrics.md`` lists the metrics and their
labels. It needs ``prometheus_client`` (the extra ``prometheus``).

A series belongs to a circuit and a provider. The counters of breakers with the same labels are added, and
``halfopen_state`` shows the worst of their states. After the first ``register()``, the counters of a breaker outlive
it, so no counter runs backwards. The gauges end with the last breaker of their labels.

A scrape reads the metrics from the core, so calls pay nothing for them.

**Multiprocess mode** (``PROMETHEUS_MULTIPROC_DIR``): a scrape reaches only one of the processes, so each of them writes
its counts to the files that ``prometheus_client`` merges, once a second and at its exit. ``halfopen_state`` is then the
number of processes in that state, and ``halfopen_calls_in_flight`` the sum over all. The child of a fork counts from
zero, because its parent exports what it inherited.

Names may come from user input, so memory is bounded. At most 1,000 label sets without a breaker are kept, about a
megabyte. Beyond that, the series of the oldest half end, and their counts are added to one series for all such counts:
``circuit="(other)"``, ``provider="(fold 1)"``. The next fold replaces it with ``(fold 2)``, and so on. In multiprocess
mode, where no series can end, the first 1,000 label sets have series of their own, and the counts of all others are
added to ``circuit="(other)"``, ``provider="(other)"``.

Sums over all series never run backwards. ``rate`` and ``increase`` count no call twice at a fold, because they only see
growth after the first sample of a series, and a fold never grows. They miss the calls between a breaker's last scrape
and the fold; sums do not. If a breaker with folded labels is made again, its series begins at zero, which Prometheus
treats as a restart.
"""

from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate
from weakref import WeakSet

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry
from prometheus_client.samples import Sample
from prometheus_client.values import ValueClass

from halfopen._core import keep_ended_metrics
from halfopen._fork import Lock
from halfopen._metric_families import CIRCUIT_FAMILIES, POOL_FAMILIES, Buckets, Family, read_circuits, read_pools
from halfopen._prometheus_files import BOUNDS, FILES

__all__ = ["COLLECTOR", "flush", "is_registered", "register", "unregister"]

_KINDS = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily, "histogram": HistogramMetricFamily}


class _Collector(Collector):
    """One collector for all metrics: they come from one reading, and are registered together or not at all."""

    def describe(self) -> list[Metric]:
        """The metrics without samples; the registry reads their names."""
        return list(_metrics().values())

    def collect(self) -> list[Metric]:
        """The metrics with the samples of one scrape."""
        metrics = _metrics()
        for circuit in read_circuits():
            for family, values, value in circuit.gauges():
                _add(metrics, family, "", values, value)
            for family, values, value in circuit.counters():
                _add(metrics, family, "_total", values, value)
            for histogram in circuit.histograms():
                _add_histogram(metrics, *histogram)
        for family, values, value in read_pools():
            _add(metrics, family, "_total", values, value)
        return list(metrics.values())


def _metrics() -> dict[Family, Metric]:
    return {family: _KINDS[family.kind](family.name, family.text) for family in (*CIRCUIT_FAMILIES, *POOL_FAMILIES)}


# The samples are made here because `add_metric` takes more than twice as long.


def _add(metrics: dict[Family, Metric], family: Family, suffix: str, values: Sequence[str], value: float) -> None:
    labels = dict(zip(family.labels, values, strict=True))
    metrics[family].samples.append(Sample(family.name + suffix, labels, value))


def _add_histogram(metrics: dict[Family, Metric], family: Family, values: Sequence[str], buckets: Buckets) -> None:
    labels = dict(zip(family.labels, values, strict=True))
    cumulative = list(accumulate(buckets.counts))
    samples = metrics[family].samples
    samples += [
        Sample(f"{family.name}_bucket", {**labels, "le": bound}, count)
        for bound, count in zip(BOUNDS, cumulative, strict=True)
    ]
    samples.append(Sample(f"{family.name}_count", labels, cumulative[-1]))
    samples.append(Sample(f"{family.name}_sum", labels, buckets.total_seconds))


COLLECTOR: Collector = _Collector()
"""The collector that ``register()`` registers in a single process."""

_registries: WeakSet[CollectorRegistry] = WeakSet()
# No scrape, call or constructor takes this lock.
_lock = Lock()


def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Adds the metrics to a registry, by default the one that ``/metrics`` usually exports.

    Any number of registries may have them. Repeating the call has no effect. In multiprocess mode, the metrics go to
    the files of this process instead, and ``prometheus_client`` exports them in every registry that has its
    ``MultiProcessCollector``.

    Raises ``ValueError`` if the registry has a metric of one of these names from another collector; then it adds none.
    """
    keep_ended_metrics()
    if _is_multiprocess():
        FILES.start()
        return
    with _lock.current:
        try:
            registry.register(COLLECTOR)
        except ValueError as collision:
            if registry in _registries:
                return
            raise ValueError(
                f"{collision}: the registry has metrics of these names from another collector. Unregister that one"
                " first, or pass another CollectorRegistry to register()"
            ) from collision
        _registries.add(registry)


def unregister(registry: CollectorRegistry = REGISTRY) -> None:
    """Removes the metrics from a registry, if it has them; in multiprocess mode, stops writing them."""
    if _is_multiprocess():
        FILES.stop()
        return
    with _lock.current, suppress(KeyError):
        _registries.discard(registry)
        registry.unregister(COLLECTOR)


def is_registered() -> bool:
    """Whether any registry has the metrics; in multiprocess mode, whether they are written."""
    return FILES.is_running if _is_multiprocess() else len(_registries) > 0


def flush() -> None:
    """In multiprocess mode, writes the counts of this process now; otherwise it has no effect.

    They are also written once a second, by a thread. Call it where no thread can run, or before a process ends without
    its exit handlers.
    """
    if _is_multiprocess():
        FILES.flush()


def _is_multiprocess() -> bool:
    """Whether ``prometheus_client`` writes to files, which it decides when it is imported."""
    return bool(getattr(ValueClass, "_multiprocess", False))
