"""The counts of this process's orchestrators, for metrics."""

from collections import Counter, defaultdict

from halfopen._fork import Lock, renewed_in_child
from halfopen._label_sets import MAX_LABEL_SETS, OTHER


class PoolTotals:
    """Counts by the name of a metric and the values of its labels."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        self._lock = Lock()

    def count(self, metric: str, *values: str) -> None:
        """Counts one."""
        with self._lock.current:
            counts = self._counts[metric]
            # Providers are declared, so there are rarely more than a few.
            if values not in counts and len(counts) >= MAX_LABEL_SETS:
                values = (OTHER,) * len(values)
            counts[values] += 1

    def read(self) -> list[tuple[str, tuple[str, ...], int]]:
        """All counts."""
        with self._lock.current:
            return [(metric, *each) for metric, counts in self._counts.items() for each in counts.items()]

    def after_fork(self) -> None:
        """Begins at zero, because the parent exports what it has counted."""
        self._counts.clear()


POOL_TOTALS = renewed_in_child(PoolTotals())
