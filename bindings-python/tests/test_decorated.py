"""A decorated function is a function like any other, wherever one is used."""

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
from collections.abc import Callable
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


def test_inspection_finds_what_it_would_without_the_breaker(breaker: CircuitBreaker) -> None:
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


def test_fastapi_takes_it_as_route_and_as_dependency(breaker: CircuitBreaker) -> None:
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


def test_a_recursion_without_end_gives_every_permit_back() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=65535))

    @breaker
    def endless() -> None:
        endless()

    with pytest.raises(RecursionError):
        endless()
    assert breaker.metrics.in_flight == 0
    assert breaker.metrics.failed_calls > 10


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
