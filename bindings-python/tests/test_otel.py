"""OpenTelemetry: an SDK exports the state of breakers, and an SDK that fails harms no call."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Histogram, MeterProvider, ObservableCounter, ObservableUpDownCounter
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import use_span

from halfopen import CircuitBreaker, CircuitBreakerOpenError, ManualClock, otel
from halfopen._label_sets import MAX_LABEL_SETS
from halfopen._log import WarnOnce
from halfopen._metric_families import CIRCUIT_FAMILIES
from halfopen.simulation import replay

INSTRUMENTS = (Histogram, ObservableCounter, ObservableUpDownCounter)


class Collected:
    """Everything that an SDK has exported."""

    def __init__(self) -> None:
        # The circuits of all tests of a process are exported; the SDK's own limit would hide those of the last ones.
        self._reader = InMemoryMetricReader(cardinality_limits=dict.fromkeys(INSTRUMENTS, 1_000_000))
        self._logs = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self._spans = InMemorySpanExporter()
        self.meters = MeterProvider([self._reader])
        self.loggers = LoggerProvider()
        self.loggers.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.tracer = tracers.get_tracer("test")

    def metrics(self) -> dict[str, Any]:
        data = self._reader.get_metrics_data()
        resources = [] if data is None else data.resource_metrics
        scopes = [scope for resource in resources for scope in resource.scope_metrics]
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def points(self, metric: str, circuit: str) -> dict[tuple[str, ...], Any]:
        """The data points of a circuit by the values of its further attributes."""
        points = self.metrics()[metric].data.data_points
        return {
            tuple(value for name, value in point.attributes.items() if name[9:] not in ("circuit", "provider")): point
            for point in points
            if point.attributes["halfopen.circuit"] == circuit
        }

    def events(self) -> list[Any]:
        return [data.log_record for data in self._logs.get_finished_logs()]

    def exported_spans(self) -> str:
        """OTLP in JSON."""
        return MessageToJson(encode_spans(self._spans.get_finished_spans()))

    def span(self) -> dict[str, Any]:
        (span,) = self._spans.get_finished_spans()
        return dict(span.attributes or {})


@pytest.fixture
def collected() -> Iterator[Collected]:
    collected = Collected()
    otel.instrument(meter_provider=collected.meters, logger_provider=collected.loggers)
    yield collected
    otel.uninstrument()
    collected.meters.shutdown()
    collected.loggers.shutdown()


def test_metrics_have_the_names_of_the_page(breaker: CircuitBreaker, collected: Collected) -> None:
    breaker.call_sync(str)
    next(breaker.stream(iter("ab")))
    names = {family.name.replace("_", ".", 1).removesuffix("_seconds") for family in CIRCUIT_FAMILIES}
    breaker.force_open()
    # Those of orchestrators are there once an orchestrator has counted anything.
    metrics = {name: metric for name, metric in collected.metrics().items() if name in names}
    assert metrics.keys() == names
    assert {metric.unit for metric in metrics.values()} == {"{circuit}", "{event}", "s"}
    assert all(metric.description for metric in metrics.values())


def test_counters_states_and_durations_are_exported(clock: ManualClock, collected: Collected) -> None:
    breaker = CircuitBreaker("exported", "p", failure_threshold=1, clock=clock)
    permit = breaker.acquire()
    clock.advance(0.02)
    permit.success()

    def tokens() -> Iterator[str]:
        clock.advance(0.2)
        yield "a"

    assert list(breaker.stream(tokens())) == ["a"]
    in_flight = breaker.acquire()
    breaker.acquire().failure()
    with pytest.raises(CircuitBreakerOpenError):
        breaker.acquire()

    def values(metric: str) -> dict[tuple[str, ...], float]:
        return {labels: point.value for labels, point in collected.points(metric, "exported").items()}

    assert values("halfopen.state") == {("closed",): 0, ("half_open",): 0, ("open",): 1}
    assert values("halfopen.calls") == {("success",): 2, ("failure",): 1, ("ignored",): 0, ("cancelled",): 0}
    assert values("halfopen.rejections") == {("open",): 1, ("probes_busy",): 0, ("forced_open",): 0}
    assert values("halfopen.calls_in_flight") == {(): 1}
    assert values("halfopen.transitions") == {("closed", "open"): 1}
    durations = collected.points("halfopen.call_duration", "exported")
    assert (durations["success",].count, durations["success",].sum) == (2, pytest.approx(0.22))
    assert durations["success",].bucket_counts[2] == 1
    assert durations["failure",].count == 1
    first_items = collected.points("halfopen.first_item", "exported")[()]
    assert (first_items.count, first_items.sum) == (1, pytest.approx(0.2))
    assert in_flight.cancel()


def test_transitions_are_log_events(breaker: CircuitBreaker, clock: ManualClock, collected: Collected) -> None:
    breaker.acquire().failure()
    clock.advance(30)
    breaker.call_sync(str)
    opened, _, closed = collected.events()
    assert {event.event_name for event in collected.events()} == {"halfopen.transition"}
    assert (opened.severity_text, closed.severity_text) == ("WARN", "INFO")
    assert dict(opened.attributes) == {
        "halfopen.circuit": "gemini",
        "halfopen.provider": "google",
        "halfopen.from_state": "closed",
        "halfopen.to_state": "open",
        "halfopen.cause": "consecutive_failures",
        "halfopen.generation": 1,
        "halfopen.consecutive_failures": 1,
        "halfopen.retry_after_seconds": 30.0,
    }
    assert "is open: consecutive failures reached their threshold" in opened.body


def test_the_current_span_has_the_outcome(breaker: CircuitBreaker, collected: Collected) -> None:
    with collected.tracer.start_as_current_span("request"):
        breaker.call_sync(str)
    assert collected.span() == {
        "halfopen.circuit": "gemini",
        "halfopen.provider": "google",
        "halfopen.outcome": "success",
    }


async def test_the_current_span_has_the_rejection(breaker: CircuitBreaker, collected: Collected) -> None:
    breaker.acquire().failure()

    @breaker
    async def ask() -> None:
        raise AssertionError

    with (
        collected.tracer.start_as_current_span("request", record_exception=False),
        pytest.raises(CircuitBreakerOpenError),
    ):
        await ask()
    assert collected.span() == {
        "halfopen.circuit": "gemini",
        "halfopen.provider": "google",
        "halfopen.rejection.reason": "open",
        "halfopen.retry_after_seconds": 30.0,
    }


def test_exported_spans_replay_to_the_same_transitions(clock: ManualClock, collected: Collected) -> None:
    clock.set(1_796_019_931)
    breaker = CircuitBreaker("gemini", failure_threshold=2, success_threshold=1, timeout_seconds=5, clock=clock)

    def call(*, fails: bool) -> None:
        def ask() -> None:
            clock.advance(0.5)
            if fails:
                raise ConnectionError

        span = collected.tracer.start_span("ask", start_time=round(clock() * 1e9))
        with use_span(span), suppress(ConnectionError, CircuitBreakerOpenError):
            breaker.call_sync(ask)
        span.end(round(clock() * 1e9))
        clock.advance(1)

    collected.tracer.start_span("no call").end()
    for fails in (True, True, True, True, False, False, False, False, False):
        call(fails=fails)
    best, worst = replay(collected.exported_spans(), breaker.config)
    assert best == worst
    assert (best["first_difference"], best["admitted"], best["still_rejected"]) == (None, 5, 4)
    assert [it["cause"] for it in best["transitions"]] == [event.cause for event in breaker.events()]
    assert breaker.state == "closed"


def test_after_uninstrument_nothing_is_exported(breaker: CircuitBreaker) -> None:
    collected = Collected()
    for _ in range(2):
        otel.instrument(meter_provider=collected.meters, logger_provider=collected.loggers)
    for _ in range(2):
        otel.uninstrument()
    breaker.acquire().failure()
    assert collected.events() == []
    assert collected.metrics() == {}


class Failing:
    """A provider whose instruments all raise errors."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("get_", "create_")):
            return lambda *_, **__: self
        raise OSError("the exporter is gone")


@pytest.mark.parametrize("fails", ["metrics", "logs"])
def test_an_sdk_that_fails_harms_no_call(
    fails: str, breaker: CircuitBreaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    failing: Any = Failing()
    providers = {"meter_provider": failing} if fails == "metrics" else {"logger_provider": failing}
    otel._warn = WarnOnce()
    otel.instrument(**providers)
    try:
        for _ in range(3):
            assert breaker.call_sync(str.upper, "hello") == "HELLO"
        breaker.acquire().failure()
        clock.advance(30)
        assert breaker.call_sync(str.upper, "hello") == "HELLO"
    finally:
        otel.uninstrument()
    assert (breaker.state, breaker.metrics.in_flight) == ("closed", 0)
    warnings = [record for record in caplog.records if "telemetry" in record.getMessage()]
    assert [(record.levelno, record.getMessage()) for record in warnings] == [
        (logging.WARNING, "the telemetry of circuit breakers fails: OSError")
    ]


def test_the_tests_before_do_not_matter(clock: ManualClock, collected: Collected) -> None:
    """A new circuit has data points of its own, however many circuits of other tests there are or were."""
    others = [CircuitBreaker(f"before-{number}", clock=clock) for number in range(2 * MAX_LABEL_SETS)]
    del others[::2]
    breaker = CircuitBreaker("after many", clock=clock)
    breaker.call_sync(str)
    assert collected.points("halfopen.calls", "after many")["success",].value == 1
    assert collected.points("halfopen.call_duration", "after many")["success",].count == 1


MANY = """
import gc
from collections import Counter
from opentelemetry.sdk.metrics import Histogram, MeterProvider, ObservableCounter, ObservableUpDownCounter
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from halfopen import CircuitBreaker, otel

unlimited = dict.fromkeys((Histogram, ObservableCounter, ObservableUpDownCounter), 1_000_000)
reader = InMemoryMetricReader(cardinality_limits=unlimited)
otel.instrument(meter_provider=MeterProvider([reader]))

def read():
    metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    return {metric.name: metric.data.data_points for metric in metrics}

def circuits(points):
    return {point.attributes["halfopen.circuit"] for point in points}

def calls(points):
    return sum(point.value for point in points if point.attributes["halfopen.outcome"] == "success")

alive = []
for number in range(3_500):
    breaker = CircuitBreaker(f"user-{number}")
    breaker.call_sync(str)
    next(breaker.stream(iter("a")))
    if number % 7 == 0:
        alive.append(breaker)
    if number % 500 == 0:
        exported = read()
        assert calls(exported["halfopen.calls"]) == number + 1, number
del breaker
gc.collect()
exported = read()
assert calls(exported["halfopen.calls"]) == 3_500
for metric in ("halfopen.calls", "halfopen.state", "halfopen.call_duration", "halfopen.first_item"):
    names = circuits(exported[metric])
    assert len(names) <= 1_001 and "(other)" in names and not any("fold" in name for name in names), metric
states = Counter()
for point in exported["halfopen.state"]:
    states[point.attributes["halfopen.state"]] += point.value
assert states == {"closed": 500, "open": 0, "half_open": 0}, states
durations = [point for point in exported["halfopen.call_duration"] if point.attributes["halfopen.outcome"] == "success"]
assert sum(point.count for point in durations) == 3_500
assert sum(point.count for point in exported["halfopen.first_item"]) == 3_500
(other,) = [point for point in durations if point.attributes["halfopen.circuit"] == "(other)"]
assert (other.count, other.attributes["halfopen.provider"]) == (2_500, "(other)")
"""


def test_the_circuits_with_data_points_of_their_own_are_bounded() -> None:
    ran = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=False, timeout=100)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


WITHOUT_SDK = """
import sys
sys.modules["opentelemetry.sdk"] = None
from halfopen import CircuitBreaker, otel
otel.instrument()
breaker = CircuitBreaker("gemini", failure_threshold=1)
breaker.call_sync(str)
breaker.acquire().failure()
class Last:
    def __del__(self, breaker=breaker):
        breaker.reset()
        breaker.call_sync(str)
last = Last()
"""


def test_without_an_sdk_nothing_happens() -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT_SDK], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
