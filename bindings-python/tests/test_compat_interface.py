"""The interface of the replaced module in ``halfopen.compat``: calls, attributes, log."""

import asyncio
import copy
import logging
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any, assert_type

import pytest
from pydantic import BaseModel

import halfopen
from compat_calls import failing, fails, rejects
from halfopen import InvalidValueError, ManualClock, compat
from halfopen.compat import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerMetrics,
    CircuitBreakerOpenError,
    CircuitBreakerState,
)

LOGGER = "app.patterns.circuit_breaker"


def test_new_counters_have_separate_keys() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig())
    breaker.acquire().cancel()
    status = breaker.get_status()
    assert status["extended_metrics"]["cancelled_calls"] == 1
    assert not set(status["metrics"]) & set(status["extended_metrics"])

    class Response(BaseModel):
        config: dict[str, int | float]

    assert Response.model_validate(status).config["timeout_seconds"] == 60.0


# Calls


async def test_arguments_of_any_name_reach_the_function() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig())

    def takes(*args: int, **kwargs: int) -> Any:
        return args, kwargs

    assert await breaker.call(takes, 1, func=2, self=3, fn=4) == ((1,), {"func": 2, "self": 3, "fn": 4})
    assert await breaker.call(func=takes, self=3) == ((), {"self": 3})
    assert await breaker(takes)(1, func=2, self=3) == ((1,), {"func": 2, "self": 3})
    with pytest.raises(TypeError, match="needs a function"):
        await breaker.call()  # type: ignore[call-overload]


async def test_methods_of_every_kind_are_guarded() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig())

    class Client:
        @breaker
        @staticmethod
        def static(number: int) -> int:
            return number

        @breaker
        @classmethod
        def of_class(cls) -> str:
            return cls.__name__

        @breaker
        def method(self) -> str:
            return type(self).__name__

    client: Any = Client()
    assert (await client.static(1), await client.of_class(), await client.method()) == (1, "Client", "Client")
    for other in (property(lambda self: self), 5, None, "text"):
        with pytest.raises(InvalidValueError, match="func"):
            breaker(other)  # type: ignore[call-overload]


async def test_a_subclass_may_use_the_names_of_new_methods() -> None:
    class Provider(CircuitBreaker):
        def __init__(self, name: str) -> None:
            super().__init__(CircuitBreakerConfig(name=name, failure_threshold=1), provider_id="gemini")
            own: Any = self
            own.name, own.native, own.events, own.durations, own.snapshot = name.upper(), None, [], {}, "none"
            own.acquire, own.call_sync, own.subscribe, own.disable, own.reconfigure = 1, 2, 3, 4, 5

    breaker: Any = Provider("manner_own_names")
    assert await breaker.call(str.upper, "a") == "A"
    with pytest.raises(ConnectionError):
        await breaker.call(failing)
    with pytest.raises(CircuitBreakerOpenError, match="manner_own_names"):
        await breaker(failing)()
    await breaker.reset()
    assert (breaker.name, breaker.native) == ("MANNER_OWN_NAMES", None)
    assert breaker.get_status()["name"] == "manner_own_names"


async def test_code_typed_for_the_old_module_type_checks() -> None:
    class Own(CircuitBreaker):
        async def call(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            return await super().call(func, *args, **kwargs)

    async def text() -> str:
        return ""

    breaker = Own(CircuitBreakerConfig(timeout_seconds=60), provider_id="p")
    plain = CircuitBreaker(breaker.config, "p")
    assert_type(breaker.config, CircuitBreakerConfig)
    assert_type(breaker.metrics, CircuitBreakerMetrics)
    assert_type(breaker.state, CircuitBreakerState)
    assert_type(breaker.get_status(), dict[str, Any])
    assert_type(await plain.call(text), str)
    assert_type(await plain.call(len, "x"), int)
    assert_type(await plain(len)("x"), int)
    assert_type(CircuitBreakerOpenError("x", 1).retry_after, float)
    assert_type(await plain.reset(), None)
    assert plain.get_status()["metrics"]["successful_calls"] == 3


def test_there_is_no_lock_but_a_subclass_may_have_one() -> None:
    class WithLock(CircuitBreaker):
        def __init__(self) -> None:
            super().__init__()
            self._lock = asyncio.Lock()

    assert isinstance(WithLock()._lock, asyncio.Lock)
    breaker: Any = CircuitBreaker()
    with pytest.raises(AttributeError, match="there is no lock"):
        _ = breaker._lock


@pytest.mark.parametrize("name", ["_state", "_metrics", "_opened_at", "_on_failure"])
def test_a_private_attribute_of_the_old_module_raises_an_error_with_a_replacement(name: str) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig())
    with pytest.raises(AttributeError, match=r"migrating\.md"):
        setattr(breaker, name, None)
    with pytest.raises(AttributeError, match=r"migrating\.md"):
        getattr(breaker, name)


def test_a_subclass_may_have_attributes_of_its_own() -> None:
    class Own(CircuitBreaker):
        def __init__(self, tag: str) -> None:
            super().__init__(CircuitBreakerConfig(name=tag), provider_id=tag)
            self._tag = tag

    own = Own("voice")
    own.note = 1
    assert (own._tag, own.name, own.provider_id) == ("voice", "voice", "voice")
    with pytest.raises(AttributeError, match="no attribute 'unheard_of'"):
        own.unheard_of  # noqa: B018
    with pytest.raises(AttributeError, match=r"await reset\(\) or force_open\(\)"):
        own.state = CircuitBreakerState.OPEN  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError, match="reads the counters anew"):
        own.metrics = CircuitBreakerMetrics()  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]


def test_a_subclass_may_assign_the_configuration_before_it_is_constructed() -> None:
    class Own(CircuitBreaker):
        def __init__(self, tag: str) -> None:
            self.config = CircuitBreakerConfig(name=tag, failure_threshold=9)
            self.provider_id = f"{tag} provider"
            super().__init__(self.config, self.provider_id)

    own = Own("voice")
    own.config.failure_threshold = 1
    own.provider_id = "another"
    fails(own)
    assert (own.state, own.provider_id, rejects(own).circuit_name) == ("open", "another", "voice")


def test_an_error_in_a_property_of_a_subclass_is_shown() -> None:
    class Own(CircuitBreaker):
        @property
        def label(self) -> str:
            return str(self.region)

    with pytest.raises(AttributeError, match="no attribute 'region'"):
        Own().label  # noqa: B018


async def test_a_use_before_the_constructor_is_refused_with_a_remedy() -> None:
    class Late(CircuitBreaker):
        def __init__(self) -> None:
            self.provider_id = "too early"

    late = Late()
    assert repr(late) == "<Late, not initialised>"
    uses: list[Callable[[], object]] = [
        lambda: late.state,
        lambda: late.config,
        lambda: late.metrics,
        late.get_status,
        late.acquire,
        lambda: asyncio.run(late.call(str)),
    ]
    for use in uses:
        with pytest.raises(InvalidValueError, match=r"super\(\).__init__"):
            await asyncio.to_thread(use)


async def test_a_second_breaker_is_made_from_a_snapshot_and_not_by_a_copy() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(name="twin", failure_threshold=1), "p", clock=ManualClock())
    fails(breaker)
    for copied in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot pickle"):
            copied(breaker)
    twin = CircuitBreaker(breaker.config, breaker.provider_id, clock=ManualClock())
    twin.restore(breaker.snapshot())
    assert (twin.state, twin.metrics.failed_calls) == ("open", 1)
    await twin.reset()
    assert (twin.state, breaker.state) == ("closed", "open")


# The log


@pytest.fixture
def own_logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("own.breakers")
    compat.set_logger("own.breakers")
    yield logger
    compat.set_logger(LOGGER)


def test_the_logger_can_be_set(own_logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    fails(CircuitBreaker(CircuitBreakerConfig(failure_threshold=1)))
    assert {record.name for record in caplog.records} == {own_logger.name}
    compat.set_logger(logging.getLogger(LOGGER))
    fails(CircuitBreaker(CircuitBreakerConfig()))
    assert caplog.records[-1].name == LOGGER


@pytest.mark.parametrize("logger", [5, None, b"own.breakers", "", logging.LoggerAdapter])
def test_anything_but_a_logger_or_its_name_is_refused(
    logger: Any, own_logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    allowed = "a logger, a LoggerAdapter or the name of a logger, which is not empty"
    with pytest.raises(InvalidValueError, match=rf"logger = .* is refused: allowed is {allowed}"):
        compat.set_logger(logger)
    fails(CircuitBreaker(CircuitBreakerConfig()))
    assert {record.name for record in caplog.records} == {own_logger.name}


def test_an_adapter_adds_its_context_to_each_record(
    own_logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    class Tenant(logging.LoggerAdapter[logging.Logger]):
        def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
            return f"[acme] {msg}", kwargs

    caplog.set_level(logging.DEBUG, own_logger.name)
    compat.set_logger(Tenant(own_logger))
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1))
    fails(breaker)
    rejects(breaker)
    levels = {record.levelname for record in caplog.records}
    assert levels == {"DEBUG", "INFO", "WARNING", "ERROR"}
    assert all(record.getMessage().startswith("[acme] Circuit breaker 'default'") for record in caplog.records)


def test_a_fault_of_an_adapter_affects_no_call(own_logger: logging.Logger) -> None:
    class Broken(logging.LoggerAdapter[logging.Logger]):
        def process(self, *_: Any) -> Any:
            raise ZeroDivisionError

    compat.set_logger(Broken(own_logger))
    with pytest.MonkeyPatch.context() as patched:
        reported: list[Any] = []
        patched.setattr(sys, "unraisablehook", reported.append)
        fails(CircuitBreaker(CircuitBreakerConfig()))
    assert {type(it.exc_value) for it in reported} == {ZeroDivisionError}


@pytest.mark.parametrize("settings", [{"failure_rate_threshold": 0.5}, {"slow_call_rate_threshold": 0.5}])
def test_an_opening_by_rate_is_logged_as_an_error(settings: dict[str, float], caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    config = halfopen.CircuitBreakerConfig(failure_threshold=None, minimum_calls=2, slow_call_seconds=1, **settings)  # type: ignore[arg-type]
    breaker = CircuitBreaker(config, clock=clock)
    for _ in range(2):
        permit = breaker.acquire()
        clock.advance(2)
        permit.failure()
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "rate" in errors[0]


def test_a_failed_probe_logs_no_error_and_records_follow_their_cause(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    clock = ManualClock()
    breaker = CircuitBreaker(CircuitBreakerConfig(name="order", failure_threshold=1), clock=clock)
    fails(breaker)
    clock.advance(60)
    fails(breaker)
    assert [(record.levelname, record.getMessage().split("'order'")[1][:24]) for record in caplog.records[1:]] == [
        ("WARNING", ": call failed with Conne"),
        ("INFO", ": closed -> open"),
        ("ERROR", " OPENED: the number of c"),
        ("INFO", ": open -> half_open"),
        ("WARNING", ": call failed with Conne"),
        ("INFO", ": half_open -> open"),
    ]


@pytest.mark.parametrize("hook", ["own", "the interpreter's"])
def test_an_exception_of_the_logger_affects_no_call_and_is_reported(
    hook: str, monkeypatch: pytest.MonkeyPatch, own_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_record: logging.LogRecord) -> bool:
        raise OSError

    reported: list[Any] = []
    own_hook = sys.__unraisablehook__ if hook != "own" else lambda fault: reported.append(fault.exc_type)
    monkeypatch.setattr("sys.unraisablehook", own_hook)
    own_logger.setLevel(logging.DEBUG)
    own_logger.addFilter(broken)
    try:
        breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1))
        fails(breaker)
        assert rejects(breaker).retry_after > 0
    finally:
        own_logger.removeFilter(broken)
        own_logger.setLevel(logging.NOTSET)
    if hook == "own":
        assert set(reported) == {OSError}
    else:
        errors = capsys.readouterr().err
        assert "OSError" in errors
        assert "TypeError" not in errors
