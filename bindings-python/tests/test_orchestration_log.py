"""The records of orchestrators on the logger ``halfopen``."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from halfopen import ManualClock
from halfopen.orchestration import AllProvidersFailed, Orchestrator, Provider, StreamBrokenError
from orchestrated import HttpError, Script, always, config, pair

SECRET = "sk-this-must-not-be-logged"


class Log:
    """The records of orchestrators, as level, text and flat fields."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def of(self, event: str) -> list[tuple[str, str, dict[str, Any]]]:
        assert all(SECRET not in str(vars(record)) and record.exc_info is None for record in self._caplog.records)
        return [
            (record.levelname, record.getMessage(), fields)
            for record in self._caplog.records
            if (fields := _fields(record)).pop("event", None) == event
        ]


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name[9:]: value for name, value in vars(record).items() if name.startswith("halfopen_")}


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    caplog.set_level(logging.DEBUG)
    return Log(caplog)


def failing(name: str, **fields: Any) -> Provider:
    """A provider with a circuit that stays closed."""
    return Provider(name, config(name, failure_threshold=1000), **fields)


async def test_switches_are_logged_once_a_minute_with_their_number(log: Log) -> None:
    clock = ManualClock()
    orchestrator = Orchestrator([failing("a"), failing("b", tier=1)], min_health=0, clock=clock)
    script = Script(a=always(ConnectionError(SECRET)))
    for _ in range(121):
        assert await orchestrator.call(script) == "b"
        clock.advance(0.5)
    first, second = log.of("switch")
    assert first == (
        "INFO",
        "1 call(s) moved from provider 'a' to 'b' since the last such record (failure)",
        {"moved": "call", "from_provider": "a", "to_provider": "b", "cause": "failure", "switches": 1},
    )
    assert second[2]["switches"] == 120


async def test_a_session_that_moves_is_logged_without_its_id(log: Log) -> None:
    clock = ManualClock()
    orchestrator, script = pair(clock), Script()
    assert await orchestrator.call(script, session=SECRET) == "a"
    orchestrator.breaker("a").force_open()
    assert await orchestrator.call(script, session=SECRET) == "b"
    [(level, text, fields)] = log.of("switch")
    assert (level, fields["moved"], fields["cause"]) == ("INFO", "session", "unavailable")
    assert text.startswith("1 session(s) moved from provider 'a' to 'b'")


async def test_a_call_that_nobody_answers_is_a_warning_with_each_ones_reason(log: Log) -> None:
    clock = ManualClock()
    orchestrator, script = pair(clock), Script(a=[ConnectionError(SECRET)], b=[HttpError(500)])
    for _ in range(3):
        with pytest.raises(AllProvidersFailed):
            await orchestrator.call(script)
        clock.advance(1)
    (level, text, fields) = log.of("call_failed")[0]
    assert (level, fields.pop("seconds") < 5) == ("WARNING", True)
    assert "(exhausted, retry after 30.0 s): a: ConnectionError; b: HttpError; 1 such call(s)" in text
    assert fields == {"ended_by": "exhausted", "attempts": 2, "retry_after_seconds": 30, "failed_calls": 1}
    clock.advance(30)
    orchestrator.breaker("a").force_open(60)
    orchestrator.breaker("b").force_open(90)
    clock.advance(30)
    with pytest.raises(AllProvidersFailed):
        await orchestrator.call(script)
    _, (level, text, fields) = log.of("call_failed")
    assert "a: forced_open; b: forced_open; 3 such call(s) since the last such record" in text
    assert (fields["attempts"], fields["failed_calls"], fields["retry_after_seconds"]) == (0, 3, 30)


async def test_a_stream_that_moves_and_one_that_nobody_continues_are_logged(log: Log) -> None:
    async def tokens(provider: Provider) -> AsyncIterator[str]:
        yield provider.id
        if provider.id == "a":
            raise ConnectionError(SECRET)

    orchestrator = Orchestrator([failing("a"), failing("b", tier=1)], min_health=0)
    items = [item async for item in orchestrator.stream(tokens, on_break="restart")]
    assert (items[0], items[-1]) == ("a", "b")
    [(_, _, fields)] = log.of("switch")
    assert (fields["moved"], fields["cause"]) == ("stream", "stream_broken")
    assert log.of("stream_broken") == []

    for _ in range(2):
        with pytest.raises(StreamBrokenError):
            async for _ in orchestrator.stream(tokens):
                pass
    [(level, text, fields)] = log.of("stream_broken")
    assert (level, fields) == ("WARNING", {"provider": "a", "error": "ConnectionError", "broken_streams": 1})
    assert "of provider 'a' broke" in text


async def test_a_cooldown_is_logged(log: Log) -> None:
    orchestrator, script = pair(ManualClock()), Script(a=[HttpError(429, retry_after=7)])
    assert await orchestrator.call(script) == "b"
    [(level, text, fields)] = log.of("cooldown")
    assert (level, text) == (
        "INFO",
        "provider 'a' cools down for 7.0 s (key_and_model); 1 cooldown(s) since the last such record",
    )
    assert fields == {"provider": "a", "scope": "key_and_model", "cooldown_seconds": 7, "cooldowns": 1}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("broken_log")
async def test_a_handler_that_fails_harms_no_call() -> None:
    orchestrator, script = pair(ManualClock()), Script(a=[HttpError(429)], b=[HttpError(500)])
    with pytest.raises(AllProvidersFailed):
        await orchestrator.call(script)
    assert await Orchestrator([failing("a"), failing("b", tier=1)]).call(Script(a=[HttpError(500)])) == "b"


@pytest.mark.parametrize("level", [logging.WARNING, logging.CRITICAL])
async def test_a_level_that_is_off_counts_nothing(log: Log, level: int, caplog: pytest.LogCaptureFixture) -> None:
    orchestrator = Orchestrator([failing("a"), failing("b", tier=1)], min_health=0)
    with caplog.at_level(level, "halfopen"):
        assert await orchestrator.call(Script(a=[HttpError(500)])) == "b"
    assert log.of("switch") == []
    assert await orchestrator.call(Script(a=[HttpError(500)])) == "b"
    assert [fields["switches"] for _, _, fields in log.of("switch")] == [1]
