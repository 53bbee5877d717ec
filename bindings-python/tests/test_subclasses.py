"""A subclass may have a constructor with other arguments, as in any Python library."""

import abc
import asyncio
import contextlib
import copy
import dataclasses
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import httpx
import pytest
import requests

from halfopen import CircuitBreaker, CircuitBreakerConfig, InvalidValueError, ManualClock, Registry, compat
from halfopen.aiohttp import CircuitBreakerMiddleware
from halfopen.httpx import BreakerPerHost, BreakerPerKey, guarded_transport
from halfopen.orchestration import Orchestrator, Provider
from halfopen.recording import Recorder
from halfopen.requests import CircuitBreakerAdapter
from halfopen.session import Session

T = TypeVar("T")
FAILED = "no route"


class Retrying(CircuitBreaker):
    def __init__(self, name: str, retries: int, **fields: Any) -> None:
        super().__init__(name, "gemini", **fields)
        self.retries = retries


class Base(CircuitBreaker):
    def __init__(self, *, tag: str) -> None:
        super().__init__(tag)


class Second(Base):
    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(tag=f"number {number}")


class Slotted(CircuitBreaker):
    __slots__ = ("retries",)

    def __init__(self, retries: int) -> None:
        super().__init__("slotted")
        self.retries = retries


class Box(CircuitBreaker, Generic[T]):
    def __init__(self, content: T) -> None:
        super().__init__("box")
        self.content = content


@dataclasses.dataclass(eq=False, repr=False)
class Described(CircuitBreaker):
    title: str
    retries: int = 3

    def __post_init__(self) -> None:
        super().__init__(self.title)


class Tagged:
    """A mixin that cooperates."""

    def __init__(self, *args: Any, tag: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tag = tag


class Mixed(Tagged, CircuitBreaker):
    pass


class Speaking(CircuitBreaker, abc.ABC):
    def __init__(self, word: str) -> None:
        super().__init__(word)

    @abc.abstractmethod
    def speak(self) -> str: ...


class Loud(Speaking):
    def speak(self) -> str:
        return self.name.upper()


class Late(CircuitBreaker):
    """Becomes a breaker only when it is told to."""

    def __init__(self) -> None:
        pass

    def begin(self, name: str) -> None:
        super().__init__(name, failure_threshold=1)


MAKERS: dict[str, Callable[[], CircuitBreaker]] = {
    "own arguments": lambda: Retrying("x", 3),
    "two levels": lambda: Second(2),
    "slots": lambda: Slotted(3),
    "generic": lambda: Box[int](3),
    "dataclass": lambda: Described("described"),
    "mixin": lambda: Mixed("mixed", tag="a"),
    "abstract": lambda: Loud("hello"),
}


def failing() -> None:
    raise OSError(FAILED)


@pytest.mark.parametrize("name", MAKERS)
def test_a_subclass_with_its_own_constructor_is_a_breaker(name: str) -> None:
    breaker = MAKERS[name]()
    assert breaker.call_sync(len, "abc") == 3
    for _ in range(breaker.config.failure_threshold or 0):
        with pytest.raises(OSError, match=FAILED):
            breaker(failing)()
    assert breaker.state == "open"
    assert breaker.get_status()["name"] == breaker.name
    assert type(breaker).__name__ in repr(breaker)


def test_the_arguments_arrive_where_they_belong() -> None:
    retrying = Retrying("x", 3, failure_threshold=7)
    assert (retrying.name, retrying.provider_id, retrying.retries) == ("x", "gemini", 3)
    assert retrying.config.failure_threshold == 7
    assert Second(2).name == "number 2"
    assert Box(3).content == 3
    assert Described("d").retries == 3
    assert Mixed("mixed", tag="a").tag == "a"
    assert Loud("hello").speak() == "HELLO"


def test_an_abstract_class_is_not_instantiated() -> None:
    with pytest.raises(TypeError, match=r"abstract class Speaking.*speak"):
        Speaking("hello")  # type: ignore[abstract]


async def awaited(breaker: CircuitBreaker) -> None:
    await breaker.call(len, "abc")


async def entered(breaker: CircuitBreaker) -> None:
    async with breaker:
        pass


async def in_a_session(breaker: CircuitBreaker) -> None:
    async with breaker.session():
        pass


def block(breaker: CircuitBreaker) -> None:
    with breaker:
        pass


def requests_through(breaker: CircuitBreaker) -> object:
    session = requests.Session()
    session.mount("http://", CircuitBreakerAdapter(requests.adapters.HTTPAdapter(), breaker))
    return session.get("http://127.0.0.1:1")


def httpx_through(breaker: CircuitBreaker) -> object:
    return httpx.Client(transport=guarded_transport(httpx.HTTPTransport(), breaker)).get("http://127.0.0.1:1")


USES: dict[str, Callable[[CircuitBreaker], object]] = {
    "call_sync": lambda breaker: breaker.call_sync(len, "abc"),
    "call": lambda breaker: asyncio.run(awaited(breaker)),
    "decorator": lambda breaker: breaker(failing),
    "with": block,
    "async with": lambda breaker: asyncio.run(entered(breaker)),
    "acquire": lambda breaker: breaker.acquire(),
    "session": lambda breaker: asyncio.run(in_a_session(breaker)),
    "stream": lambda breaker: list(breaker.stream(iter([1]))),
    "name": lambda breaker: breaker.name,
    "config": lambda breaker: breaker.config,
    "provider_id": lambda breaker: breaker.provider_id,
    "call_timeout_seconds": lambda breaker: breaker.call_timeout_seconds,
    "state": lambda breaker: breaker.state,
    "mode": lambda breaker: breaker.mode,
    "metrics": lambda breaker: breaker.metrics,
    "status": lambda breaker: breaker.get_status(),
    "durations": lambda breaker: breaker.durations(),
    "first items": lambda breaker: breaker.first_item_durations(),
    "percentile": lambda breaker: breaker.percentile(0.5),
    "events": lambda breaker: breaker.events(),
    "subscribe": lambda breaker: breaker.subscribe(print),
    "explain": lambda breaker: breaker.explain(),
    "is_idle": lambda breaker: breaker.is_idle(),
    "reset": lambda breaker: breaker.reset(),
    "disable": lambda breaker: breaker.disable(),
    "force_open": lambda breaker: breaker.force_open(),
    "reconfigure": lambda breaker: breaker.reconfigure(CircuitBreakerConfig()),
    "snapshot": lambda breaker: breaker.snapshot(),
    "restore": lambda breaker: breaker.restore(CircuitBreaker().snapshot()),
    "manager": lambda breaker: breaker.stream(contextlib.nullcontext(iter([1]))),
    "requests": requests_through,
    "httpx": httpx_through,
    "orchestrator": lambda breaker: Orchestrator([Provider("a", breaker=breaker)]),
}


@pytest.mark.parametrize("use", USES)
def test_each_use_before_the_constructor_is_refused_with_a_remedy(use: str) -> None:
    late = Late()
    with pytest.raises(InvalidValueError, match=r"super\(\).__init__") as refused:
        USES[use](late)
    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", "breaker")
    late.begin("late")
    assert (late.name, late.state, late.metrics.rejected_calls) == ("late", "closed", 0)


def test_it_can_be_shown_and_collected_before_its_constructor() -> None:
    late = Late()
    assert repr(late) == "<Late, not initialised>"
    gone = weakref.ref(late)
    del late
    gc.collect()
    assert gone() is None


def test_a_constructor_that_refuses_its_arguments_may_be_called_again() -> None:
    late = Late()
    with pytest.raises(InvalidValueError, match="name"):
        late.begin("")
    with pytest.raises(InvalidValueError, match=r"super\(\).__init__"):
        late.acquire()
    late.begin("late")
    assert late.call_sync(len, "abc") == 3


def test_a_breaker_is_initialised_once() -> None:
    breaker = Retrying("x", 3)
    breaker.force_open()
    with pytest.raises(InvalidValueError, match="make another breaker"):
        CircuitBreaker.__init__(breaker, "y", failure_threshold=1)
    assert (breaker.name, breaker.config.name, breaker.state) == ("x", "x", "open")
    assert breaker.config.failure_threshold == 5


def test_a_breaker_that_is_not_initialised_stands_in_no_metrics() -> None:
    gone = Late()
    late = Late()
    del gone
    late.begin("late")
    with pytest.raises(OSError, match=FAILED):
        late.call_sync(failing)
    assert late.state == "open"
    assert CircuitBreaker("other").state == "closed"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_breaker_is_not_copied(copied: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="cannot pickle"):
        copied(Retrying("x", 3))


class OwnRegistry(Registry):
    def __init__(self, bound: int, retries: int) -> None:
        super().__init__(bound)
        self.retries = retries


class OwnOrchestrator(Orchestrator):
    def __init__(self, providers: list[Provider], retries: int) -> None:
        super().__init__(providers)
        self.retries = retries


class OwnSession(Session):
    def __init__(self, breaker: CircuitBreaker, retries: int) -> None:
        super().__init__(breaker)
        self.retries = retries


class OwnPerHost(BreakerPerHost):
    def __init__(self, retries: int) -> None:
        super().__init__(Registry(1), CircuitBreakerConfig())
        self.retries = retries


class OwnPerKey(BreakerPerKey[httpx.Request]):
    def __init__(self, retries: int) -> None:
        super().__init__(Registry(1), CircuitBreakerConfig(), repr)
        self.retries = retries


class OwnMiddleware(CircuitBreakerMiddleware):
    def __init__(self, retries: int) -> None:
        super().__init__(CircuitBreaker())
        self.retries = retries


class OwnAdapter(CircuitBreakerAdapter):
    def __init__(self, retries: int) -> None:
        super().__init__(requests.adapters.HTTPAdapter(), CircuitBreaker())
        self.retries = retries


class OwnRecorder(Recorder):
    def __init__(self, retries: int) -> None:
        super().__init__()
        self.retries = retries


class OwnClock(ManualClock):
    def __init__(self, retries: int) -> None:
        super().__init__()
        self.retries = retries


class OwnCompat(compat.CircuitBreaker):
    def __init__(self, name: str, retries: int) -> None:
        super().__init__(compat.CircuitBreakerConfig(name=name))
        self.retries = retries


OTHERS: dict[str, Callable[[], Any]] = {
    "registry": lambda: OwnRegistry(1, 3),
    "orchestrator": lambda: OwnOrchestrator([Provider("a")], 3),
    "session": lambda: OwnSession(CircuitBreaker(), 3),
    "per host": lambda: OwnPerHost(3),
    "per key": lambda: OwnPerKey(3),
    "aiohttp": lambda: OwnMiddleware(3),
    "requests": lambda: OwnAdapter(3),
    "recorder": lambda: OwnRecorder(3),
    "clock": lambda: OwnClock(3),
    "compat": lambda: OwnCompat("x", 3),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_classes_have_subclasses_too(name: str) -> None:
    assert OTHERS[name]().retries == 3


def test_a_subclass_may_have_more_attributes() -> None:
    class Mine(CircuitBreaker):
        label: str

    mine = Mine(CircuitBreakerConfig(), clock=ManualClock())
    mine.label = "mine"
    assert mine.label == "mine"
