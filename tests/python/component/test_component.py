"""Tests of the component in wasmtime that go beyond the vectors."""

import json
from typing import Any

import pytest
from wasmtime.component import ResourceAny

import halfopen
from component.host import COMPONENT, ENGINE, ComponentError, Instance, fields

SECOND = 1_000_000_000


class Circuit(Instance):
    """A circuit that one failure opens for ten seconds, on a clock that stands still."""

    def __init__(self, **fields: Any) -> None:
        self.now = 0
        super().__init__(lambda: self.now)
        config = {"failure_threshold": 1, "timeout_seconds": 10, **fields}
        self.breaker = self.call("[static]breaker.create", self.config(config), 0)

    def config(self, fields: dict[str, Any]) -> Any:
        return self.call("parse-config", json.dumps(fields))

    def call_breaker(self, method: str, *arguments: Any) -> Any:
        return self.call(f"[method]breaker.{method}", self.breaker, *arguments)

    def acquire(self) -> ResourceAny:
        permit = self.call_breaker("acquire")
        assert isinstance(permit, ResourceAny)
        return permit

    def settle(self, permit: ResourceAny, outcome: str, retry_after: float | None = None) -> bool:
        return bool(self.call("[method]permit.settle", permit, outcome, retry_after))

    def status(self) -> dict[str, Any]:
        status = fields(self.call_breaker("status"))
        return {**status, **fields(status.pop("counts")), "window": fields(status["window"])}


def test_the_component_imports_the_clock_and_nothing_else() -> None:
    assert list(COMPONENT.type.imports(ENGINE)) == ["halfopen:breaker/clock@0.1.0"]
    assert list(COMPONENT.type.exports(ENGINE)) == ["halfopen:breaker/types@0.1.0", "halfopen:breaker/circuit@0.1.0"]


def test_each_instance_reads_its_own_clock() -> None:
    one, other = Circuit(), Circuit()
    one.settle(one.acquire(), "failure")
    one.now = 4 * SECOND
    assert one.status()["retry-after-seconds"] == 6
    assert other.status()["now-seconds"] == 0
    one.now = 10 * SECOND
    assert (one.call_breaker("state"), other.call_breaker("state")) == ("half-open", "closed")


def test_a_permit_that_is_dropped_unsettled_is_cancelled() -> None:
    circuit = Circuit()
    permit = circuit.acquire()
    assert circuit.call("[method]permit.settled", permit) is False
    assert circuit.status()["in-flight"] == 1
    circuit.drop(permit)
    assert (circuit.status()["in-flight"], circuit.status()["cancelled-calls"]) == (0, 1)


def test_a_permit_is_settled_once() -> None:
    circuit = Circuit()
    permit = circuit.acquire()
    assert circuit.call("[method]permit.success", permit) is True
    assert circuit.call("[method]permit.settled", permit) is True
    assert circuit.call("[method]permit.failure", permit, None) is False
    assert circuit.settle(permit, "failure", 5.0) is False
    circuit.drop(permit)
    status = circuit.status()
    assert (status["successful-calls"], status["failed-calls"], status["cancelled-calls"]) == (1, 0, 0)
    assert status["state"] == "closed"


def test_a_permit_may_outlive_its_breaker() -> None:
    circuit = Circuit()
    permit = circuit.acquire()
    circuit.drop(circuit.breaker)
    assert circuit.settle(permit, "failure") is True
    circuit.drop(permit)


def test_a_rejection_has_a_reason_and_retry_after() -> None:
    circuit = Circuit()
    circuit.settle(circuit.acquire(), "failure")
    circuit.now = 1 * SECOND
    with pytest.raises(ComponentError) as rejected:
        circuit.acquire()
    assert rejected.value.record == {"code": "CIRCUIT_OPEN", "reason": "open", "retry-after-seconds": 9.0}


@pytest.mark.parametrize(
    ("field", "document"),
    [
        ("name", '{"name": ""}'),
        ("failure_threshold", '{"failure_threshold": null}'),
        ("timeout_seconds", '{"timeout_seconds": 1e300}'),
        ("window", '{"window": {"calls": 0}}'),
        ("nonsense", '{"nonsense": 1}'),
        ("success_threshold", '{"success_threshold": 2.5}'),
        ("config", "[]"),
        ("config", "{"),
    ],
)
def test_the_error_for_an_invalid_document_names_the_field(field: str, document: str) -> None:
    with pytest.raises(ComponentError) as refused:
        Circuit().call("parse-config", document)
    assert (refused.value.record["code"], refused.value.record["field"]) == ("INVALID_VALUE", field)


@pytest.mark.parametrize(
    ("field", "method", "arguments"),
    [
        ("share", "percentile", [float("nan"), "success"]),
        ("outcome", "percentile", [0.5, "cancelled"]),
        ("duration_seconds", "force-open", [-1.0]),
        ("snapshot", "restore", ["{"]),
    ],
)
def test_the_error_for_an_invalid_argument_names_it_and_nothing_changes(
    field: str, method: str, arguments: list[Any]
) -> None:
    circuit = Circuit()
    before = circuit.status()
    with pytest.raises(ComponentError) as refused:
        circuit.call_breaker(method, *arguments)
    assert (refused.value.record["code"], refused.value.record["field"]) == ("INVALID_VALUE", field)
    assert circuit.status() == before


def test_an_invalid_hint_settles_nothing() -> None:
    circuit = Circuit()
    permit = circuit.acquire()
    with pytest.raises(ComponentError):
        circuit.settle(permit, "failure", float("inf"))
    assert circuit.settle(permit, "success") is True


def test_the_error_for_an_invalid_record_names_the_field() -> None:
    circuit = Circuit()
    config = circuit.call_breaker("config")
    fields(config)["timeout-jitter"] = 1.5
    with pytest.raises(ComponentError) as refused:
        circuit.call_breaker("reconfigure", config)
    assert refused.value.record["field"] == "timeout_jitter"


def test_every_query_returns_the_recorded_values() -> None:
    circuit = Circuit(name="gemini", slow_call_seconds=1, slow_call_rate_threshold=1)
    assert (circuit.call_breaker("name"), circuit.call_breaker("is-idle"), circuit.call_breaker("mode")) == (
        "gemini",
        True,
        "auto",
    )
    permit = circuit.acquire()
    circuit.now = 2 * SECOND
    circuit.settle(permit, "failure", 30.0)
    assert circuit.call_breaker("is-idle") is False
    [event] = map(fields, circuit.call_breaker("events", 0))
    assert (event["sequence"], event["cause"], event["to-state"]) == (1, "consecutive-failures", "open")
    assert (event["at-seconds"], event["retry-after-seconds"]) == (2.0, 30.0)
    assert circuit.call_breaker("events", 2**64 - 1) == []
    assert [fields(edge) for edge in circuit.call_breaker("edges")] == [
        {"from-state": "closed", "to-state": "open", "count": 1}
    ]
    durations = circuit.call_breaker("durations")
    assert (durations.success.count, durations.failure.count) == (0, 1)
    assert fields(durations.failure.buckets[-1]) == {"up-to-seconds": float("inf"), "count": 1}
    assert (circuit.call_breaker("percentile", 1.0, "failure"), circuit.call_breaker("percentile", 1.0, "success")) == (
        2.5,
        None,
    )
    assert circuit.call_breaker("explain").startswith("open after 1 failure in a row: in 30.0 s")
    assert circuit.status()["window"] == {"calls": 1, "failed": 1, "slow": 1}


def test_a_registry_returns_one_circuit_for_each_name() -> None:
    circuit = Circuit()
    registry = circuit.call("[static]registry.create", 1)

    def call(method: str, *arguments: Any) -> Any:
        return circuit.call(f"[method]registry.{method}", registry, *arguments)

    handle = call("get-or-create", circuit.config({"name": "a"}), None)
    again = call("get", "a")
    circuit.call("[method]breaker.disable", handle)
    assert circuit.call("[method]breaker.mode", again) == "disabled"
    with pytest.raises(ComponentError) as conflict:
        call("get-or-create", circuit.config({"name": "a", "success_threshold": 1}), None)
    assert conflict.value.record == {"code": "NAME_CONFLICT", "circuit-name": "a", "field": "success_threshold"}
    with pytest.raises(ComponentError) as full:
        call("get-or-create", circuit.config({"name": "b"}), None)
    assert full.value.record == {"code": "REGISTRY_FULL", "bound": 1}
    circuit.call("[method]breaker.reset", handle)
    assert call("remove-unused") == 0
    for resource in (handle, again, *call("breakers")):
        circuit.drop(resource)
    assert (call("remove-unused"), call("size")) == (1, 0)


def test_a_snapshot_can_move_from_the_component_to_the_package_and_back() -> None:
    circuit, clock = Circuit(), halfopen.ManualClock()
    circuit.settle(circuit.acquire(), "failure")
    circuit.now = 4 * SECOND
    config = halfopen.CircuitBreakerConfig(failure_threshold=1, timeout_seconds=10)
    native = halfopen.CircuitBreaker(config, clock=clock)
    native.restore(circuit.call_breaker("snapshot"))
    assert native.get_status()["retry_after_seconds"] == 6
    other = Circuit()
    other.call_breaker("restore", native.snapshot())
    assert other.status()["retry-after-seconds"] == 6
    first, last = json.loads(circuit.call_breaker("snapshot")), json.loads(other.call_breaker("snapshot"))
    assert last == {**first, "generation": last["generation"]}, "each restore starts a generation"
