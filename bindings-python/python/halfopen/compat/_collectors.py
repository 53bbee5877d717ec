"""The four collectors, in Prometheus' default registry under the replaced module's names."""

from typing import Any, TypeVar

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from halfopen.compat._write_queue import WRITES

M = TypeVar("M", bound=MetricWrapperBase)


class _Cleared(MetricWrapperBase):
    """Counts removals of children, so that cached children are looked up anew."""

    epoch = 0

    def clear(self) -> None:
        super().clear()
        self.epoch += 1

    def remove(self, *labelvalues: Any) -> None:
        super().remove(*labelvalues)
        self.epoch += 1

    def remove_by_labels(self, labels: dict[str, str]) -> None:
        super().remove_by_labels(labels)
        self.epoch += 1


class _State(_Cleared, Gauge):
    def collect(self) -> Any:
        WRITES.write_all()
        return super().collect()


class _Calls(_Cleared, Counter):
    pass


class _Durations(_Cleared, Histogram):
    pass


def _registered(kind: type[M], plain: type[MetricWrapperBase], name: str, text: str, labels: list[str]) -> M:
    """A new collector, or the registry's collector of that name if it has the same kind and labels.

    The registry has one if this module is imported twice, or beside the module that it replaces.
    """
    try:
        return kind(name, text, labels)
    except ValueError:
        there: Any = getattr(REGISTRY, "_names_to_collectors", {}).get(name)
        if isinstance(there, plain) and list(getattr(there, "_labelnames", ())) == labels:
            return there  # type: ignore[return-value]  # has the same methods
        raise ValueError(
            f"Prometheus' default registry already has a metric {name} of another kind than halfopen.compat's: "
            f"{there!r}. Unregister or rename the metric."
        ) from None


circuit_breaker_state = _registered(
    _State, Gauge, "circuit_breaker_state", "0 closed, 1 half-open, 2 open.", ["name", "provider"]
)
circuit_breaker_calls_total = _registered(
    _Calls,
    Counter,
    "circuit_breaker_calls_total",
    "Calls through circuit breakers.",
    ["name", "provider", "status"],
)
circuit_breaker_state_transitions = _registered(
    _Calls,
    Counter,
    "circuit_breaker_state_transitions_total",
    "Changes of state of circuit breakers.",
    ["name", "provider", "from_state", "to_state"],
)
circuit_breaker_call_duration = _registered(
    _Durations,
    Histogram,
    "circuit_breaker_call_duration_seconds",
    "How long calls through circuit breakers took.",
    ["name", "provider", "status"],
)
