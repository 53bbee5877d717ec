"""The configuration of the replaced module in ``halfopen.compat``."""

import pickle
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import halfopen
from compat_calls import fails, rejects
from halfopen import InvalidValueError, ManualClock
from halfopen.compat import CircuitBreaker, CircuitBreakerConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("failure_threshold", 0),
        ("failure_threshold", 65536),
        ("success_threshold", 256),
        ("timeout_seconds", 0),
        ("timeout_seconds", float("nan")),
        ("half_open_max_calls", -1),
        ("name", ""),
        ("window", {"calls": 5}),
    ],
)
def test_a_constructor_raises_an_error_of_both_types(field: str, value: object) -> None:
    for kind in (InvalidValueError, ValidationError):
        with pytest.raises(kind, match=field):
            CircuitBreakerConfig.__call__(**{field: value})
    with pytest.raises(InvalidValueError) as caught:
        CircuitBreakerConfig.__call__(**{field: value})
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.field, again.code) == (caught.value.field, "INVALID_VALUE") == (field, "INVALID_VALUE")
    with pytest.raises(ValidationError, match=field):
        CircuitBreakerConfig.model_validate({field: value})


def test_other_validation_errors_stay_pydantics() -> None:
    with pytest.raises(ValidationError) as caught:
        CircuitBreakerConfig.__call__(failure_threshold="many")
    assert not isinstance(caught.value, InvalidValueError)
    with pytest.raises(InvalidValueError) as both:
        CircuitBreakerConfig.__call__(failure_threshold=0, timeout_seconds="long")
    assert "float_parsing" in str(both.value)


def test_a_refused_assignment_changes_nothing() -> None:
    config = CircuitBreakerConfig()
    with pytest.raises(ValidationError, match="failure_threshold"):
        config.failure_threshold = 0
    assert config == CircuitBreakerConfig()
    breaker = CircuitBreaker(config)
    with pytest.raises(InvalidValueError, match="timeout_seconds"):
        breaker.config = config.model_copy(update={"timeout_seconds": -1})
    assert breaker.config is config


def test_the_schema_contains_the_minimums() -> None:
    schema = CircuitBreakerConfig.model_json_schema()["properties"]
    least = {name: field.get("minimum", field.get("exclusiveMinimum")) for name, field in schema.items()}
    assert least == {
        "name": None,
        "failure_threshold": 1,
        "success_threshold": 1,
        "timeout_seconds": 0,
        "half_open_max_calls": 1,
    }


@pytest.mark.parametrize("wrong", [None, 5, "x", {"failure_threshold": 3}])
def test_an_assigned_object_that_is_no_configuration_changes_nothing(wrong: Any) -> None:
    config = CircuitBreakerConfig(failure_threshold=9, timeout_seconds=7)
    breaker = CircuitBreaker(config)
    with pytest.raises(InvalidValueError) as refused:
        breaker.config = wrong
    assert refused.value.field == "config"
    assert breaker.config is config
    assert (breaker.native.config.failure_threshold, breaker.native.config.timeout_seconds) == (9, 7)
    if wrong is not None:
        with pytest.raises(InvalidValueError):
            CircuitBreaker(wrong)


def test_other_settings_need_a_subclass_or_the_cores_config() -> None:
    class Slow(CircuitBreakerConfig):
        model_config = ConfigDict(populate_by_name=True)
        slow_call_seconds: float | None = Field(default=None, alias="slow")
        slow_call_rate_threshold: float | None = None

    breaker = CircuitBreaker(Slow(slow=2.0, slow_call_rate_threshold=0.5))
    assert breaker.get_status()["extended_config"]["slow_call_seconds"] == 2.0
    with pytest.raises(InvalidValueError, match="slow_call_rate_threshold"):
        Slow(slow_call_rate_threshold=0.5)

    native = halfopen.CircuitBreakerConfig(name="native", slow_call_seconds=2.0)
    breaker = CircuitBreaker(native)
    given: object = breaker.config
    assert given is native
    assert breaker.get_status()["extended_config"]["slow_call_seconds"] == 2.0


def test_another_config_reconfigures_and_renames() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(name="before", failure_threshold=9), clock=ManualClock())
    breaker.config = CircuitBreakerConfig(name="after", failure_threshold=1)
    breaker.provider_id = "openai"
    fails(breaker)
    assert rejects(breaker).circuit_name == "after"
    status = breaker.get_status()
    assert (status["name"], status["provider_id"], status["state"]) == ("after", "openai", "open")
    assert breaker.name == "after"
    breaker.config.timeout_seconds = 5
    assert breaker.get_status()["config"]["timeout_seconds"] == 5


class Unvalidated(CircuitBreakerConfig):
    model_config = ConfigDict(validate_assignment=False)


class Settings(BaseModel):
    name: str = "settings"
    failure_threshold: int = 5
    success_threshold: int = 2
    timeout_seconds: float = 60
    half_open_max_calls: int = 3


@pytest.mark.parametrize("config", [Unvalidated(), Settings(), SimpleNamespace(**dict(Settings()))], ids=repr)
def test_a_field_assigned_without_validation_reconfigures(config: Any) -> None:
    breaker = CircuitBreaker(config, clock=ManualClock())
    config.failure_threshold = 1
    assert breaker.get_status()["config"]["failure_threshold"] == 1
    config.timeout_seconds = 7
    fails(breaker)
    assert rejects(breaker).retry_after == 7
    config.half_open_max_calls = 0
    with pytest.raises(InvalidValueError, match="half_open_max_calls"):
        breaker.get_status()
    assert breaker.get_status()["config"]["half_open_max_calls"] == 3


def test_the_breaker_checks_an_unchecked_model() -> None:
    with pytest.raises(InvalidValueError, match="failure_threshold"):
        CircuitBreaker(CircuitBreakerConfig.model_construct(failure_threshold=0))


def test_a_refusal_names_the_field_also_where_a_subclass_declares_it() -> None:
    class Own(CircuitBreakerConfig):
        failure_threshold: int = 3
        max_timeout_seconds: float | None = None

    for field, value in (("failure_threshold", 0), ("max_timeout_seconds", 30)):
        with pytest.raises(ValidationError) as refused:
            Own.model_validate({field: value})
        (line,) = refused.value.errors()
        assert (line["type"], line["loc"], line["input"]) == ("value_error", (field,), value)
        with pytest.raises(InvalidValueError, match=f"{field} = {value} is refused") as ours:
            Own.__call__(**{field: value})
        assert pickle.loads(pickle.dumps(ours.value)).field == field
