"""A decorated function can be used like any other function."""

import abc
import copy
import functools
import inspect
import pickle
import sys
import threading
import types
import typing
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from halfopen import CircuitBreaker, CircuitBreakerConfig

MODULE_BREAKER = CircuitBreaker()


@MODULE_BREAKER
def found_by_name(a: int) -> int:
    return a


@MODULE_BREAKER
async def found_by_name_too(a: int) -> int:
    return a


@pytest.mark.parametrize("function", [found_by_name, found_by_name_too])
def test_it_is_pickled_by_its_name_and_copied_as_itself(function: Callable[..., Any]) -> None:
    assert pickle.loads(pickle.dumps(function)) is function
    assert copy.copy(function) is copy.deepcopy(function) is function


def test_inspect_gives_the_same_answers_as_without_a_breaker(breaker: CircuitBreaker) -> None:
    def plain(a: "int", *, b: "str" = "x") -> "list[str]":
        """Says something."""
        return [b] * a

    async def coroutine(a: "int") -> "str":
        raise NotImplementedError

    plain.note = "mine"  # type: ignore[attr-defined]
    for function in (plain, coroutine):
        guarded: Any = breaker(function)
        assert isinstance(guarded, types.FunctionType)
        assert inspect.iscoroutinefunction(guarded) == inspect.iscoroutinefunction(function)
        assert inspect.signature(guarded) == inspect.signature(function)
        assert typing.get_type_hints(guarded) == typing.get_type_hints(function)
        assert inspect.getsource(guarded) == inspect.getsource(function)
        assert inspect.unwrap(guarded) is function
        for name in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__"):
            assert getattr(guarded, name) == getattr(function, name)
        assert weakref.ref(guarded)() is guarded
        assert hash(guarded) != hash(function)
    assert breaker(plain).note == "mine"  # type: ignore[attr-defined]


class Client:
    prefix = "hello "

    @MODULE_BREAKER
    def method(self, name: str) -> str:
        return self.prefix + name

    @MODULE_BREAKER
    async def awaited(self, name: str) -> str:
        return self.prefix + name

    @classmethod
    @MODULE_BREAKER
    def on_the_class(cls, name: str) -> str:
        return cls.prefix + name

    @staticmethod
    @MODULE_BREAKER
    def on_nobody(name: str) -> str:
        return name

    @property
    @MODULE_BREAKER
    def read(self) -> str:
        return self.prefix

    part = functools.partialmethod(method, "part")


async def test_methods_of_every_kind_are_guarded() -> None:
    before = MODULE_BREAKER.metrics.successful_calls
    client = Client()
    assert client.method("you") == Client.method(client, "you") == client.method(name="you") == "hello you"
    assert await client.awaited("you") == "hello you"
    assert client.on_the_class("you") == Client.on_the_class("you") == "hello you"
    assert client.on_nobody("you") == Client.on_nobody("you") == "you"
    assert client.read == "hello "
    assert client.part() == "hello part"
    assert inspect.ismethod(client.method)
    assert inspect.isfunction(Client.method)
    assert pickle.loads(pickle.dumps(Client.method)) is Client.method
    assert MODULE_BREAKER.metrics.successful_calls == before + 10


class Wrapped:
    """Descriptors, then guarded."""

    prefix = "hello "
    computed = 0

    @MODULE_BREAKER
    @classmethod
    def on_the_class(cls, name: str) -> str:
        return cls.prefix + name

    @MODULE_BREAKER
    @classmethod
    async def awaited_on_the_class(cls, name: str) -> str:
        return cls.prefix + name

    @MODULE_BREAKER
    @staticmethod
    def on_nobody(name: str) -> str:
        return name

    @MODULE_BREAKER
    @staticmethod
    def counted(times: int) -> Iterator[int]:
        yield from range(times)

    @MODULE_BREAKER  # type: ignore[prop-decorator]
    @property
    def read(self) -> str:
        """Reads it."""
        return self.prefix

    @read.setter
    def read(self, value: str) -> None:
        self.prefix = value

    @MODULE_BREAKER  # type: ignore[prop-decorator]
    @functools.cached_property
    def cached(self) -> int:
        self.computed += 1
        return self.computed

    @MODULE_BREAKER  # type: ignore[prop-decorator]
    @property
    async def awaited(self) -> str:
        return self.prefix

    def method(self, greeting: str, name: str) -> str:
        return greeting + name

    part = MODULE_BREAKER(functools.partialmethod(method, "good day "))
    static_part = MODULE_BREAKER(functools.partialmethod(staticmethod(str.upper), "text"))


async def test_descriptors_are_guarded() -> None:
    before = MODULE_BREAKER.metrics
    it: Any = Wrapped()
    assert it.on_the_class("you") == Wrapped.on_the_class("you") == "hello you"
    assert await it.awaited_on_the_class("you") == "hello you"
    assert it.on_nobody("you") == Wrapped.on_nobody("you") == "you"
    assert list(it.counted(3)) == [0, 1, 2]
    assert it.read == await it.awaited == "hello "
    it.read = "bye "
    assert it.read == "bye "
    assert it.cached == it.cached == 1
    assert it.part("you") == "good day you"
    assert it.static_part() == "TEXT"
    after = MODULE_BREAKER.metrics
    assert after.successful_calls == before.successful_calls + 12
    assert (after.failed_calls, after.in_flight) == (before.failed_calls, before.in_flight)


def test_a_guarded_descriptor_keeps_its_kind(breaker: CircuitBreaker) -> None:
    wrapped: Any = vars(Wrapped)
    assert type(wrapped["on_the_class"]) is classmethod
    assert type(wrapped["on_nobody"]) is staticmethod
    assert type(wrapped["read"]) is property
    assert type(wrapped["cached"]) is functools.cached_property
    assert type(wrapped["part"]) is functools.partialmethod
    assert wrapped["read"].__doc__ == "Reads it."
    assert inspect.signature(Wrapped.on_the_class) == inspect.signature(Client.on_the_class)
    assert inspect.isgeneratorfunction(Wrapped.counted)

    class Slow(property):
        pass

    assert type(breaker(Slow(lambda self: self))) is Slow


def test_a_property_that_fails_counts(breaker: CircuitBreaker) -> None:
    class Remote:
        @breaker  # type: ignore[prop-decorator]
        @property
        def value(self) -> str:
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        _ = Remote().value
    assert breaker.metrics.failed_calls == 1


def test_a_class_is_guarded_as_a_function_that_creates_instances(breaker: CircuitBreaker) -> None:
    class Connection:
        def __init__(self, host: str) -> None:
            if not host:
                raise OSError("no host")

    connect: Any = breaker(Connection)
    assert type(connect("here")) is Connection
    assert not {"__init__", "__dict__", "__weakref__"} & set(vars(connect))
    assert inspect.signature(connect) == inspect.signature(Connection)
    with pytest.raises(OSError, match="no host"):
        connect("")
    assert (breaker.metrics.successful_calls, breaker.metrics.failed_calls) == (1, 1)


def test_an_abstract_method_stays_abstract(breaker: CircuitBreaker) -> None:
    class Provider(abc.ABC):
        @breaker
        @abc.abstractmethod
        def ask(self) -> str: ...

    with pytest.raises(TypeError, match="abstract"):
        Provider()  # type: ignore[abstract]


def test_a_model_may_have_a_guarded_method(breaker: CircuitBreaker) -> None:
    class Model(BaseModel):
        name: str

        @breaker
        def greet(self) -> str:
            return f"hello {self.name}"

    assert Model(name="you").greet() == "hello you"


def test_fastapi_accepts_it_as_a_route_and_as_a_dependency(breaker: CircuitBreaker) -> None:
    api = FastAPI()

    @breaker
    def caller(who: str = "nobody") -> str:
        return who

    @breaker
    async def greeting(language: str) -> str:
        return {"en": "hello", "fr": "bonjour"}[language]

    @api.get("/plain")
    @breaker
    def plain(text: Annotated[str, Depends(greeting)], who: Annotated[str, Depends(caller)]) -> dict[str, str]:
        return {"said": f"{text} {who}"}

    @api.get("/awaited/{times}")
    @breaker
    async def awaited(times: int, text: Annotated[str, Depends(greeting)]) -> dict[str, str]:
        return {"said": " ".join([text] * times)}

    with TestClient(api) as client:
        assert client.get("/plain", params={"language": "en", "who": "you"}).json() == {"said": "hello you"}
        assert client.get("/awaited/2", params={"language": "fr"}).json() == {"said": "bonjour bonjour"}
        assert client.get("/awaited/nonsense", params={"language": "fr"}).status_code == 422
    assert breaker.metrics.failed_calls == 0
    assert breaker.metrics.in_flight == 0


def test_a_function_that_calls_itself_is_guarded_at_every_depth(breaker: CircuitBreaker) -> None:
    @breaker
    def depth(left: int) -> int:
        return 0 if left == 0 else 1 + depth(left - 1)

    assert depth(50) == 50
    assert breaker.metrics.successful_calls == 51


def test_an_endless_recursion_returns_every_permit() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=65535))

    @breaker
    def endless() -> None:
        endless()

    with pytest.raises(RecursionError):
        endless()
    assert breaker.metrics.in_flight == 0
    # It is one error, but with a full stack the breaker cannot always record that it was counted.
    assert 1 <= breaker.metrics.failed_calls <= 3
    assert breaker.metrics.ignored_calls > 10


def test_threads_share_a_decorated_function() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=65535))
    start = threading.Barrier(8)

    @breaker
    def odd(number: int) -> int:
        if number % 2:
            raise OSError(number)
        return number

    def work(_: int) -> int:
        start.wait()
        failed = 0
        for number in range(2000):
            try:
                odd(number)
            except OSError:
                failed += 1
        return failed

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(work, range(8))) == 8000
    finally:
        sys.setswitchinterval(interval)
    metrics = breaker.metrics
    assert (metrics.successful_calls, metrics.failed_calls, metrics.in_flight) == (8000, 8000, 0)
