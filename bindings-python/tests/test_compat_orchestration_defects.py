"""Defects of the replaced orchestrator, which `halfopen.compat.orchestration` does not have."""

import asyncio
from uuid import UUID

import pytest

from compat_backend import IDS, SESSION, Backend
from halfopen.compat import CircuitBreakerOpenError
from halfopen.compat.orchestration import ProviderPreference, SelectionStrategy


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
