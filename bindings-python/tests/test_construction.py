"""A breaker is made from a name and fields, or from a configuration."""

from typing import Any, assert_type, get_args, get_type_hints

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig, InvalidValueError, ManualClock, NameConflictError, Registry
from halfopen.types import ConfigFields, Mode


def test_a_name_and_fields_make_the_same_breaker_as_a_configuration() -> None:
    config = CircuitBreakerConfig(name="gemini", failure_threshold=3, window={"seconds": 30})
    breakers = [
        CircuitBreaker("gemini", failure_threshold=3, window={"seconds": 30}),
        CircuitBreaker(name="gemini", failure_threshold=3, window={"seconds": 30}),
        CircuitBreaker(config),
    ]
    for breaker in breakers:
        assert breaker.config == config
    assert_type(breakers[0].mode, Mode)


def test_fields_need_no_name() -> None:
    assert CircuitBreaker(failure_threshold=3).config == CircuitBreakerConfig(failure_threshold=3)
    assert CircuitBreaker().config == CircuitBreakerConfig()
    assert CircuitBreaker("gemini", "google", timeout_seconds=5).provider_id == "google"


def test_the_type_of_the_fields_lists_every_field() -> None:
    assert get_type_hints(ConfigFields).keys() == CircuitBreakerConfig().model_dump().keys()


@pytest.mark.parametrize(
    ("args", "fields", "field"),
    [
        (("gemini",), {"failure_treshold": 3}, "failure_treshold"),
        (("gemini",), {"failure_threshold": 0}, "failure_threshold"),
        (("gemini",), {"name": "claude"}, "name"),
        (("",), {}, "name"),
        ((CircuitBreakerConfig(),), {"failure_threshold": 3}, "failure_threshold"),
        ((CircuitBreakerConfig(),), {"name": "gemini"}, "name"),
    ],
)
def test_a_wrong_field_is_refused_by_name(args: tuple[Any, ...], fields: dict[str, Any], field: str) -> None:
    for make in (CircuitBreaker, Registry(1).get_or_create):
        with pytest.raises(InvalidValueError) as refused:
            make(*args, **fields)
        assert refused.value.field == field


def test_a_field_beside_a_configuration_is_refused_with_a_replacement() -> None:
    with pytest.raises(InvalidValueError, match=r"model_copy\(update"):
        CircuitBreaker(CircuitBreakerConfig(), failure_threshold=3)


def test_a_registry_takes_a_name_and_fields() -> None:
    registry = Registry(10)
    breaker = registry.get_or_create("gemini", "google", failure_threshold=3)
    assert breaker.config == CircuitBreakerConfig(name="gemini", failure_threshold=3)
    assert registry.get_or_create(breaker.config, "google") is breaker
    with pytest.raises(NameConflictError):
        registry.get_or_create("gemini", "google", failure_threshold=4)


def test_the_mode_follows_the_operator() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker("gemini", clock=clock)
    modes = [breaker.mode]
    for operation in (breaker.disable, lambda: breaker.force_open(10), breaker.reset):
        operation()
        modes.append(breaker.mode)
    breaker.force_open(10)
    clock.advance(10)
    modes.append(breaker.mode)
    assert modes == ["auto", "disabled", "forced_open", "auto", "auto"]
    assert CircuitBreaker(shadow=True).mode == "shadow"
    assert set(modes) | {"shadow"} == set(get_args(Mode))


def test_a_subclass_keeps_its_type() -> None:
    class Named(CircuitBreaker):
        """A breaker with a default name."""

    assert_type(Named("gemini", failure_threshold=3), Named)
    assert type(Named("gemini")) is Named
