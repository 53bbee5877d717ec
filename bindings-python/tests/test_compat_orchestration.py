"""The replaced orchestrator's interface, and what was wrong there and is right here."""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, ValidationError

from halfopen import ManualClock
from halfopen.compat import CircuitBreakerOpenError
from halfopen.compat.orchestration import (
    OrchestrationConfig,
    ProviderOrchestrator,
    ProviderPreference,
    ProviderSelection,
    ProviderSwitchEvent,
    SelectionStrategy,
    get_orchestrator,
)

IDS = ("gemini", "openai", "deepgram")
SESSION = UUID(int=7)


class Backend:
    """An orchestrator of three providers on a clock that stands still."""

    def __init__(self, strategy: str = "priority_list", **fields: object) -> None:
        preferences = [ProviderPreference(provider_id=name, priority=at) for at, name in enumerate(IDS, 1)]
        settings: dict[str, object] = {
            "strategy": strategy,
            "provider_preferences": preferences,
            "circuit_breaker_failure_threshold": 3,
            "circuit_breaker_timeout_seconds": 30,
            **fields,
        }
        self.clock = ManualClock()
        self.orchestrator = ProviderOrchestrator(OrchestrationConfig.model_validate(settings), clock=self.clock)

    def call(self, provider: str, func: Callable[[], object] = lambda: "answer") -> object:
        return asyncio.run(self.orchestrator.call_provider_with_breaker(provider, func))

    def fail(self, provider: str, times: int = 1) -> None:
        def unreachable() -> None:
            raise ConnectionError("unreachable")

        for _ in range(times):
            with pytest.raises(ConnectionError):
                self.call(provider, unreachable)

    def select(self, session: UUID | None = None, capabilities: list[str] | None = None) -> ProviderSelection:
        return asyncio.run(self.orchestrator.select_provider(session, capabilities))

    def failover(self, session: UUID = SESSION) -> ProviderSwitchEvent:
        return asyncio.run(self.orchestrator.perform_failover(session))

    def needs_failover(self, session: UUID = SESSION) -> bool:
        return asyncio.run(self.orchestrator.check_failover_needed(session))

    def state(self, provider: str) -> str:
        status = self.orchestrator.get_circuit_breaker_status(provider)
        assert status is not None
        return str(status["state"])


# The interface


def test_each_provider_has_a_breaker_with_the_five_settings() -> None:
    statuses = Backend().orchestrator.get_all_circuit_breaker_status()
    assert {name: status["name"] for name, status in statuses.items()} == {name: f"provider_{name}" for name in IDS}
    assert {status["provider_id"] for status in statuses.values()} == {*IDS}
    wanted = {"failure_threshold": 3, "success_threshold": 2, "timeout_seconds": 30.0, "half_open_max_calls": 3}
    assert all(status["config"] == wanted for status in statuses.values())


def test_a_configuration_is_a_model_with_the_old_defaults() -> None:
    assert OrchestrationConfig().model_dump() == {
        "strategy": SelectionStrategy.BEST_PERFORMANCE,
        "enable_auto_failover": True,
        "failover_threshold_consecutive_errors": 3,
        "enable_load_balancing": True,
        "health_check_required": True,
        "min_provider_health_score": 70.0,
        "provider_preferences": [],
        "enable_circuit_breaker": True,
        "circuit_breaker_failure_threshold": 5,
        "circuit_breaker_timeout_seconds": 60.0,
        "circuit_breaker_success_threshold": 2,
        "circuit_breaker_half_open_max_calls": 3,
    }
    assert issubclass(ProviderSelection, BaseModel)
    with pytest.raises(ValidationError, match="strategy"):
        OrchestrationConfig.model_validate({"strategy": "fastest"})
    with pytest.raises(ValidationError, match="min_provider_health_score"):
        OrchestrationConfig(min_provider_health_score=700)


def test_the_defaults_are_the_providers_of_the_replaced_module_and_one_orchestrator_serves_the_process() -> None:
    assert get_orchestrator() is get_orchestrator()
    assert [*get_orchestrator().get_all_circuit_breaker_status()] == ["deepgram", "openai", "deepgram_nova3", "gemini"]
    assert get_orchestrator().config.provider_preferences == []


def test_a_selection_is_remembered_with_the_others_as_fallback() -> None:
    backend = Backend()
    selection = backend.select(SESSION)
    assert (selection.provider_id, selection.provider_type) == ("gemini", "gemini")
    assert selection.fallback_providers == ["openai", "deepgram"]
    assert selection.reason == "Selected using priority_list strategy"
    assert 0.5 < selection.confidence <= 1
    assert selection.timestamp.utcoffset() is not None
    assert backend.orchestrator.get_session_provider(SESSION) == "gemini"
    assert backend.orchestrator.get_session_provider(uuid4()) is None
    assert backend.orchestrator.get_selection_history() == [selection]


def test_the_type_of_a_provider_is_declared_or_the_beginning_of_its_id() -> None:
    preferences = [
        {"provider_id": "deepgram_nova3", "priority": 1},
        {"provider_id": "own", "priority": 2, "provider_type": "llama"},
    ]
    backend = Backend(provider_preferences=preferences)
    assert backend.select().provider_type == "deepgram"
    asyncio.run(backend.orchestrator.force_open_circuit_breaker("deepgram_nova3"))
    assert backend.select().provider_type == "llama"


@pytest.mark.parametrize("strategy", [strategy.value for strategy in SelectionStrategy])
def test_every_strategy_uses_providers_that_are_enabled_and_closed(strategy: str) -> None:
    preferences = [
        ProviderPreference(provider_id=name, priority=at, enabled=name != "openai") for at, name in enumerate(IDS)
    ]
    backend = Backend(strategy, provider_preferences=preferences)
    asyncio.run(backend.orchestrator.force_open_circuit_breaker("gemini"))
    assert {backend.select().provider_id for _ in range(50)} == {"deepgram"}


def test_round_robin_takes_turns() -> None:
    backend = Backend("round_robin")
    turns = [backend.select().provider_id for _ in range(6)]
    assert turns[:3] == turns[3:]
    assert {*turns} == {*IDS}


def test_random_heeds_the_weights() -> None:
    preferences = [
        ProviderPreference(provider_id="often", priority=1, weight=0.9),
        ProviderPreference(provider_id="seldom", priority=2, weight=0.1),
        ProviderPreference(provider_id="never", priority=3, weight=0),
    ]
    backend = Backend("random", provider_preferences=preferences)
    chosen = [backend.select().provider_id for _ in range(2000)]
    assert chosen.count("never") == 0
    # Four standard deviations of a binomial distribution with 2,000 draws.
    assert abs(chosen.count("seldom") - 200) < 4 * (2000 * 0.1 * 0.9) ** 0.5


def test_required_capabilities_exclude_the_providers_that_declare_others() -> None:
    preferences = [
        ProviderPreference(provider_id="text", priority=1, capabilities=["text"]),
        ProviderPreference(provider_id="any", priority=2),
        ProviderPreference(provider_id="voice", priority=3, capabilities=["text", "voice"]),
    ]
    backend = Backend(provider_preferences=preferences)
    assert backend.select(None, ["text"]).provider_id == "text"
    selection = backend.select(None, ["voice"])
    assert [selection.provider_id, *selection.fallback_providers] == ["any", "voice"]


def test_a_failover_and_the_fallback_find_the_required_capabilities() -> None:
    preferences = [
        ProviderPreference(provider_id="gemini", priority=1, capabilities=["audio"]),
        ProviderPreference(provider_id="openai", priority=2, capabilities=["text"]),
        ProviderPreference(provider_id="deepgram", priority=3, capabilities=["audio"]),
    ]
    backend = Backend(provider_preferences=preferences)
    backend.fail("openai", 3)
    backend.clock.advance(1)
    assert backend.select(SESSION, ["audio"]).provider_id == "gemini"
    backend.fail("gemini", 3)
    assert backend.failover().to_provider == "deepgram"
    assert backend.select(capabilities=["text"]).provider_id == "openai"
    backend.clock.advance(1)
    backend.fail("deepgram", 3)
    fallback = backend.select(capabilities=["audio"])
    assert (fallback.provider_id, fallback.confidence) == ("gemini", 0)
    asyncio.run(backend.orchestrator.force_open_circuit_breaker("openai"))
    backend.clock.advance(29)
    assert backend.select(capabilities=["text"]).provider_id == "openai"


def test_calls_take_plain_and_coroutine_functions_with_any_arguments() -> None:
    async def add(func: int, provider: int = 0) -> int:
        await asyncio.sleep(0)
        return func + provider

    orchestrator = Backend().orchestrator
    assert asyncio.run(orchestrator.call_provider_with_breaker("gemini", add, 2, provider=3)) == 5
    assert asyncio.run(orchestrator.call_provider_with_breaker("gemini", len, "four")) == 4


def test_an_open_circuit_rejects_calls_and_the_operator_can_reset_it() -> None:
    backend = Backend()
    backend.fail("gemini", 3)
    with pytest.raises(CircuitBreakerOpenError, match="OPEN"):
        backend.call("gemini")
    assert asyncio.run(backend.orchestrator.reset_circuit_breaker("gemini")) is True
    assert backend.call("gemini") == "answer"
    assert asyncio.run(backend.orchestrator.reset_circuit_breaker("nobody")) is False
    assert asyncio.run(backend.orchestrator.force_open_circuit_breaker("nobody")) is False
    assert backend.orchestrator.get_circuit_breaker_status("nobody") is None


def test_sessions_can_be_cleaned_up() -> None:
    backend = Backend()
    backend.select(SESSION)
    backend.failover()
    asyncio.run(backend.orchestrator.cleanup_session(SESSION))
    asyncio.run(backend.orchestrator.cleanup_session(uuid4()))
    assert backend.orchestrator.get_session_provider(SESSION) is None
    assert len(backend.orchestrator.get_switch_history(SESSION)) == 1


# Defects of the replaced module


def test_records_are_counted() -> None:
    backend = Backend()
    backend.orchestrator.record_provider_success("gemini")
    for _ in range(3):
        backend.orchestrator.record_provider_failure("gemini", TimeoutError())
    status = backend.orchestrator.get_circuit_breaker_status("gemini")
    assert status is not None
    assert (status["metrics"]["successful_calls"], status["metrics"]["failed_calls"]) == (1, 3)
    assert status["state"] == "open"
    backend.orchestrator.record_provider_success("gemini")
    backend.orchestrator.record_provider_failure("a stranger", TimeoutError())
    assert backend.state("gemini") == "open"


def test_a_provider_whose_circuit_was_open_is_probed_and_used_again() -> None:
    backend = Backend()
    backend.fail("gemini", 3)
    assert backend.select().provider_id == "openai"
    backend.clock.advance(30)
    probe = backend.select()
    assert (probe.provider_id, probe.reason) == (
        "gemini",
        "Selected using priority_list strategy, as a probe of a provider that may have recovered",
    )
    backend.call("gemini")
    backend.call("gemini")
    assert backend.state("gemini") == "closed"
    backend.clock.advance(10)
    assert backend.select().reason == "Selected using priority_list strategy"


@pytest.mark.parametrize("strategy", [strategy.value for strategy in SelectionStrategy])
def test_a_session_that_probes_needs_no_failover_before_its_probe_has_failed(strategy: str) -> None:
    backend = Backend(strategy)
    backend.fail("gemini", 3)
    backend.clock.advance(30)
    assert backend.select(SESSION).provider_id == "gemini"
    assert not backend.needs_failover(), "nobody else would probe it"
    backend.fail("gemini")
    assert (backend.state("gemini"), backend.needs_failover()) == ("open", True)


def test_a_session_from_before_the_outage_is_no_probe() -> None:
    backend = Backend()
    assert backend.select(SESSION).provider_id == "gemini"
    backend.fail("gemini", 3)
    backend.clock.advance(30)
    assert (backend.state("gemini"), backend.needs_failover()) == ("half_open", True)


def test_no_more_sessions_than_slots_are_sent_to_a_provider_on_probation() -> None:
    backend = Backend()
    backend.fail("gemini", 3)
    backend.clock.advance(30)
    chosen = [backend.select().provider_id for _ in range(10)]
    assert chosen.count("gemini") == 3
    # None of them ever called. A later session probes.
    backend.clock.advance(30)
    assert backend.select().provider_id == "gemini"


def test_a_failover_selects_neither_the_provider_that_failed_nor_an_open_one() -> None:
    backend = Backend()
    assert backend.select(SESSION).provider_id == "gemini"
    backend.fail("openai", 3)
    event = backend.failover()
    assert (event.from_provider, event.to_provider, event.success) == ("gemini", "deepgram", True)
    assert event.reason == "Automatic failover due to provider health issues"
    assert backend.orchestrator.get_session_provider(SESSION) == "deepgram"
    assert backend.orchestrator.get_switch_history(SESSION) == [event]


def test_a_failover_without_another_provider_fails_and_leaves_the_session() -> None:
    backend = Backend()
    backend.select(SESSION)
    backend.fail("openai", 3)
    backend.fail("deepgram", 3)
    event = backend.failover()
    assert (event.success, event.to_provider, event.error_message) == (
        False,
        "unknown",
        "No other provider is available",
    )
    assert backend.orchestrator.get_session_provider(SESSION) == "gemini"


def test_with_every_circuit_open_the_one_that_is_back_first_is_the_fallback() -> None:
    backend = Backend()
    backend.fail("openai", 3)
    backend.clock.advance(5)
    backend.fail("gemini", 3)
    backend.fail("deepgram", 3)
    selection = backend.select()
    assert (selection.provider_id, selection.confidence) == ("openai", 0)
    assert selection.reason == "Fallback provider (no provider is available; this one may be back in 25 s)"
    with pytest.raises(CircuitBreakerOpenError):
        backend.call(selection.provider_id)


def test_the_fallback_takes_no_turn_of_another_provider() -> None:
    preferences = [ProviderPreference(provider_id=name, priority=1, capabilities=["audio"]) for name in IDS]
    backend = Backend("round_robin", provider_preferences=preferences)
    assert backend.select().provider_id == "gemini"
    assert backend.select(capabilities=["telepathy"]).confidence == 0
    assert backend.select().provider_id == "openai"


def test_without_breakers_a_streak_is_counted_and_with_them_it_is_theirs() -> None:
    counted = Backend(enable_circuit_breaker=False, failover_threshold_consecutive_errors=2)
    counted.select(SESSION)
    counted.fail("gemini", 2)
    assert counted.needs_failover()
    counted.orchestrator.record_provider_success("gemini")
    assert not counted.needs_failover()
    backend = Backend(failover_threshold_consecutive_errors=2)
    backend.select(SESSION)
    backend.fail("gemini", 2)
    assert backend.needs_failover()
    asyncio.run(backend.orchestrator.reset_circuit_breaker("gemini"))
    assert not backend.needs_failover(), "an operator's reset begins a new streak"


def test_an_open_circuit_and_a_streak_of_failures_need_a_failover() -> None:
    backend = Backend(circuit_breaker_failure_threshold=5, failover_threshold_consecutive_errors=2)
    assert not backend.needs_failover()
    backend.select(SESSION)
    assert not backend.needs_failover()
    backend.fail("gemini")
    assert not backend.needs_failover()
    backend.fail("gemini")
    assert backend.needs_failover()
    backend.call("gemini")
    assert not backend.needs_failover()
    asyncio.run(backend.orchestrator.force_open_circuit_breaker("gemini"))
    assert backend.needs_failover()
    backend.orchestrator.config.enable_auto_failover = False
    assert not backend.needs_failover()


def test_health_comes_from_real_calls() -> None:
    backend = Backend()
    for _ in range(4):
        backend.fail("gemini")
        backend.call("gemini")
    # 50 % are below the score that is asked for, so it is used last.
    selection = backend.select()
    assert [selection.provider_id, *selection.fallback_providers] == ["openai", "deepgram", "gemini"]
    for name in ("openai", "deepgram"):
        asyncio.run(backend.orchestrator.force_open_circuit_breaker(name))
    selection = backend.select()
    assert selection.provider_id == "gemini"
    assert selection.confidence == pytest.approx(0.65, abs=0.02)
    assert Backend(health_check_required=False).select().provider_id == "gemini"


def test_the_fastest_provider_is_the_one_whose_calls_were_fast() -> None:
    backend = Backend("best_performance")

    async def answer(seconds: float) -> None:
        backend.clock.advance(seconds)

    for name, seconds in (("gemini", 2.0), ("openai", 0.1), ("deepgram", 1.0)):
        for _ in range(5):
            asyncio.run(backend.orchestrator.call_provider_with_breaker(name, answer, seconds))
    chosen = [backend.select().provider_id for _ in range(20)]
    assert {*chosen} == {"openai"}


def test_histories_and_sessions_are_bounded() -> None:
    backend = Backend()
    for _ in range(1100):
        backend.select()
    assert len(backend.orchestrator.get_selection_history()) == 1000
    assert len(backend.orchestrator.get_selection_history(5)) == 5
    for _ in range(150):
        backend.failover()
    assert len(backend.orchestrator.get_switch_history(SESSION)) == 100
    for number in range(10_001):
        backend.select(UUID(int=number + 100))
    assert backend.orchestrator.get_session_provider(UUID(int=100)) is None
    assert backend.orchestrator.get_session_provider(UUID(int=10_100)) == "gemini"


def test_without_circuit_breakers_calls_go_straight_through() -> None:
    backend = Backend(enable_circuit_breaker=False)
    backend.select(SESSION)
    backend.fail("gemini", 10)
    assert backend.call("gemini") == "answer"
    assert backend.orchestrator.get_all_circuit_breaker_status() == {}
    assert backend.orchestrator.get_circuit_breaker_status("gemini") is None
    backend.fail("gemini", 3)
    assert backend.needs_failover()
    assert backend.failover().to_provider == "openai"


def test_a_failure_is_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    Backend().orchestrator.record_provider_failure("gemini", ValueError("a secret"))
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text
