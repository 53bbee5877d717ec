"""The counts of this process's orchestrators, for metrics."""

import os
from collections import defaultdict
from threading import Lock

from halfopen._label_sets import MAX_LABEL_SETS, OTHER


class PoolTotals:
    """Counts by the name of a metric and the values of its labels."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, dict[tuple[str, ...], int]] = defaultdict(dict)
        self._lock = Lock()

    def count(self, metric: str, *values: str) -> None:
        """Counts one."""
        with self._lock:
            counts = self._counts[metric]
            # Providers are declared, so there are rarely more than a few.
            if values not in counts:
                if len(counts) >= MAX_LABEL_SETS:
                    values = (OTHER,) * len(values)
                counts.setdefault(values, 0)
            counts[values] += 1

    def read(self) -> list[tuple[str, tuple[str, ...], int]]:
        """All counts."""
        with self._lock:
            return [
                (metric, values, count) for metric, counts in self._counts.items() for values, count in counts.items()
            ]

    def after_fork(self) -> None:
        """Begins at zero in the child, because its parent exports what it has counted."""
        self._counts = defaultdict(dict)
        self._lock = Lock()


POOL_TOTALS = PoolTotals()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL_TOTALS.after_fork)
