"""Settings and providers: what is not allowed, or could do nothing, is refused by name."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from inspect import signature
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig, InvalidValueError, ManualClock
from halfopen.orchestration import Break, Need, Orchestrator, Provider, Resume, Settings
from halfopen.orchestration._records import Options
from orchestrated import Script, in_flight, pair


async def check(_: Provider) -> None:
    """A background check."""


def generator(*_: object) -> Iterator[None]:
    yield


async def async_generator(*_: object) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"strategy": "best"}, "strategy"),
        ({"on_exhausted": "retry"}, "on_exhausted"),
        ({"min_health": 1.5}, "min_health"),
        ({"slow_start_seconds": -1}, "slow_start_seconds"),
        ({"strict_pin": "yes"}, "strict_pin"),
        ({"deadline_seconds": 0}, "deadline_seconds"),
        ({"attempt_timeout_seconds": "soon"}, "attempt_timeout_seconds"),
        ({"attempt_timeout_seconds": 60}, "attempt_timeout_seconds"),
        ({"first_item_timeout_seconds": 60}, "first_item_timeout_seconds"),
        ({"idle_timeout_seconds": 0}, "idle_timeout_seconds"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_attempts": True}, "max_attempts"),
        ({"same_provider_retries": -1}, "same_provider_retries"),
        ({"same_provider_retries": 3}, "same_provider_retries"),
        ({"retry_delay_seconds": 1}, "retry_delay_seconds"),
        ({"hedge_after_seconds": 30}, "hedge_after_seconds"),
        ({"hedge_after_seconds": 1, "max_attempts": 1}, "hedge_after_seconds"),
        ({"hedge_percentile": 49}, "hedge_percentile"),
        ({"hedge_percentile": 100}, "hedge_percentile"),
        ({"hedge_percentile": 99.9}, "hedge_percentile"),
        ({"hedge_percentile": 95, "max_attempts": 1}, "hedge_percentile"),
        ({"hedge_percentile": 95, "attempt_timeout_seconds": 0.1}, "hedge_percentile"),
        ({"hedge_percentile": 95, "hedge_after_seconds": 30}, "hedge_after_seconds"),
        ({"hold_seconds": 3}, "hold_seconds"),
        ({"return_to_primary": "always"}, "return_to_primary"),
        ({"check_interval_seconds": 3}, "check_interval_seconds"),
        ({"check": "ping"}, "check"),
        ({"check": generator}, "check"),
        ({"check": async_generator}, "check"),
        ({"check": lambda: check}, "check"),
        ({"on_switch": 1}, "on_switch"),
        ({"on_switch": check}, "on_switch"),
        ({"on_switch": generator}, "on_switch"),
        ({"on_switch": async_generator}, "on_switch"),
        ({"on_break": "continue"}, "on_break"),
        ({"on_break": None}, "on_break"),
        ({"on_break": check}, "on_break"),
        ({"on_break": generator}, "on_break"),
        ({"on_break": async_generator}, "on_break"),
        ({"on_break": lambda: None}, "on_break"),
        ({"strategy": None}, "strategy"),
        ({"slow_start_seconds": None}, "slow_start_seconds"),
        ({"session_lifetime_seconds": None}, "session_lifetime_seconds"),
        ({"is_content": 1}, "is_content"),
        ({"next_after": check}, "next_after"),
        ({"next_after": ValueError}, "next_after"),
        ({"is_too_large": ValueError}, "is_too_large"),
        ({"is_tool_call": Break}, "is_tool_call"),
        ({"on_break": Resume}, "on_break"),
        ({"on_exhausted": "last_resort"}, "on_exhausted"),
        ({"max_sessions": 0}, "max_sessions"),
        ({"kept_events": 0}, "kept_events"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value),
)
def test_a_setting_is_refused_by_name(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        pair(**settings)
    assert caught.value.field == field
    assert caught.value.code == "INVALID_VALUE"


@pytest.mark.parametrize(
    ("kind", "given", "allowed"),
    [
        (Settings, {"deadline_seconds": -1}, "above 0"),
        (Settings, {"session_lifetime_seconds": None}, "leave it out"),
        (Settings, {"max_attempts": 0}, "at least 1"),
        (Settings, {"same_provider_retries": -1}, "at least 0"),
        (Settings, {"kept_items": 0}, "at least 1"),
        (Settings, {"min_health": 1.5}, "from 0 to 1"),
        (Settings, {"strategy": "best"}, "priority_list"),
        (Settings, {"on_exhausted": "retry"}, "last_resort"),
        (Settings, {"return_to_primary": "always"}, "between_turns"),
        (Settings, {"strict_pin": "yes"}, "true or false"),
        (Settings, {"hedge_percentile": 100}, "from 50 to 99"),
        (Settings, {"on_break": "continue"}, "restart"),
        (Settings, {"check": generator}, "a coroutine function"),
        (Provider, {"tier": -1}, "from 0"),
        (Provider, {"tier": None}, "leave it out"),
        (Provider, {"weight": 1.5}, "from 0"),
        (Provider, {"enabled": "yes"}, "true or false"),
        (Provider, {"limit": -1}, "at least 0"),
        (Provider, {"model": 5}, "text"),
        (Provider, {"last_resort": 1}, "true or false"),
        (Provider, {"capabilities": "chat"}, "a collection of texts"),
        (Provider, {"max_concurrent_calls": 2**32}, "4294967295"),
    ],
)
def test_a_value_out_of_range_is_refused_where_it_is_given(kind: Any, given: dict[str, Any], allowed: str) -> None:
    ((field, value),) = given.items()
    with pytest.raises(InvalidValueError) as refused:
        kind(**({"id": "a"} if kind is Provider else {}), **given)
    assert refused.value.field == field
    assert repr(value).strip("[]'") in refused.value.value.strip('"')
    assert allowed in refused.value.allowed


class Host:
    async def check(self, _: Provider) -> None:
        """A background check."""

    async def on_switch(self, old: Provider, new: Provider, unfinished_input: object) -> None:
        """A callback."""

    def on_break(self, _: Break) -> Resume | None:
        return None


def test_functions_of_every_fitting_kind_are_accepted() -> None:
    host = Host()
    pair(check=host.check, on_switch=host.on_switch, on_break=host.on_break)
    pair(check=AsyncMock(), on_switch=AsyncMock(), on_break=Mock())
    pair(check=partial(Host.check, host), on_switch=print, on_break=partial(Host.on_break, host))


@pytest.mark.parametrize(
    "on_break", ["continue", 5, check, generator, async_generator, lambda: None, lambda _one, _two: None], ids=repr
)
def test_a_stream_refuses_what_settings_refuse(on_break: Any) -> None:
    orchestrator = pair()
    with pytest.raises(InvalidValueError) as caught:
        orchestrator.stream(async_generator, on_break=on_break)
    assert caught.value.field == "on_break"


@pytest.mark.parametrize(
    ("providers", "field"),
    [
        (list, "providers"),
        (lambda: [Provider("a"), Provider("a")], "id"),
        (lambda: [Provider("")], "id"),
        (lambda: [Provider("a", weight=-1)], "weight"),
        (lambda: [Provider("a", tier=1.5)], "tier"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: [Provider("a", limit=-1)], "limit"),
        (lambda: [Provider("a", max_concurrent_calls=0)], "max_concurrent_calls"),
        (lambda: [Provider("a", max_concurrent_calls="3")], "max_concurrent_calls"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: [Provider("a", capabilities="tools")], "capabilities"),
        (lambda: [Provider("a", capabilities=5)], "capabilities"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: ["a"], "providers"),  # pyright: ignore[reportArgumentType]
        (lambda: None, "providers"),  # pyright: ignore[reportArgumentType]
        (lambda: [Provider("a", breaker="a")], "breaker"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: [Provider("a", last_resort=True), Provider("b")], "last_resort"),
        (lambda: [Provider("a", CircuitBreaker("a", clock=ManualClock()))], "breaker"),
    ],
)
def test_a_provider_is_refused_by_name(providers: Callable[[], list[Provider]], field: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Orchestrator(providers())
    assert caught.value.field == field


@pytest.mark.parametrize("settings", [{"hedge_after_seconds": 1}, {"hedge_percentile": 95}], ids=repr)
def test_a_hedge_needs_another_provider(settings: dict[str, Any]) -> None:
    (field,) = settings
    with pytest.raises(InvalidValueError, match=field):
        Orchestrator([Provider("a")], **settings)


def test_settings_are_fields_or_an_object() -> None:
    settings = Settings(strategy="random", max_attempts=2)
    orchestrator = Orchestrator([Provider("a")], settings, max_attempts=4)
    assert (orchestrator.settings.strategy, orchestrator.settings.max_attempts) == ("random", 4)
    for wrong in (3, "random", {"strategy": "random"}, Settings):
        with pytest.raises(InvalidValueError, match=r"settings = .* is refused: allowed is Settings or None"):
            Orchestrator([Provider("a")], wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_an_unknown_field_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidValueError, match=r"stratgy = 'random' is refused: allowed is one of: strategy, on_exh"):
        Orchestrator([Provider("a")], stratgy="random")
    orchestrator = Orchestrator([Provider("a")])
    with pytest.raises(InvalidValueError, match=r"teir = 1 is refused: allowed is one of: tier, weight, ") as refused:
        orchestrator.update("a", teir=1)
    assert not {"id", "breaker"} & set(refused.value.allowed.split(", "))


async def test_a_provider_is_drained_and_comes_back() -> None:
    orchestrator, script = pair(), Script()
    assert orchestrator.update("a", weight=0).weight == 0
    assert await orchestrator.call(script) == "b"
    orchestrator.update("a", weight=1)
    assert await orchestrator.call(script) == "a"
    for field in ("id", "model", "last_resort"):
        with pytest.raises(InvalidValueError, match=field):
            orchestrator.update("a", **{field: "other"})
    with pytest.raises(InvalidValueError, match="provider"):
        orchestrator.update("c", weight=0)
    with pytest.raises(InvalidValueError, match="weight"):
        orchestrator.update("a", weight=-1)
    assert orchestrator.providers[0].weight == 1


async def test_a_function_of_another_kind_is_refused_and_counts_nothing() -> None:
    orchestrator = pair()

    def plain(provider: Provider) -> str:
        return provider.id

    async def stream(provider: Provider) -> Any:
        yield provider.id

    for function, allowed in ((plain, "awaitable"), (stream, "stream")):
        wrong: Any = function
        with pytest.raises(InvalidValueError, match=allowed):
            await orchestrator.call(wrong)
    with pytest.raises(TypeError, match="argument"):
        await orchestrator.call(check, "too many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert orchestrator.breaker("a").metrics.cancelled_calls == 3
    assert in_flight(orchestrator) == 0


@pytest.mark.parametrize("method", ["call", "call_with_report", "stream"])
def test_an_option_of_a_call_that_does_not_exist_is_refused_by_the_method(method: str) -> None:
    with pytest.raises(TypeError, match=rf"Orchestrator\.{method}\(\) got an unexpected keyword argument 'sesion'"):
        getattr(pair(), method)(check, sesion="a")


@pytest.mark.parametrize("method", ["call", "call_with_report", "stream"])
def test_help_shows_the_options_of_a_call(method: str) -> None:
    shown = signature(getattr(Orchestrator, method)).parameters
    options = signature(Options).parameters
    assert {name: shown[name].default for name in options} == {name: it.default for name, it in options.items()}


@pytest.mark.parametrize("capabilities", ["tools", [1], 3])
def test_a_need_takes_texts(capabilities: Any) -> None:
    with pytest.raises(InvalidValueError, match="capabilities"):
        Need(capabilities)


def test_a_need_is_a_value() -> None:
    assert Need({"b", "a"}, size=3) == Need(["a", "b", "a"], size=3)
    assert hash(Need(["a"])) == hash(Need(["a"])) != hash(Need())
    assert (Need(["b", "a"]).capabilities, Need(size=3).size) == (["a", "b"], 3)
    with pytest.raises(InvalidValueError, match="size"):
        Need(size=-1)


def test_a_breaker_of_ones_own_is_used() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(name="mine"))
    assert Orchestrator([Provider("a", breaker)]).breaker("a") is breaker
