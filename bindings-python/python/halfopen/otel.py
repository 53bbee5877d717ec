"""OpenTelemetry for all breakers and orchestrators of this process: metrics, log events, and attributes of spans.

``instrument()`` needs only the API package (the extra ``opentelemetry``); the application chooses the SDK and the
exporters. ``docs/metrics.md`` lists the names.

- **Metrics** as for Prometheus, with ``halfopen.`` before the names of metrics and attributes: ``halfopen.calls`` with
  the attribute ``halfopen.circuit``. Counters and states are read from the core when they are exported. Durations are
  recorded at each call, which costs about as much as recording a histogram does in the SDK. Names may come from user
  input, so at most 1,000 circuits have data points of their own; those of all others are added to ``(other)``.
- **Log events** named ``halfopen.transition``, at WARN for an opening and at INFO for other transitions.
- **Attributes of the current span**: ``halfopen.circuit``, ``halfopen.provider`` and ``halfopen.outcome`` of the last
  call that ended in it, or ``halfopen.rejection.reason`` and ``halfopen.retry_after_seconds`` of the last rejected one.
"""

import atexit
from collections.abc import Callable, Iterable, Iterator
from functools import partial, wraps
from importlib.metadata import version
from itertools import chain
from typing import Any, ParamSpec

from opentelemetry._logs import LoggerProvider, SeverityNumber, get_logger
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, MeterProvider, Observation, get_meter
from opentelemetry.trace import get_current_span

from halfopen._core import BUCKET_BOUNDS, keep_ended_metrics, set_telemetry
from halfopen._label_sets import OTHER, LabelSets
from halfopen._log import WarnOnce, describe, facts_of
from halfopen._metric_families import (
    CALL_DURATION,
    CIRCUIT_FAMILIES,
    FIRST_ITEM,
    POOL_FAMILIES,
    Family,
    read_circuits,
    read_pools,
)
from halfopen.types import Outcome, RawEvent, Reason

__all__ = ["instrument", "uninstrument"]

P = ParamSpec("P")
_SCOPE = "halfopen"
_warn = WarnOnce()
_OTHERS = {"circuit": OTHER, "provider": OTHER}


def instrument(*, meter_provider: MeterProvider | None = None, logger_provider: LoggerProvider | None = None) -> None:
    """Exports all breakers of this process, also breakers that are made later. Repeating the call has no effect.

    Args:
        meter_provider: The provider of the metrics; by default the global one.
        logger_provider: The provider of the log events; by default the global one.

    """
    global _telemetry  # noqa: PLW0603 (one per process, as the breakers are)
    if _telemetry is not None:
        return
    keep_ended_metrics()
    telemetry = _Telemetry(meter_provider, logger_provider)
    if set_telemetry(telemetry):
        _telemetry = telemetry
        atexit.register(set_telemetry, None)


def uninstrument() -> None:
    """Exports nothing from now on."""
    global _telemetry  # noqa: PLW0603
    if _telemetry is not None:
        set_telemetry(None)
        _telemetry.is_on = False
        _telemetry = None
        atexit.unregister(set_telemetry)


def _harmless(report: Callable[P, None]) -> Callable[P, None]:
    """Keeps an exception of an SDK from the call. The first one is logged, because each call would log one."""

    @wraps(report)
    def reported(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            report(*args, **kwargs)
        except Exception as fault:
            _warn("the telemetry of circuit breakers fails: %s", type(fault).__name__)

    return reported


class _Telemetry:
    """The core calls these methods, in the context of the call."""

    def __init__(self, meter_provider: MeterProvider | None, logger_provider: LoggerProvider | None) -> None:
        self.is_on = True
        self._own = LabelSets()
        meter = get_meter(_SCOPE, version("halfopen"), meter_provider=meter_provider)
        self._logger = get_logger(_SCOPE, version("halfopen"), logger_provider=logger_provider)
        self._durations = _histogram(meter, CALL_DURATION)
        self._first_items = _histogram(meter, FIRST_ITEM)
        for family in (*CIRCUIT_FAMILIES, *POOL_FAMILIES):
            name, text, read = _name(family), family.text, [partial(self._read, family)]
            if family.kind == "counter":
                meter.create_observable_counter(name, read, unit=_unit(family), description=text)
            elif family.kind == "gauge":
                # An up-down counter, because states and calls in flight add up over processes.
                meter.create_observable_up_down_counter(name, read, unit=_unit(family), description=text)

    @_harmless
    def changed(self, name: str, provider: str, event: RawEvent, /) -> None:
        opened = event["to_state"] == "open"
        self._logger.emit(
            event_name="halfopen.transition",
            severity_number=SeverityNumber.WARN if opened else SeverityNumber.INFO,
            severity_text="WARN" if opened else "INFO",
            body=describe(name, provider, event),
            attributes=_attributes(**facts_of(name, provider, event)),
        )

    @_harmless
    def rejected(self, name: str, provider: str, reason: Reason, retry_after: float | None, /) -> None:
        span = get_current_span()
        if span.is_recording():
            span.set_attributes(_attributes(circuit=name, provider=provider, retry_after_seconds=retry_after))
            span.set_attribute("halfopen.rejection.reason", reason)

    @_harmless
    def settled(self, name: str, provider: str, outcome: Outcome, seconds: float | None, /) -> None:
        attributes = _attributes(circuit=name, provider=provider, outcome=outcome)
        if seconds is not None and outcome in ("success", "failure"):
            own = self._own.admit((name, provider))
            self._durations.record(seconds, attributes if own else _attributes(**_OTHERS, outcome=outcome))
        span = get_current_span()
        if span.is_recording():
            span.set_attributes(attributes)

    @_harmless
    def first_item(self, name: str, provider: str, seconds: float, /) -> None:
        own = self._own.admit((name, provider))
        self._first_items.record(seconds, _attributes(**{"circuit": name, "provider": provider} if own else _OTHERS))

    def _read(self, family: Family, _: CallbackOptions) -> Iterable[Observation]:
        return list(self._observations(family)) if self.is_on else []

    def _observations(self, family: Family) -> Iterator[Observation]:
        observed: dict[tuple[str, ...], float] = {}
        is_of_pools = family in POOL_FAMILIES
        readings = read_pools() if is_of_pools else chain.from_iterable(it.values() for it in read_circuits())
        for other, values, value in readings:
            if other is family:
                has_own = is_of_pools or self._own.admit(values[:2])
                kept = values if has_own else (OTHER, OTHER, *values[2:])
                observed[kept] = observed.get(kept, 0) + value
        for values, value in observed.items():
            yield Observation(value, _attributes(**dict(zip(family.labels, values, strict=True))))


def _histogram(meter: Meter, family: Family) -> Histogram:
    bounds = list(BUCKET_BOUNDS)
    return meter.create_histogram(
        _name(family), unit="s", description=family.text, explicit_bucket_boundaries_advisory=bounds
    )


def _name(family: Family) -> str:
    """The name without its unit, which OpenTelemetry keeps apart."""
    return family.name.replace("halfopen_", "halfopen.", 1).removesuffix("_seconds")


def _unit(family: Family) -> str:
    return "{circuit}" if family.name == "halfopen_state" else "{event}"


def _attributes(**values: Any) -> dict[str, Any]:
    return {f"halfopen.{name}": value for name, value in values.items() if value is not None}


_telemetry: _Telemetry | None = None
