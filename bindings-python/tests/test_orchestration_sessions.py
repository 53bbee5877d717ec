"""Sessions: pins, switches, and the return to the primary."""

import asyncio
from typing import Any

import pytest

from halfopen import ManualClock
from halfopen.orchestration import AllProvidersFailed, Orchestrator, Provider, Session, Switch
from orchestrated import HttpError, Script, always, config, in_flight, pair, providers


class Switches:
    """Takes the calls of ``on_switch``."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Any]] = []

    async def __call__(self, old: Provider, new: Provider, unfinished_input: Any) -> None:
        await asyncio.sleep(0)
        self.seen.append((old.id, new.id, unfinished_input))


async def test_a_session_stays_with_the_provider_that_answered_first() -> None:
    orchestrator, script = Orchestrator(providers("a", "b"), strategy="random"), Script()
    answers = {await orchestrator.call(script, session="s") for _ in range(50)}
    assert len(answers) == 1
    assert orchestrator.session("s").provider in answers


async def test_a_failure_moves_the_session_and_hands_over_unfinished_input() -> None:
    clock, switches = ManualClock(), Switches()
    orchestrator, script = pair(clock, on_switch=switches, strict_pin=True), Script(a=["first", HttpError(503)])
    session = orchestrator.session("s")
    assert await orchestrator.call(script, session=session) == "first"
    session.unfinished_input = b"audio"
    assert await orchestrator.call(script, session=session) == "b"
    assert switches.seen == [("a", "b", b"audio")]
    assert session.provider == "b"
    clock.advance(3600 - 1)
    assert await orchestrator.call(script, session="s") == "b"
    assert [(event.old, event.new, event.cause) for event in orchestrator.events(Switch)] == [("a", "b", "failure")]


async def test_other_sessions_have_their_own_pins() -> None:
    orchestrator, script = pair(strict_pin=True), Script(a=["a", HttpError(429, retry_after=60)])
    await orchestrator.call(script, session="one")
    assert await orchestrator.call(script, session="two") == "b"
    assert {session.id: session.provider for session in orchestrator.sessions()} == {"one": "a", "two": "b"}


async def test_the_pin_is_applied_after_the_exclusions() -> None:
    orchestrator, script = pair(), Script(a=["a", HttpError(500)])
    await orchestrator.call(script, session="s")
    assert await orchestrator.call(script, session="s") == "b"
    assert script.asked == ["a", "a", "b"]


async def test_a_full_provider_keeps_its_sessions() -> None:
    orchestrator = Orchestrator(providers("a", "b", max_concurrent_calls=1))
    gate = asyncio.Event()

    async def slow(provider: Provider) -> str:
        await gate.wait()
        return provider.id

    script = Script()
    assert await orchestrator.call(script, session="s") == "a"
    busy = asyncio.ensure_future(orchestrator.call(slow))
    await asyncio.sleep(0)
    assert await orchestrator.call(script, session="s") == "b"
    gate.set()
    await busy
    assert await orchestrator.call(script, session="s") == "a"


async def test_a_session_pinned_to_the_backup_probes_the_primary_and_stays_pinned_by_default() -> None:
    clock, switches = ManualClock(), Switches()
    orchestrator, script = pair(clock, on_switch=switches), Script(a=["a", HttpError(503)])
    for expected in ("a", "b", "b"):
        assert await orchestrator.call(script, session="s") == expected
    clock.advance(30)
    assert await orchestrator.call(script, session="s") == "a", "the probe"
    assert orchestrator.breaker("a").state == "closed"
    assert await orchestrator.call(script, session="s") == "b"
    assert [(old, new) for old, new, _ in switches.seen] == [("a", "b"), ("b", "a"), ("a", "b")]


async def test_a_session_returns_between_turns_after_the_hold() -> None:
    clock = ManualClock()
    orchestrator = pair(clock, return_to_primary="between_turns", hold_seconds=100, strict_pin=True)
    script = Script(a=["a", HttpError(503)])
    for expected in ("a", "b"):
        assert await orchestrator.call(script, session="s") == expected
    clock.advance(40)
    assert await orchestrator.call(script) == "a", "somebody else's probe closes the circuit"
    clock.advance(59)
    assert await orchestrator.call(script, session="s") == "b"
    clock.advance(1)
    assert await orchestrator.call(script, session="s") == "a"
    assert orchestrator.session("s").provider == "a"
    assert [event.cause for event in orchestrator.events(Switch) if event.session] == ["failure", "return_to_primary"]


async def test_an_error_of_on_switch_is_the_callers_and_says_nothing_about_a_provider() -> None:
    def on_switch(*_: Any) -> None:
        raise KeyError("settings")

    orchestrator, script = pair(on_switch=on_switch), Script(a=["a", HttpError(503)])
    await orchestrator.call(script, session="s")
    with pytest.raises(KeyError):
        await orchestrator.call(script, session="s")
    assert orchestrator.breaker("b").metrics.cancelled_calls == 1
    assert in_flight(orchestrator) == 0


@pytest.mark.parametrize("is_awaitable", [False, True])
async def test_what_on_switch_returns_is_awaited_if_possible_and_ignored_otherwise(*, is_awaitable: bool) -> None:
    woken: list[str] = []

    async def wake() -> None:
        woken.append("awaited")

    def on_switch(*_: Any) -> Any:
        return wake() if is_awaitable else 5

    orchestrator, script = pair(on_switch=on_switch), Script(a=["a", HttpError(503)])
    assert [await orchestrator.call(script, session="s") for _ in range(2)] == ["a", "b"]
    assert woken == ["awaited"] * is_awaitable


async def test_sessions_are_bounded_and_have_a_lifetime() -> None:
    clock = ManualClock()
    orchestrator, script = pair(clock, max_sessions=3, session_lifetime_seconds=60), Script()
    for number in range(10):
        await orchestrator.call(script, session=f"s{number}")
    assert [session.id for session in orchestrator.sessions()] == ["s7", "s8", "s9"]
    clock.advance(59)
    await orchestrator.call(script, session="s8")
    clock.advance(1)
    assert [session.id for session in orchestrator.sessions()] == ["s8"]
    assert orchestrator.end_session("s8")
    assert not orchestrator.end_session("s8")


async def test_all_sessions_are_pinned_to_the_backup_and_the_primary_recovers_within_one_wait() -> None:
    clock = ManualClock()
    orchestrator, script = pair(clock, return_to_primary="between_turns", hold_seconds=1), Script()
    names = [f"s{number}" for number in range(20)]
    for name in names:
        await orchestrator.call(script, session=name)
    script.parts["a"] = always(HttpError(503))
    for _ in range(12):
        for name in names:
            assert await orchestrator.call(script, session=name) == "b"
        clock.advance(10)
    dead = orchestrator.breaker("a").metrics
    assert dead.failed_calls == 1 + 3, "the call that opened the circuit, and one probe each 30 seconds"
    script.parts.clear()
    clock.advance(30)
    answers = [await orchestrator.call(script, session=name) for name in names]
    assert answers[0] == "a"
    assert answers.count("a") == len(names)


async def test_nobody_left_is_an_error_and_the_session_goes_on_later() -> None:
    clock = ManualClock()
    orchestrator, script = pair(clock), Script(a=[HttpError(503)], b=[HttpError(503)])
    with pytest.raises(AllProvidersFailed):
        await orchestrator.call(script, session="s")
    clock.advance(30)
    assert await orchestrator.call(script, session="s") == "a"
    assert isinstance(orchestrator.session("s"), Session)


def test_a_circuit_of_a_provider_may_have_its_own_configuration() -> None:
    orchestrator = Orchestrator([Provider("a", config("mine", timeout_seconds=7)), Provider("b")])
    assert orchestrator.breaker("a").config.timeout_seconds == 7
    assert orchestrator.breaker("b").name == "b"
