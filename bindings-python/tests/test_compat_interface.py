"""The interface of the replaced module in ``halfopen.compat``: error, configuration, calls, log."""

import copy
import logging
import pickle
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, assert_type

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import halfopen
from halfopen import InvalidValueError, ManualClock, compat
from halfopen.compat import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerMetrics,
    CircuitBreakerOpenError,
    CircuitBreakerState,
)

LOGGER = "app.patterns.circuit_breaker"


def failing() -> None:
    raise ConnectionError("token=secret")


async def awaited(way: Callable[[], Any]) -> None:
    result = way()
    if isinstance(result, Awaitable):
        await result


def fails(breaker: CircuitBreaker) -> None:
    with pytest.raises(ConnectionError):
        breaker.call_sync(failing)


def rejects(breaker: CircuitBreaker) -> CircuitBreakerOpenError:
    with pytest.raises(CircuitBreakerOpenError) as caught:
        breaker.call_sync(failing)
    return caught.value


# The error


async def test_every_way_to_call_raises_the_replaced_modules_error() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(name="manner_error", failure_threshold=1), clock=ManualClock())
    fails(breaker)

    def block() -> None:
        with breaker:
            pass

    async def async_block() -> None:
        async with breaker:
            pass

    async def call() -> None:
        await breaker.call(failing)

    async def decorated() -> None:
        await breaker(failing)()

    ways: list[Callable[[], Any]] = [breaker.acquire, block, async_block, call, decorated]
    for way in ways:
        with pytest.raises(halfopen.CircuitBreakerOpenError) as caught:
            await awaited(way)
        error = caught.value
        assert type(error) is CircuitBreakerOpenError
        assert error.args == ("Circuit breaker 'manner_error' is OPEN. Retry after 60.0 seconds.",)
        assert (error.circuit_name, error.retry_after, error.reason) == ("manner_error", 60.0, "open")
        assert error.code == "CIRCUIT_OPEN"


class Named(CircuitBreakerOpenError):
    def __init__(self, provider: str) -> None:
        super().__init__(f"provider_{provider}", 7)
        self.provider = provider


@pytest.mark.parametrize("error", [CircuitBreakerOpenError("gemini", 12.345, "probes_busy"), Named("gemini")])
def test_the_error_can_be_changed_pickled_and_copied(error: CircuitBreakerOpenError) -> None:
    error.retry_after = 3.5
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert (twin.args, str(twin), vars(twin)) == (error.args, str(error), vars(error))
        assert (twin.retry_after, twin.reason) == (3.5, error.reason)


def test_the_attributes_of_the_error_have_their_old_names() -> None:
    assert vars(CircuitBreakerOpenError("gemini", 5.0)) == {
        "circuit_name": "gemini",
        "retry_after": 5.0,
        "reason": "open",
    }


async def test_a_forced_opening_ends_by_itself_and_its_rejections_carry_a_number() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(CircuitBreakerConfig(name="forced", timeout_seconds=20), clock=clock)
    await breaker.force_open()
    assert rejects(breaker).retry_after == 20
    assert breaker.get_status()["retry_after_seconds"] == 20
    clock.advance(20)
    assert await breaker.call(lambda: 1) == 1
    await breaker.force_open(5)
    assert rejects(breaker).retry_after == 5
    breaker.native.force_open()
    assert rejects(breaker).retry_after == 20, "even where the breaker underneath is held without end"


# The configuration


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("failure_threshold", 0),
        ("failure_threshold", 65536),
        ("success_threshold", 256),
        ("timeout_seconds", 0),
        ("timeout_seconds", float("nan")),
        ("half_open_max_calls", -1),
        ("name", ""),
        ("window", {"calls": 5}),
    ],
)
def test_a_constructor_raises_an_error_of_both_types(field: str, value: object) -> None:
    for kind in (InvalidValueError, ValidationError):
        with pytest.raises(kind, match=field):
            CircuitBreakerConfig.__call__(**{field: value})
    with pytest.raises(InvalidValueError) as caught:
        CircuitBreakerConfig.__call__(**{field: value})
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.field, again.code) == (caught.value.field, "INVALID_VALUE") == (field, "INVALID_VALUE")
    with pytest.raises(ValidationError, match=field):
        CircuitBreakerConfig.model_validate({field: value})


def test_other_validation_errors_stay_pydantics() -> None:
    with pytest.raises(ValidationError) as caught:
        CircuitBreakerConfig.__call__(failure_threshold="many")
    assert not isinstance(caught.value, InvalidValueError)
    with pytest.raises(InvalidValueError) as both:
        CircuitBreakerConfig.__call__(failure_threshold=0, timeout_seconds="long")
    assert "float_parsing" in str(both.value)


def test_a_refused_assignment_changes_nothing() -> None:
    config = CircuitBreakerConfig()
    with pytest.raises(ValidationError, match="failure_threshold"):
        config.failure_threshold = 0
    assert config == CircuitBreakerConfig()
    breaker = CircuitBreaker(config)
    with pytest.raises(InvalidValueError, match="timeout_seconds"):
        breaker.config = config.model_copy(update={"timeout_seconds": -1})
    assert breaker.config is config


def test_the_schema_contains_the_minimums() -> None:
    schema = CircuitBreakerConfig.model_json_schema()["properties"]
    least = {name: field.get("minimum", field.get("exclusiveMinimum")) for name, field in schema.items()}
    assert least == {
        "name": None,
        "failure_threshold": 1,
        "success_threshold": 1,
        "timeout_seconds": 0,
        "half_open_max_calls": 1,
    }


@pytest.mark.parametrize("wrong", [None, 5, "x", {"failure_threshold": 3}])
def test_an_assigned_object_that_is_no_configuration_changes_nothing(wrong: Any) -> None:
    config = CircuitBreakerConfig(failure_threshold=9, timeout_seconds=7)
    breaker = CircuitBreaker(config)
    with pytest.raises(InvalidValueError) as refused:
        breaker.config = wrong
    assert refused.value.field == "config"
    assert breaker.config is config
    assert (breaker.native.config.failure_threshold, breaker.native.config.timeout_seconds) == (9, 7)
    if wrong is not None:
        with pytest.raises(InvalidValueError):
            CircuitBreaker(wrong)


def test_other_settings_need_a_subclass_or_the_cores_config() -> None:
    class Slow(CircuitBreakerConfig):
        model_config = ConfigDict(populate_by_name=True)
        slow_call_seconds: float | None = Field(default=None, alias="slow")
        slow_call_rate_threshold: float | None = None

    breaker = CircuitBreaker(Slow(slow=2.0, slow_call_rate_threshold=0.5))
    assert breaker.get_status()["extended_config"]["slow_call_seconds"] == 2.0
    with pytest.raises(InvalidValueError, match="slow_call_rate_threshold"):
        Slow(slow_call_rate_threshold=0.5)

    native = halfopen.CircuitBreakerConfig(name="native", slow_call_seconds=2.0)
    breaker = CircuitBreaker(native)
    given: object = breaker.config
    assert given is native
    assert breaker.get_status()["extended_config"]["slow_call_seconds"] == 2.0


def test_another_config_reconfigures_and_renames() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(name="before", failure_threshold=9), clock=ManualClock())
    breaker.config = CircuitBreakerConfig(name="after", failure_threshold=1)
    breaker.provider_id = "openai"
    fails(breaker)
    assert rejects(breaker).circuit_name == "after"
    status = breaker.get_status()
    assert (status["name"], status["provider_id"], status["state"]) == ("after", "openai", "open")
    assert breaker.name == "after"
    breaker.config.timeout_seconds = 5
    assert breaker.get_status()["config"]["timeout_seconds"] == 5


def test_the_breaker_checks_an_unchecked_model() -> None:
    with pytest.raises(InvalidValueError, match="failure_threshold"):
        CircuitBreaker(CircuitBreakerConfig.model_construct(failure_threshold=0))


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


async def test_a_twin_is_made_from_a_snapshot_and_not_copied() -> None:
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
