"""Writes the metrics of this process to the files of ``prometheus_client``'s multiprocess mode."""

import atexit
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from prometheus_client.values import ValueClass

from halfopen._core import BUCKET_BOUNDS
from halfopen._fork import at_fork
from halfopen._label_sets import OTHER, LabelSets
from halfopen._log import WarnOnce
from halfopen._metric_families import CircuitReading, Family, read_circuits, read_pools

INTERVAL_SECONDS = 1.0

_OTHER = (OTHER, OTHER)
BOUNDS = (*map(str, BUCKET_BOUNDS), "+Inf")
"""The upper bounds of histograms, as labels."""

_Key = tuple[Family, str, tuple[str, ...]]
"""A series of a circuit: its family, the suffix of its name, and the values of its labels after the first two."""
_Labels = tuple[str, ...]


class Series:
    """The series in the files, which are looked up once each."""

    def __init__(self) -> None:
        self._known: dict[tuple[_Labels, _Key], Any] = {}

    def of(self, labels: _Labels, key: _Key) -> Any:
        """The value of a series, with ``inc`` and ``set``."""
        known = self._known.get((labels, key))
        if known is None:
            family, suffix, rest = key
            names = (*family.labels, "le") if suffix == "_bucket" else family.labels
            values = (*labels, *rest)
            name = family.name + suffix
            # The sum over all processes that are alive; its file is removed when a process is marked as dead.
            mode = "livesum" if family.kind == "gauge" else ""
            known = ValueClass(family.kind, family.name, name, names, values, family.text, multiprocess_mode=mode)
            self._known[labels, key] = known
        return known


class CircuitFiles:
    """Writes what has changed since the last time.

    The files hold sums, and a process may find the file of an earlier one with the same id. So it adds differences.
    """

    def __init__(self) -> None:
        self._series = Series()
        self._written: dict[_Labels, CircuitReading] = {}
        self._own = LabelSets()
        # Counts of label sets without series of their own, as far as they are not written.
        self._other: Counter[_Key] = Counter()

    def write(self) -> None:
        """Writes the present values."""
        present = {circuit.labels: circuit for circuit in read_circuits()}
        for labels in self._written.keys() - present.keys():
            self._end(labels, self._written.pop(labels))
        for labels, circuit in present.items():
            before = self._written.get(labels)
            if before != circuit:
                self._written[labels] = circuit
                self._write_changes(labels, before, circuit)
        for key, count in self._other.items():
            if count > 0:
                self._series.of(_OTHER, key).inc(count)
        self._other = Counter({key: count for key, count in self._other.items() if count < 0})

    def _write_changes(self, labels: _Labels, before: CircuitReading | None, circuit: CircuitReading) -> None:
        now = _counts(circuit)
        if before is not None:
            now.subtract(_counts(before))
            if any(difference < 0 for difference in now.values()):
                # These labels were folded and have begun again in the meantime.
                self._end(labels, before)
                now = _counts(circuit)
        if self._own.admit(labels):
            for key, difference in now.items():
                # A histogram needs all its buckets.
                if difference or before is None or key[0].kind == "histogram":
                    self._series.of(labels, key).inc(difference)
            self._write_gauges(labels, circuit)
        else:
            self._other.update(now)

    def _write_gauges(self, labels: _Labels, circuit: CircuitReading) -> None:
        gone = circuit.state is None
        for family, values, value in circuit._replace(state=circuit.state or "closed").gauges():
            self._series.of(labels, (family, "", values[2:])).set(0.0 if gone else value)

    def _end(self, labels: _Labels, circuit: CircuitReading) -> None:
        """The core has added these counts to those of other label sets."""
        self._other.subtract(_counts(circuit))
        if labels in self._own:
            self._write_gauges(labels, circuit._replace(state=None))


def _counts(circuit: CircuitReading) -> Counter[_Key]:
    return Counter(dict(_count_items(circuit)))


def _count_items(circuit: CircuitReading) -> Iterator[tuple[_Key, Any]]:
    for family, values, count in circuit.counters():
        yield (family, "_total", values[2:]), count
    for family, values, (total_seconds, counts) in circuit.histograms():
        for bound, count in zip(BOUNDS, counts, strict=True):
            yield (family, "_bucket", (*values[2:], bound)), count
        yield (family, "_sum", values[2:]), total_seconds


class PoolFiles:
    """The same for orchestrators."""

    def __init__(self) -> None:
        self._series = Series()
        self._written: Counter[tuple[Family, _Labels]] = Counter()

    def write(self) -> None:
        """Writes the present counts."""
        for family, labels, count in read_pools():
            before = self._written[family, labels]
            if count != before:
                self._series.of(labels, (family, "_total", ())).inc(count - before)
                self._written[family, labels] = int(count)


class Files:
    """Writes once a second in a thread, and at exit."""

    def __init__(self) -> None:
        self._begin()
        # Re-entrant, because an allocation may start garbage collection, which may run any code in this thread.
        self._lock = threading.RLock()
        self._stop: threading.Event | None = None
        self._warn = WarnOnce()

    def _begin(self) -> None:
        self._circuits = CircuitFiles()
        self._pools = PoolFiles()
        self._is_writing = False

    @property
    def is_running(self) -> bool:
        """Whether it writes."""
        return self._stop is not None

    def start(self) -> None:
        """Writes from now on; without effect if it does so already."""
        with self._lock:
            if self._stop is None:
                self._stop = threading.Event()
                atexit.register(self.flush)
                self._start_thread(self._stop)

    def stop(self) -> None:
        """Writes a last time."""
        with self._lock:
            if self._stop is not None:
                self.flush()
                self._stop.set()
                self._stop = None
                atexit.unregister(self.flush)

    def flush(self) -> None:
        """Writes now. A failure is not raised; the first one is logged."""
        with self._lock:
            if self._stop is None or self._is_writing:
                return
            self._is_writing = True
            try:
                self._circuits.write()
                self._pools.write()
            except Exception as fault:
                self._warn("the metrics of circuit breakers cannot be written: %s", type(fault).__name__)
            finally:
                self._is_writing = False

    def _start_thread(self, stop: threading.Event) -> None:
        def write_until_stopped() -> None:
            while not stop.wait(INTERVAL_SECONDS):
                self.flush()

        threading.Thread(target=write_until_stopped, name="halfopen-metrics", daemon=True).start()

    # The thread must not hold a lock of `prometheus_client` during a fork: the child would inherit it.

    def before_fork(self) -> None:
        """Waits until the thread has written."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Lets the thread go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Begins with files of its own, and a thread of its own."""
        self._lock = threading.RLock()
        self._begin()
        if self._stop is not None:
            self._stop = threading.Event()
            self._start_thread(self._stop)


FILES = Files()
at_fork(before=FILES.before_fork, after_in_parent=FILES.after_fork_in_parent, after_in_child=FILES.after_fork_in_child)
