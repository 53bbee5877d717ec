"""The breaker of each request of a guarded HTTP client: one for each host or key, from a registry, or none."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest
import requests

from halfopen import CircuitBreaker, CircuitBreakerOpenError, InvalidValueError, Registry
from halfopen.aiohttp import CircuitBreakerMiddleware
from halfopen.httpx import BreakerPerHost, BreakerPerKey, guarded_async_transport, guarded_transport
from halfopen.requests import CircuitBreakerAdapter
from http_clients import CLIENTS, CONFIG, STREAM, WHOLE, Client, counts
from provider import Provider, Status


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_breaker_for_each_host(name: str, provider: Provider) -> None:
    registry = Registry(10)
    client = Client(name, BreakerPerHost(registry, CONFIG))
    with Provider() as other:
        other.always(Status(500))
        assert await client.status(other.openai_url + "/chat/completions", WHOLE) == 500
        with pytest.raises(CircuitBreakerOpenError) as rejected:
            await client.status(other.openai_url + "/chat/completions", WHOLE)
        assert rejected.value.circuit_name == other.url.removeprefix("http://")
        assert await client.status(provider.openai_url + "/chat/completions", WHOLE) == 200
    # The healthy one is idle, so the registry may evict it.
    assert sorted(breaker.state for breaker in registry.breakers()) == ["closed", "open"]


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_request_without_a_breaker_is_not_guarded(name: str, url: str, provider: Provider) -> None:
    provider.always(Status(500))
    client = Client(name, lambda _: None)
    for _ in range(3):
        assert await client.status(url, STREAM) == 500


def test_a_key_function_names_the_breaker(provider: Provider) -> None:
    registry = Registry(10)
    choose: BreakerPerKey[httpx2.Request] = BreakerPerKey(
        registry, CONFIG, lambda request: request.headers.get("tenant")
    )
    with httpx2.Client(transport=guarded_transport(httpx2.HTTPTransport(), choose)) as client:
        assert client.get(provider.openai_url + "/models", headers={"tenant": "a"}).status_code == 200
        assert client.get(provider.openai_url + "/models").status_code == 200
    assert [breaker.name for breaker in registry.breakers()] == ["a"]


def test_a_key_that_is_no_name_is_refused() -> None:
    key: Any = lambda _: 5  # noqa: E731
    choose: BreakerPerKey[httpx2.Request] = BreakerPerKey(Registry(10), CONFIG, key)
    transport = guarded_transport(httpx2.MockTransport(lambda _: httpx2.Response(200)), choose)
    with httpx2.Client(transport=transport) as client, pytest.raises(InvalidValueError, match="key = 5"):
        client.get("http://provider")


def test_a_breaker_that_the_registry_has_is_used_as_it_is(provider: Provider) -> None:
    registry = Registry(10)
    own = registry.get_or_create(
        CONFIG.model_copy(update={"name": provider.url.removeprefix("http://"), "shadow": True})
    )
    with httpx2.Client(transport=guarded_transport(httpx2.HTTPTransport(), BreakerPerHost(registry, CONFIG))) as client:
        assert client.get(provider.openai_url + "/models").status_code == 200
    assert counts(own) == {"successful": 1}


def test_a_url_without_a_host_gets_the_error_of_the_client() -> None:
    registry = Registry(10)
    transport = guarded_transport(httpx2.HTTPTransport(), BreakerPerHost(registry, CONFIG))
    with (
        httpx2.Client(transport=transport) as client,
        pytest.raises(httpx2.UnsupportedProtocol, match=r"missing an 'http://' or 'https://' protocol"),
    ):
        client.get("/models")
    assert registry.breakers() == []


def test_a_full_registry_lets_requests_pass_and_says_so_once(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Registry(1)
    registry.get_or_create(CONFIG.model_copy(update={"name": "busy"})).force_open()
    transport = guarded_transport(httpx2.HTTPTransport(), BreakerPerHost(registry, CONFIG))
    with httpx2.Client(transport=transport) as client, caplog.at_level(logging.WARNING, "halfopen"):
        for _ in range(2):
            assert client.get(provider.openai_url + "/models").status_code == 200
    assert [record.getMessage() for record in caplog.records if "registry" in record.getMessage()] == [
        "each of the 1 circuits of the registry is in use: a request without a circuit passes unguarded"
    ]


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: guarded_transport(httpx2.HTTPTransport(), 5), "breaker"),  # type: ignore[call-overload]
        (lambda: guarded_transport(httpx2.AsyncHTTPTransport(), CircuitBreaker()), "inner"),  # type: ignore[call-overload]
        (lambda: guarded_async_transport(object(), CircuitBreaker()), "inner"),  # type: ignore[call-overload]
        (lambda: CircuitBreakerMiddleware(None), "breaker"),  # type: ignore[arg-type]
        (lambda: CircuitBreakerAdapter(requests.adapters.HTTPAdapter(), "gemini"), "breaker"),  # type: ignore[arg-type]
        (lambda: BreakerPerHost(5, CONFIG), "registry"),  # type: ignore[arg-type]
        (lambda: BreakerPerHost(Registry(1), "gemini"), "config"),  # type: ignore[arg-type]
        (lambda: BreakerPerKey(Registry(1), CONFIG, 5), "key"),  # type: ignore[arg-type]
        (lambda: BreakerPerKey(Registry(1), CONFIG, None), "key"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_breaker_or_transport_is_refused_at_once(make: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        make()
    assert refused.value.field == field


async def choose(_: object) -> Any:
    """Not a choice, because its result would have to be awaited."""


def choose_many(_: object) -> Iterator[Any]:
    yield


async def choose_later(_: object) -> AsyncIterator[Any]:
    yield


@pytest.mark.parametrize("function", [choose, choose_many, choose_later, lambda: None, lambda _one, _two: None])
def test_a_function_that_cannot_choose_is_refused_at_once(function: Any) -> None:
    makers: dict[str, list[Callable[[], object]]] = {
        "breaker": [
            lambda: guarded_transport(httpx2.HTTPTransport(), function),
            lambda: guarded_async_transport(httpx2.AsyncHTTPTransport(), function),
            lambda: CircuitBreakerMiddleware(function),
            lambda: CircuitBreakerAdapter(requests.adapters.HTTPAdapter(), function),
        ],
        "key": [lambda: BreakerPerKey(Registry(1), CONFIG, function)],
    }
    for field, ways in makers.items():
        for make in ways:
            with pytest.raises(InvalidValueError) as refused:
                make()
            assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", field)


@pytest.mark.parametrize("kind", [CircuitBreaker, type("Own", (CircuitBreaker,), {})])
def test_a_class_would_create_a_breaker_for_each_request_and_is_refused_at_once(kind: Any) -> None:
    for make in (
        lambda: guarded_transport(httpx2.HTTPTransport(), kind),
        lambda: guarded_async_transport(httpx2.AsyncHTTPTransport(), kind),
        lambda: CircuitBreakerMiddleware(kind),
        lambda: CircuitBreakerAdapter(requests.adapters.HTTPAdapter(), kind),
    ):
        with pytest.raises(InvalidValueError) as refused:
            make()
        assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", "breaker")
