"""What the component does in wasmtime beyond the vectors."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from wasmtime.component import ResourceAny

import halfopen
from component.host import COMPONENT, ENGINE, FILE, Instance, Refused, fields

SECOND = 1_000_000_000
README = Path(__file__).parents[3] / "bindings-wasm" / "component" / "README.md"


class Stage(Instance):
    """A circuit that one failure opens for ten seconds, on a clock that stands still."""

    def __init__(self, **fields: Any) -> None:
        self.now = 0
        super().__init__(lambda: self.now)
        config = {"failure_threshold": 1, "timeout_seconds": 10, **fields}
        self.breaker = self.ask("[static]breaker.create", self.config(config), 0)

    def config(self, fields: dict[str, Any]) -> Any:
        return self.ask("parse-config", json.dumps(fields))

    def read(self, method: str, *arguments: Any) -> Any:
        return self.ask(f"[method]breaker.{method}", self.breaker, *arguments)

    def acquire(self) -> ResourceAny:
        permit = self.read("acquire")
        assert isinstance(permit, ResourceAny)
        return permit

    def settle(self, permit: ResourceAny, outcome: str, retry_after: float | None = None) -> bool:
        return bool(self.ask("[method]permit.settle", permit, outcome, retry_after))

    def status(self) -> dict[str, Any]:
        status = fields(self.read("status"))
        return {**status, **fields(status.pop("counts")), "window": fields(status["window"])}


def test_the_component_imports_the_clock_and_nothing_else() -> None:
    assert list(COMPONENT.type.imports(ENGINE)) == ["halfopen:breaker/clock@0.1.0"]
    assert list(COMPONENT.type.exports(ENGINE)) == ["halfopen:breaker/types@0.1.0", "halfopen:breaker/circuit@0.1.0"]


def test_each_instance_reads_its_own_clock() -> None:
    one, other = Stage(), Stage()
    one.settle(one.acquire(), "failure")
    one.now = 4 * SECOND
    assert one.status()["retry-after-seconds"] == 6
    assert other.status()["now-seconds"] == 0
    one.now = 10 * SECOND
    assert (one.read("state"), other.read("state")) == ("half-open", "closed")


def test_a_permit_that_is_dropped_unsettled_is_cancelled() -> None:
    stage = Stage()
    permit = stage.acquire()
    assert stage.ask("[method]permit.settled", permit) is False
    assert stage.status()["in-flight"] == 1
    stage.drop(permit)
    assert (stage.status()["in-flight"], stage.status()["cancelled-calls"]) == (0, 1)


def test_a_permit_is_settled_once() -> None:
    stage = Stage()
    permit = stage.acquire()
    assert stage.ask("[method]permit.success", permit) is True
    assert stage.ask("[method]permit.settled", permit) is True
    assert stage.ask("[method]permit.failure", permit, None) is False
    assert stage.settle(permit, "failure", 5.0) is False
    stage.drop(permit)
    status = stage.status()
    assert (status["successful-calls"], status["failed-calls"], status["cancelled-calls"]) == (1, 0, 0)
    assert status["state"] == "closed"


def test_a_permit_may_outlive_its_breaker() -> None:
    stage = Stage()
    permit = stage.acquire()
    stage.drop(stage.breaker)
    assert stage.settle(permit, "failure") is True
    stage.drop(permit)


def test_a_rejection_says_which_rule_and_when_to_ask_again() -> None:
    stage = Stage()
    stage.settle(stage.acquire(), "failure")
    stage.now = 1 * SECOND
    with pytest.raises(Refused) as rejected:
        stage.acquire()
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
def test_a_wrong_document_is_refused_by_the_name_of_its_field(field: str, document: str) -> None:
    with pytest.raises(Refused) as refused:
        Stage().ask("parse-config", document)
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
def test_a_wrong_argument_is_refused_by_its_name_and_nothing_changes(
    field: str, method: str, arguments: list[Any]
) -> None:
    stage = Stage()
    before = stage.status()
    with pytest.raises(Refused) as refused:
        stage.read(method, *arguments)
    assert (refused.value.record["code"], refused.value.record["field"]) == ("INVALID_VALUE", field)
    assert stage.status() == before


def test_a_wrong_hint_settles_nothing() -> None:
    stage = Stage()
    permit = stage.acquire()
    with pytest.raises(Refused):
        stage.settle(permit, "failure", float("inf"))
    assert stage.settle(permit, "success") is True


def test_a_wrong_record_is_refused_by_the_name_of_its_field() -> None:
    stage = Stage()
    config = stage.read("config")
    fields(config)["timeout-jitter"] = 1.5
    with pytest.raises(Refused) as refused:
        stage.read("reconfigure", config)
    assert refused.value.record["field"] == "timeout_jitter"


def test_everything_that_is_kept_can_be_read() -> None:
    stage = Stage(name="gemini", slow_call_seconds=1, slow_call_rate_threshold=1)
    assert (stage.read("name"), stage.read("is-idle"), stage.read("mode")) == ("gemini", True, "auto")
    permit = stage.acquire()
    stage.now = 2 * SECOND
    stage.settle(permit, "failure", 30.0)
    assert stage.read("is-idle") is False
    [event] = map(fields, stage.read("events", 0))
    assert (event["sequence"], event["cause"], event["to-state"]) == (1, "consecutive-failures", "open")
    assert (event["at-seconds"], event["retry-after-seconds"]) == (2.0, 30.0)
    assert stage.read("events", 2**64 - 1) == []
    assert [fields(edge) for edge in stage.read("edges")] == [{"from-state": "closed", "to-state": "open", "count": 1}]
    durations = stage.read("durations")
    assert (durations.success.count, durations.failure.count) == (0, 1)
    assert fields(durations.failure.buckets[-1]) == {"up-to-seconds": float("inf"), "count": 1}
    assert (stage.read("percentile", 1.0, "failure"), stage.read("percentile", 1.0, "success")) == (2.5, None)
    assert stage.read("explain").startswith("open after 1 failure in a row: in 30.0 s")
    assert stage.status()["window"] == {"calls": 1, "failed": 1, "slow": 1}


def test_a_registry_hands_out_one_circuit_a_name() -> None:
    stage = Stage()
    registry = stage.ask("[static]registry.create", 1)

    def ask(method: str, *arguments: Any) -> Any:
        return stage.ask(f"[method]registry.{method}", registry, *arguments)

    handle = ask("get-or-create", stage.config({"name": "a"}), None)
    again = ask("get", "a")
    stage.ask("[method]breaker.disable", handle)
    assert stage.ask("[method]breaker.mode", again) == "disabled"
    with pytest.raises(Refused) as conflict:
        ask("get-or-create", stage.config({"name": "a", "success_threshold": 1}), None)
    assert conflict.value.record == {"code": "NAME_CONFLICT", "circuit-name": "a"}
    with pytest.raises(Refused) as full:
        ask("get-or-create", stage.config({"name": "b"}), None)
    assert full.value.record == {"code": "REGISTRY_FULL", "bound": 1}
    stage.ask("[method]breaker.reset", handle)
    assert ask("remove-unused") == 0
    for resource in (handle, again, *ask("breakers")):
        stage.drop(resource)
    assert (ask("remove-unused"), ask("size")) == (1, 0)


def test_a_snapshot_goes_from_the_component_to_the_package_and_back() -> None:
    stage, clock = Stage(), halfopen.ManualClock()
    stage.settle(stage.acquire(), "failure")
    stage.now = 4 * SECOND
    config = halfopen.CircuitBreakerConfig(failure_threshold=1, timeout_seconds=10)
    native = halfopen.CircuitBreaker(config, clock=clock)
    native.restore(stage.read("snapshot"))
    assert native.get_status()["retry_after_seconds"] == 6
    other = Stage()
    other.read("restore", native.snapshot())
    assert other.status()["retry-after-seconds"] == 6
    first, last = json.loads(stage.read("snapshot")), json.loads(other.read("snapshot"))
    assert last == {**first, "generation": last["generation"]}, "each restoring starts a generation"


def test_the_example_in_the_readme_says_what_it_should() -> None:
    [example] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    command = [sys.executable, "-W", "error", "-c", example]
    run = subprocess.run(command, cwd=FILE.parent, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "HELLO\nask somebody else for 30 s\n", "")
