"""``halfopen.compat`` keeps the old rule everywhere: an exception is a failure, and any returned value is a success."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import halfopen
from halfopen import InvalidValueError
from halfopen.classify import every_exception_is_a_failure
from halfopen.compat import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError
from halfopen.fastapi import install
from halfopen.httpx import guarded_transport
from halfopen.recording import Recorder
from http_clients import CLIENTS, Client
from provider import Cut, ErrorEvent, Malformed, NoTerminator, Provider, Reset, Status

CONFIG = CircuitBreakerConfig(failure_threshold=1, timeout_seconds=30)
WHOLE: dict[str, Any] = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}
STREAM = WHOLE | {"stream": True}
RATE_LIMIT = openai.RateLimitError(
    "slow down", response=httpx2.Response(429, request=httpx2.Request("GET", "http://x")), body=None
)


class Own(CircuitBreaker):
    """A subclass as backends have it, with attributes of names that the replaced module did not use."""

    def __init__(self, config: CircuitBreakerConfig) -> None:
        super().__init__(config, provider_id="p")
        own: Any = self
        own.native, own.mode, own.session, own.stream, own.is_idle = None, "fast", 1, 2, 3
        own.name, own.call_timeout_seconds, own.first_item_durations = "own", 5, []


def counted(breaker: CircuitBreaker) -> dict[str, int]:
    """The counters that are not zero."""
    metrics = breaker._native.metrics
    names = ("successful_calls", "failed_calls", "ignored_calls", "cancelled_calls", "in_flight")
    return {name.removesuffix("_calls"): count for name in names if (count := getattr(metrics, name))}


# The guards of HTTP clients


def itself(breaker: CircuitBreaker) -> Any:
    return breaker


def from_a_function(breaker: CircuitBreaker) -> Any:
    return lambda _request: breaker


@pytest.fixture(params=CLIENTS)
def name(request: pytest.FixtureRequest) -> str:
    client: str = request.param
    return client


@pytest.mark.parametrize("handed", [itself, from_a_function])
@pytest.mark.parametrize("kind", [CircuitBreaker, Own])
async def test_each_guard_takes_a_breaker_of_any_class(
    name: str, url: str, provider: Provider, kind: Callable[..., CircuitBreaker], handed: Callable[[Any], Any]
) -> None:
    breaker = kind(CONFIG)
    client = Client(name, handed(breaker))
    assert await client.status(url, WHOLE) == 200
    assert await client.status(url, STREAM) == 200
    assert counted(breaker) == {"successful": 2}
    provider.next(Reset())
    with pytest.raises(Exception):  # noqa: B017, PT011 (each client has its own)
        await client.status(url, WHOLE)
    assert counted(breaker) == {"successful": 2, "failed": 1}
    with pytest.raises(CircuitBreakerOpenError, match=r"is OPEN\. Retry after"):
        await client.status(url, WHOLE)


@pytest.mark.parametrize("status", [Status(503, retry_after=9), Status(500), Status(429), Status(401)], ids=str)
async def test_a_response_is_a_success_whatever_its_status(
    name: str, url: str, provider: Provider, status: Status
) -> None:
    breaker = CircuitBreaker(CONFIG)
    provider.always(status)
    for body in (WHOLE, STREAM):
        assert await Client(name, breaker).status(url, body) == status.code
    assert counted(breaker) == {"successful": 2}


@pytest.mark.parametrize("fault", [Reset(), Cut()], ids=str)
async def test_an_exception_while_reading_is_a_failure(name: str, url: str, provider: Provider, fault: Any) -> None:
    breaker = CircuitBreaker(CONFIG)
    provider.next(fault)
    with pytest.raises(Exception):  # noqa: B017, PT011 (each client has its own)
        await Client(name, breaker).status(url, STREAM)
    assert counted(breaker) == {"failed": 1}


# test_aiohttp.py tests malformed chunks with aiohttp.
@pytest.mark.parametrize("name", sorted(set(CLIENTS) - {"aiohttp"}))
async def test_a_malformed_chunk_is_a_failure(name: str, url: str, provider: Provider) -> None:
    breaker = CircuitBreaker(CONFIG)
    provider.next(Malformed(framing=True))
    with pytest.raises(Exception):  # noqa: B017, PT011 (each client has its own)
        await Client(name, breaker).status(url, STREAM)
    assert counted(breaker) == {"failed": 1}


@pytest.mark.parametrize("status", [Status(429), Status(401), Status(503)], ids=str)
async def test_an_error_inside_a_stream_is_a_failure_whoever_reports_it(
    name: str, url: str, provider: Provider, status: Status
) -> None:
    # The SDK raises an exception for it, as the last test of this part shows, and that is a failure.
    breaker = CircuitBreaker(CONFIG)
    provider.next(ErrorEvent(status))
    assert await Client(name, breaker).status(url, STREAM) == 200
    assert counted(breaker) == {"failed": 1}


@pytest.mark.parametrize("fault", [Cut(in_form=True), Malformed()], ids=str)
async def test_an_answer_that_is_not_whole_is_a_failure_as_for_each_breaker(
    name: str, url: str, provider: Provider, fault: Any
) -> None:
    breaker = CircuitBreaker(CONFIG)
    provider.next(fault)
    await Client(name, breaker).status(url, STREAM)
    assert counted(breaker) == {"failed": 1}
    provider.next(NoTerminator())
    other = CircuitBreaker(CONFIG)
    await Client(name, other).status(url, STREAM)
    assert counted(other) == {"successful": 1}


async def test_the_core_s_breaker_without_default_rules_counts_an_error_inside_a_stream(
    name: str, url: str, provider: Provider
) -> None:
    breaker = halfopen.CircuitBreaker("gemini", classify=every_exception_is_a_failure)
    provider.next(ErrorEvent(Status(429)))
    await Client(name, breaker).status(url, STREAM)
    assert breaker.metrics.failed_calls == 1


async def test_the_sdk_s_own_error_is_a_failure_too(provider: Provider) -> None:
    breaker = CircuitBreaker(CONFIG)
    provider.next(ErrorEvent(Status(429)))
    async with openai.AsyncOpenAI(base_url=provider.openai_url, api_key="key", max_retries=0) as client:
        stream: Any = await breaker.call(client.chat.completions.create, **STREAM)
        with pytest.raises(openai.APIError):
            async for _ in stream:
                pass
    assert counted(breaker) == {"failed": 1}


async def test_a_function_that_chooses_no_breaker_is_an_error_that_names_it(name: str, url: str) -> None:
    with pytest.raises(InvalidValueError, match="breaker = 'gemini'"):
        await Client(name, lambda _: "gemini").status(url, WHOLE)


def test_a_plain_client_refuses_the_timeouts_of_a_breaker_in_either_form(provider: Provider) -> None:
    breaker = CircuitBreaker(CONFIG, call_timeout_seconds=5)
    with pytest.raises(InvalidValueError, match="call_timeout_seconds"):
        guarded_transport(httpx2.HTTPTransport(), breaker)
    transport = guarded_transport(httpx2.HTTPTransport(), lambda _: breaker)
    with httpx2.Client(transport=transport) as client, pytest.raises(InvalidValueError, match="call_timeout_seconds"):
        client.get(provider.openai_url)


# Other parts that take a breaker


async def test_the_routes_of_fastapi_show_and_switch_it() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(name="gemini", timeout_seconds=7), "p")
    app = FastAPI()
    install(app, breakers=[breaker], operator=lambda: "ada")
    with TestClient(app) as client:
        assert client.get("/breakers/gemini").json()["state"] == "closed"
        order = {"order": "force_open", "reason": "test", "seconds": 5}
        assert client.put("/breakers/gemini/order", json=order).json()["state"] == "open"
        assert breaker.state == "open"
        changed = client.patch("/breakers/gemini/config", json={"reason": "test", "fields": {"timeout_seconds": 9}})
        assert changed.status_code == 200
        assert [event["to_state"] for event in client.get("/breakers/gemini").json()["events"]] == ["open"]
    assert breaker.get_status()["config"]["timeout_seconds"] == 9
    assert breaker.config.timeout_seconds == 9, "the configuration in force, and not the one that was replaced"


def test_a_recorder_says_that_the_observer_is_there_already() -> None:
    with pytest.raises(InvalidValueError, match="not observed yet"):
        Recorder().record(CircuitBreaker(CONFIG))
    with pytest.raises(InvalidValueError, match="a CircuitBreaker"):
        Recorder().record("gemini")  # type: ignore[arg-type]


# The surface


def members(kind: type) -> dict[str, Any]:
    return {name: inspect.getattr_static(kind, name) for name in dir(kind) if not name.startswith("_")}


BLOCKS = ("__enter__", "__exit__", "__aenter__", "__aexit__", "__call__", "__repr__")


@pytest.mark.parametrize("member", [*members(halfopen.CircuitBreaker), *BLOCKS])
def test_every_member_of_the_core_s_breaker_is_there(member: str) -> None:
    own, native = (inspect.getattr_static(kind, member, None) for kind in (CircuitBreaker, halfopen.CircuitBreaker))
    assert own is not None, f"add {member} to halfopen.compat's Delegation"
    assert callable(own) == callable(native), member


CHANGED = {"call", "call_sync", "reset", "force_open", "reconfigure", "stream", "__call__"}
"""Members with the parameters of the replaced module, or of another type."""


@pytest.mark.parametrize(
    "method",
    [name for name, it in members(halfopen.CircuitBreaker).items() if inspect.isfunction(it) and name not in CHANGED],
)
def test_every_method_takes_what_the_core_s_takes(method: str) -> None:
    def taken(kind: type) -> list[tuple[str, Any, Any]]:
        parameters = inspect.signature(getattr(kind, method)).parameters.values()
        return [(it.name, it.kind, it.default) for it in parameters]

    assert taken(CircuitBreaker) == taken(halfopen.CircuitBreaker)


async def test_the_members_that_were_added_do_what_the_core_s_do() -> None:
    breaker = CircuitBreaker(CONFIG, call_timeout_seconds=5)
    assert (breaker.mode, breaker.call_timeout_seconds, breaker.is_idle()) == ("auto", 5, breaker.native.is_idle())
    async with breaker.session() as session:
        assert session.healthy()
    breaker = CircuitBreaker(CONFIG)
    assert list(breaker.stream(iter("ab"))) == ["a", "b"]
    assert breaker.first_item_durations().count == 1
    breaker.disable()
    assert breaker.mode == "disabled"


# Exceptions


def wrong_arguments(breaker: CircuitBreaker) -> list[Callable[[], Any]]:
    def takes(one: int) -> int:
        return one

    async def takes_later(one: int) -> int:
        return one

    call: Any = breaker.call
    call_sync: Any = breaker.call_sync
    decorated: Any = breaker(takes)
    decorated_later: Any = breaker(takes_later)
    return [
        lambda: call(takes),
        lambda: call(takes, 1, 2),
        lambda: call(takes_later, two=2),
        lambda: call(func=takes),
        lambda: call(int, 1, 2, 3),
        lambda: call(5),
        lambda: call_sync(takes),
        lambda: call_sync(takes, 1, 2),
        decorated,
        decorated_later,
    ]


async def awaited(way: Callable[[], Any]) -> None:
    result = way()
    if inspect.isawaitable(result):
        await result


@pytest.mark.parametrize("way", range(10))
async def test_wrong_arguments_are_a_failure_as_before(way: int) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=2))
    for _ in range(2):
        with pytest.raises(TypeError):
            await awaited(wrong_arguments(breaker)[way])
    assert counted(breaker) == {"failed": 2}
    assert breaker.state == "open"


def nothing(_: Exception) -> None:
    return None


def broken(_: Exception) -> Any:
    raise OSError


def no_outcome(_: Exception) -> Any:
    return "perhaps"


@pytest.mark.parametrize("classify", [None, nothing, broken, no_outcome])
async def test_without_an_answer_of_the_classifier_each_exception_is_a_failure(classify: Any) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=99), classify=classify)

    def fail(error: Exception) -> None:
        raise error

    def stream() -> Iterator[int]:
        yield 1
        raise RATE_LIMIT

    errors = [RATE_LIMIT, KeyError("x"), StopIteration(), ExceptionGroup("two", [RATE_LIMIT])]
    for error in errors:
        with pytest.raises((type(error), RuntimeError)):
            await breaker.call(fail, error)
        with pytest.raises(type(error)):
            breaker.call_sync(fail, error)
        with pytest.raises(type(error)), breaker:
            raise error
    with pytest.raises(openai.RateLimitError):
        list(await breaker.call(stream))
    with pytest.raises(KeyboardInterrupt):
        breaker.call_sync(fail, KeyboardInterrupt())  # type: ignore[arg-type]
    assert counted(breaker) == {"failed": 3 * len(errors) + 1, "cancelled": 1}


async def test_an_answer_of_the_classifier_counts() -> None:
    def classify(error: Exception) -> halfopen.types.Outcome | None:
        return "ignored" if isinstance(error, KeyError) else None

    breaker = CircuitBreaker(CONFIG, classify=classify)
    with pytest.raises(KeyError):
        await breaker.call({}.__getitem__, "x")
    assert counted(breaker) == {"ignored": 1}


@pytest.mark.parametrize("wrong", ["failure", 5, lambda: "failure"])
def test_a_classifier_that_cannot_be_called_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match="classify"):
        CircuitBreaker(CONFIG, classify=wrong)


# Rejections


async def test_a_rejection_of_another_breaker_says_nothing_about_this_one() -> None:
    inner, outer = CircuitBreaker(CONFIG), CircuitBreaker(CONFIG)
    await inner.force_open()

    async def layered() -> None:
        await inner.call(str)

    with pytest.raises(CircuitBreakerOpenError):
        await outer.call(layered)
    assert counted(outer) == {"ignored": 1}

    def all_count(_: Exception) -> halfopen.types.Outcome:
        return "failure"

    strict = CircuitBreaker(CONFIG, classify=all_count)
    with pytest.raises(CircuitBreakerOpenError):
        await strict.call(layered)
    assert counted(strict) == {"failed": 1}, "as the replaced module had it"
