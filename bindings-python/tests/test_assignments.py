"""An assignment that would have no effect raises an error that says what to call."""

import inspect
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import httpx
import httpx2
import pytest
import requests

from counting import lived
from halfopen import CircuitBreaker, CircuitBreakerConfig, InvalidValueError, ManualClock, Registry
from halfopen.aiohttp import CircuitBreakerMiddleware
from halfopen.classify import every_exception_is_a_failure
from halfopen.httpx import BreakerPerHost, BreakerPerKey, guarded_async_transport, guarded_transport
from halfopen.orchestration import Break, Need, Orchestrator, Provider, Settings
from halfopen.recording import Recorder
from halfopen.requests import CircuitBreakerAdapter

FIELDS = list(CircuitBreakerConfig().model_dump())


def parameters(of: Callable[..., Any]) -> list[str]:
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [name for name, it in inspect.signature(of).parameters.items() if it.kind in named]


def per_key() -> BreakerPerKey[Any]:
    return BreakerPerKey(Registry(1), CircuitBreakerConfig(), repr)


MAKERS: dict[str, Callable[[], Any]] = {
    "breaker": CircuitBreaker,
    "registry": lambda: Registry(1),
    "session": lambda: CircuitBreaker().session(),
    "config": CircuitBreakerConfig,
    "permit": lambda: CircuitBreaker().acquire(),
    "metrics": lambda: CircuitBreaker().metrics,
    "durations": lambda: CircuitBreaker().durations()["success"],
    "clock": ManualClock,
    "provider": lambda: Provider("a"),
    "settings": Settings,
    "need": Need,
    "break": lambda: Break("a", ValueError(), [], ()),
    "provider status": lambda: Orchestrator([Provider("a")]).status()[0],
    "orchestrator": lambda: Orchestrator([Provider("a")]),
    "recorder": Recorder,
    "per host": lambda: BreakerPerHost(Registry(1), CircuitBreakerConfig()),
    "per key": per_key,
    "aiohttp": lambda: CircuitBreakerMiddleware(CircuitBreaker()),
    "httpx": lambda: guarded_transport(httpx.HTTPTransport(), CircuitBreaker()),
    "httpx2": lambda: guarded_transport(httpx2.HTTPTransport(), CircuitBreaker()),
    "httpx2 async": lambda: guarded_async_transport(httpx2.AsyncHTTPTransport(), CircuitBreaker()),
    "requests": lambda: CircuitBreakerAdapter(requests.adapters.HTTPAdapter(), CircuitBreaker()),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("attribute", ["max_breakers", "failure_treshold", "classify"])
def test_no_object_of_ours_takes_an_attribute_that_it_does_not_have(name: str, attribute: str) -> None:
    made = MAKERS[name]()
    with pytest.raises(AttributeError, match=attribute):
        setattr(made, attribute, 3)
    assert getattr(made, attribute, None) != 3


@pytest.mark.parametrize("field", [field for field in FIELDS if field != "name"])
def test_a_setting_is_changed_by_reconfigure(field: str) -> None:
    breaker = CircuitBreaker()
    with pytest.raises(AttributeError, match=rf"reconfigure\(breaker\.config\.model_copy.*'{field}': …") as refused:
        setattr(breaker, field, 3)
    assert (refused.value.name, refused.value.obj) == (field, breaker)


def test_the_remedy_in_the_error_works() -> None:
    breaker = CircuitBreaker()
    with pytest.raises(AttributeError) as refused:
        breaker.failure_threshold = 3  # type: ignore[attr-defined]
    remedy = str(refused.value).partition("call ")[2].replace("…", "3")
    eval("breaker." + remedy, {"breaker": breaker})
    assert breaker.config.failure_threshold == 3


@pytest.mark.parametrize("argument", set(parameters(CircuitBreaker)) - {"config"})
def test_each_argument_of_a_breaker_is_one_of_its_construction(argument: str) -> None:
    with pytest.raises(AttributeError, match="make another CircuitBreaker"):
        setattr(CircuitBreaker(), argument, every_exception_is_a_failure)


@pytest.mark.parametrize("argument", parameters(Registry))
def test_each_argument_of_a_registry_is_one_of_its_construction(argument: str) -> None:
    with pytest.raises(AttributeError, match=r"make another Registry|set_bound\(bound\)"):
        setattr(Registry(1), argument, 3)


@pytest.mark.parametrize("argument", [*parameters(Orchestrator), *parameters(Settings)])
def test_each_argument_of_an_orchestrator_is_one_of_its_construction(argument: str) -> None:
    orchestrator = Orchestrator([Provider("a")])
    with pytest.raises(AttributeError, match=r"make another Orchestrator|update\(provider, …\)"):
        setattr(orchestrator, argument, 3)
    assert orchestrator.settings == Settings()


@pytest.mark.parametrize("argument", parameters(Settings))
def test_settings_are_those_of_another_orchestrator(argument: str) -> None:
    with pytest.raises(FrozenInstanceError, match=f"make another Orchestrator, with another {argument}$"):
        setattr(Settings(), argument, 3)


@pytest.mark.parametrize("argument", parameters(Provider))
def test_a_provider_is_changed_by_its_orchestrator(argument: str) -> None:
    with pytest.raises(FrozenInstanceError, match=rf"call update\(provider, {argument}=…\) of the orch"):
        setattr(Provider("a"), argument, 3)


class OwnProvider(Provider):
    """With an attribute of its own."""


def test_a_subclass_of_a_provider_is_as_frozen_and_may_have_attributes_of_its_own() -> None:
    own: Any = OwnProvider("a")
    own.tag = 5
    assert own.tag == 5
    with pytest.raises(FrozenInstanceError, match="update"):
        own.weight = 0


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("per host", "registry"),
        ("per host", "config"),
        ("per key", "key"),
        *((client, "breaker") for client in ("aiohttp", "httpx", "httpx2", "httpx2 async", "requests")),
        *((client, "inner") for client in ("httpx", "httpx2", "httpx2 async", "requests")),
        ("recorder", "bound"),
    ],
)
def test_each_argument_of_a_guard_is_one_of_its_construction(name: str, argument: str) -> None:
    with pytest.raises(AttributeError, match="make another"):
        setattr(MAKERS[name](), argument, 3)


def test_the_end_of_a_session_is_reported() -> None:
    with pytest.raises(AttributeError, match=r"healthy\(\)"):
        CircuitBreaker().session().is_healthy = True  # type: ignore[misc]


def test_methods_can_be_patched_in_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    breaker, registry = CircuitBreaker(), Registry(1)
    monkeypatch.setattr(breaker, "get_status", dict)
    monkeypatch.setattr(registry, "breakers", list)
    assert not breaker.get_status()
    assert not registry.breakers()
    monkeypatch.undo()
    assert breaker.get_status()["state"] == "closed"


class Own(CircuitBreaker):
    """With attributes that its class declares, and with others."""

    count: int
    window = "weekly"

    def __init__(self, name: str, failure_threshold: int = 5) -> None:
        super().__init__(name, failure_threshold=failure_threshold)
        self.tag = name.upper()
        self.count = 0
        self.window = "daily"


class OwnRegistry(Registry):
    def __init__(self) -> None:
        super().__init__(3)
        self.max_breakers = 3


def test_a_subclass_may_have_attributes_of_its_own() -> None:
    own: Any = Own("gemini", failure_threshold=2)
    assert (own.tag, own.count, own.window, own.config.failure_threshold) == ("GEMINI", 0, "daily", 2)
    own.seen = True
    assert own.seen
    assert OwnRegistry().max_breakers == 3


@pytest.mark.parametrize("attribute", ["failure_threshold", "classify", "name", "state", "config"])
def test_a_subclass_does_not_take_a_setting_in_silence(attribute: str) -> None:
    with pytest.raises(AttributeError, match=f"{attribute} cannot be assigned"):
        setattr(Own("gemini"), attribute, 3)
    own: Any = OwnRegistry()
    with pytest.raises(AttributeError, match="set_bound"):
        own.bound = 5


def test_arguments_that_are_refused_at_construction_still_are() -> None:
    with pytest.raises(InvalidValueError):
        Own("gemini", failure_threshold=0)


@pytest.mark.parametrize(
    ("attribute", "says"),
    [
        ("config", r"reconfigure\(config\)"),
        ("state", r"reset\(\), force_open\(\) or disable\(\)"),
        ("provider_id", "another CircuitBreaker"),
        ("name", "another CircuitBreaker"),
        ("metrics", "reads the counters"),
        ("mode", r"reset\(\), force_open\(\) or disable\(\)"),
        ("missed_events", "it counts by itself"),
    ],
)
def test_assigning_a_read_only_attribute_names_the_method_to_call(attribute: str, says: str) -> None:
    breaker = lived()
    before = breaker.get_status()
    with pytest.raises(AttributeError, match=says):
        setattr(breaker, attribute, getattr(CircuitBreaker(), attribute))
    assert breaker.get_status() == before


def test_assigning_to_a_configuration_or_a_permit_names_the_method_to_call() -> None:
    config: Any = CircuitBreakerConfig()
    with pytest.raises(AttributeError, match=r"model_copy\(update={'timeout_seconds': …}\).*reconfigure\(\)"):
        config.timeout_seconds = 5
    with pytest.raises(AttributeError, match="has no field 'timeout'"):
        config.timeout = 5
    with pytest.raises(AttributeError, match="never changes"):
        del config.timeout_seconds
    permit: Any = CircuitBreaker().acquire()
    for attribute in ("settled", "outcome"):
        with pytest.raises(AttributeError, match=rf"'{attribute}' cannot be set; success\(\), failure\(\)"):
            setattr(permit, attribute, True)
    assert not permit.settled
    clock: Any = ManualClock()
    with pytest.raises(AttributeError, match="seconds"):
        clock.seconds = 5
    reading: Any = lived().metrics
    with pytest.raises(AttributeError):
        reading.total_calls = 5
    with pytest.raises(AttributeError):
        lived().events()[0].cause = "forced"  # type: ignore[misc]
