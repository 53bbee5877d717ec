"""The registry: one breaker for each name, a bound, and no removal of breakers in use."""

import copy
import gc
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from halfopen import (
    CircuitBreaker,
    CircuitBreakerConfig,
    HalfopenError,
    InvalidValueError,
    ManualClock,
    NameConflictError,
    Registry,
    RegistryFullError,
)


def config(name: str, **fields: Any) -> CircuitBreakerConfig:
    return CircuitBreakerConfig(name=name, **{"failure_threshold": 1, "success_threshold": 1, **fields})


def fails(breaker: CircuitBreaker) -> None:
    breaker.acquire().failure()


def test_a_name_has_one_breaker_with_one_configuration_for_one_provider() -> None:
    registry = Registry(2)
    first = registry.get_or_create(config("a"), "google")
    assert registry.get_or_create(config("a"), "google") is first is registry.get("a")
    other_config, message = config("a", failure_threshold=2), "a circuit named 'a' exists with another configuration"
    for other, field in (((other_config, "google"), "failure_threshold"), ((config("a"), "openai"), "provider_id")):
        with pytest.raises(NameConflictError, match=f"{message}: {field} differs") as caught:
            registry.get_or_create(*other)
        assert (caught.value.code, caught.value.circuit_name, caught.value.field) == ("NAME_CONFLICT", "a", field)
    first.reconfigure(config("a", failure_threshold=2))
    assert registry.get_or_create(config("a", failure_threshold=2), "google") is first
    assert registry.get("b") is None


def test_a_full_registry_removes_unused_breakers_only() -> None:
    registry = Registry(2)
    held = registry.get_or_create(config("held"))
    fails(registry.get_or_create(config("open")))
    with pytest.raises(RegistryFullError, match="the registry is full: each of its 2 circuits is in use;") as caught:
        registry.get_or_create(config("one too many"))
    assert (caught.value.code, caught.value.bound) == ("REGISTRY_FULL", 2)
    assert registry.get_or_create(config("held")) is held

    del held
    assert registry.get_or_create(config("now there is room")).name == "now there is room"
    assert [breaker.name for breaker in registry.breakers()] == ["now there is room", "open"]
    assert registry.remove_unused() == 1
    removed = registry.remove("open")
    assert removed is not None
    assert removed.state == "open"
    assert (registry.remove("open"), len(registry)) == (None, 0)


@pytest.mark.parametrize(
    ("fields", "happen"),
    [
        ({"failure_threshold": 5}, fails),
        ({}, lambda breaker: breaker.disable()),
        ({}, lambda breaker: breaker.subscribe(print)),
        ({"failure_threshold": None, "failure_rate_threshold": 0.9}, fails),
    ],
)
def test_a_breaker_with_evidence_is_kept(fields: dict[str, Any], happen: Callable[[CircuitBreaker], object]) -> None:
    registry = Registry(1)
    happen(registry.get_or_create(config("a", **fields)))
    assert registry.remove_unused() == 0


def test_openings_are_forgotten_in_time() -> None:
    clock = ManualClock()
    registry = Registry(1, clock=clock)
    breaker = registry.get_or_create(config("a"))
    fails(breaker)
    clock.advance(60)
    breaker.acquire().success()
    assert breaker.state == "closed"
    del breaker
    assert registry.remove_unused() == 0
    clock.advance(60)
    assert registry.remove_unused() == 1


def test_a_permit_and_a_guarded_function_hold_their_breaker() -> None:
    registry = Registry(2)
    permit = registry.get_or_create(config("a")).acquire()
    guarded = registry.get_or_create(config("b"))(str.upper)
    assert registry.remove_unused() == 0
    permit.success()
    del permit, guarded
    gc.collect()
    assert registry.remove_unused() == 2


def test_its_breakers_have_its_classifier() -> None:
    breaker = Registry(1, classify=lambda _: "ignored").get_or_create(config("a"))
    with pytest.raises(ZeroDivisionError):
        breaker.call_sync(lambda: 1 / 0)
    assert breaker.metrics.ignored_calls == 1


@pytest.mark.parametrize("bound", [0, -1, 1.5, True, "1", None, float("nan")])
def test_a_bad_bound_is_refused_by_name(bound: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Registry(bound)
    assert (caught.value.field, caught.value.allowed) == ("bound", "a whole number, at least 1")


@pytest.mark.parametrize("error", [NameConflictError("a", "window"), RegistryFullError(3)])
def test_its_errors_can_be_pickled_and_copied(error: HalfopenError) -> None:
    error.add_note("in the nightly job")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize("bound", [0, -1, 1.5, True, "1", None, float("nan")])
def test_a_bad_later_bound_is_refused_and_changes_nothing(bound: Any) -> None:
    registry = Registry(2)
    with pytest.raises(InvalidValueError) as caught:
        registry.set_bound(bound)
    assert (caught.value.field, registry.bound) == ("bound", 2)


def test_a_lower_bound_removes_what_is_unused() -> None:
    registry = Registry(3)
    held = registry.get_or_create(config("held"))
    fails(registry.get_or_create(config("open")))
    registry.get_or_create(config("unused"))
    registry.set_bound(1)
    assert [breaker.name for breaker in registry.breakers()] == ["held", "open"]
    with pytest.raises(RegistryFullError):
        registry.get_or_create(config("one too many"))
    del held
    registry.set_bound(2)
    assert registry.get_or_create(config("now there is room"))


def test_a_bound_is_not_assigned() -> None:
    registry = Registry(3)
    with pytest.raises(AttributeError, match="set_bound"):
        registry.bound = 5  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    assert registry.bound == 3


def test_threads_that_ask_for_one_name_get_one_breaker() -> None:
    registry, start = Registry(1), threading.Barrier(16)
    got: list[CircuitBreaker] = []

    def ask() -> None:
        start.wait()
        for _ in range(100):
            registry.remove_unused()
            got.append(registry.get_or_create(config("one")))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1600
    assert len({id(breaker) for breaker in got}) == 1
