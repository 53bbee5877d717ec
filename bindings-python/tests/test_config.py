"""Bad values are refused by name; valid configurations can be copied, compared and pickled."""

import copy
import math
import pickle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError, HalfopenError, InvalidValueError


class Hostile:
    """An object whose ``repr`` raises."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __float__(self) -> float:
        raise RuntimeError


NUMBERS = [0, -1, 0.0, -0.5, math.nan, math.inf, -math.inf, "5", True, False, [], {}, b"1", 10**400, -(10**400), 1j]
FIELDS = ["failure_threshold", "success_threshold", "timeout_seconds", "half_open_max_calls", "probe_timeout_seconds"]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [*NUMBERS, Hostile()], ids=lambda value: type(value).__name__)
def test_a_bad_number_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        CircuitBreakerConfig(**{field: value})
    error = caught.value
    assert (error.code, error.field) == ("INVALID_VALUE", field)
    assert isinstance(error, ValueError)
    assert isinstance(error, HalfopenError)
    for part in (error.field, error.value, error.allowed):
        assert part in str(error)


@pytest.mark.parametrize("name", ["", "x" * 129, "a\nb", "\u2028", "\x00", "\ud800", 5, None, b"name"])
def test_a_bad_name_is_refused(name: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        CircuitBreakerConfig(name=name)
    assert caught.value.field == "name"


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "window", [ENDLESS, DEEP, {"calls": ENDLESS}, {"calls": 0}, {"calls": 5, "seconds": 5}, {1: 2}]
)
def test_a_bad_window_is_refused_by_name(window: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        CircuitBreakerConfig(window=window)
    assert caught.value.field == "window"


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(InvalidValueError) as caught:
        CircuitBreakerConfig(failure_treshold=3)  # type: ignore[call-arg]
    assert caught.value.field == "failure_treshold"
    assert "failure_threshold" in caught.value.allowed


@pytest.mark.parametrize("provider_id", ["", "x" * 129, "a\nb", "\ud800", 5, None, ["x"]])
def test_a_bad_provider_is_refused(provider_id: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        CircuitBreaker(provider_id=provider_id)
    assert caught.value.field == "provider_id"


@pytest.mark.parametrize("after", [-1, 0.5, "1", None, Hostile()])
def test_a_bad_sequence_number_is_refused(breaker: CircuitBreaker, after: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        breaker.events(after)
    assert caught.value.field == "after"


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf, "5", True, 31536001, Hostile()])
def test_a_bad_duration_is_refused_and_changes_nothing(breaker: CircuitBreaker, seconds: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        breaker.force_open(seconds)
    assert caught.value.field == "duration_seconds"
    assert breaker.state == "closed"


def test_a_bad_outcome_is_refused_and_settles_nothing(breaker: CircuitBreaker) -> None:
    permit = breaker.acquire()
    with pytest.raises(InvalidValueError) as caught:
        permit.settle("sucess")  # type: ignore[arg-type]
    assert caught.value.field == "outcome"
    assert not permit.settled


def test_fields_are_attributes_with_the_defaults_of_the_core() -> None:
    config = CircuitBreakerConfig()
    assert config.model_dump() == {
        "name": "default",
        "failure_threshold": 5,
        "success_threshold": 2,
        "timeout_seconds": 60.0,
        "half_open_max_calls": 3,
        "failure_rate_threshold": None,
        "slow_call_seconds": None,
        "slow_call_rate_threshold": None,
        "window": {"calls": 100},
        "minimum_calls": 10,
        "timeout_multiplier": 1.0,
        "max_timeout_seconds": None,
        "timeout_jitter": 0.0,
        "probe_timeout_seconds": None,
        "cancel_failure_after_seconds": None,
        "shadow": False,
        "record_durations": True,
    }
    assert (config.failure_threshold, config.timeout_seconds) == (5, 60.0)
    assert isinstance(config.failure_threshold, int)
    with pytest.raises(AttributeError):
        config.nonsense  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError):
        config.name = "other"


def test_a_copy_is_checked_too() -> None:
    config = CircuitBreakerConfig(name="a", timeout_seconds=7)
    assert config.model_copy(update={"name": "b"}) == CircuitBreakerConfig(name="b", timeout_seconds=7)
    assert config.model_copy() == config
    with pytest.raises(InvalidValueError):
        config.model_copy(update={"timeout_seconds": 0})


@pytest.mark.parametrize(
    "thing",
    [
        CircuitBreakerConfig(name="a", failure_threshold=2),
        CircuitBreakerOpenError("gemini", 12.3, "probes_busy"),
        CircuitBreakerOpenError("gemini", None, "forced_open"),
        InvalidValueError("name", '""', "1 to 128 printable characters"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_it_can_be_pickled_and_copied(thing: Any) -> None:
    for again in (pickle.loads(pickle.dumps(thing)), copy.copy(thing), copy.deepcopy(thing)):
        assert type(again) is type(thing)
        assert (again == thing) or (str(again), vars(again)) == (str(thing), vars(thing))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(), st.lists, max_leaves=3
)


def test_equal_configurations_have_equal_hashes() -> None:
    configs = [CircuitBreakerConfig(timeout_jitter=zero) for zero in (0.0, -0.0, 0)]
    assert [configs[0]] * 3 == configs
    assert len({hash(config) for config in configs}) == 1


# Generating inputs may be slow on a busy machine.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from([*FIELDS, "name", "nonsense"]), anything))
def test_any_input_gives_a_valid_configuration_or_an_error_with_the_field(fields: dict[str, Any]) -> None:
    try:
        config = CircuitBreakerConfig(**fields)
    except InvalidValueError as error:
        refused = [error.field]
    else:
        refused = []
        assert CircuitBreakerConfig(**config.model_dump()) == config
        assert hash(CircuitBreakerConfig(**config.model_dump())) == hash(config)
    assert set(refused) <= set(fields)
