"""The contents of an imported program: its breakers, its clients, and its exporters."""

import gc
import sys
from collections.abc import Iterator
from math import inf
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from halfopen._http import OneBreaker
from halfopen._names import names_of
from halfopen._proxy import class_of
from halfopen.breaker import CircuitBreaker


class WatchedBreaker(NamedTuple):
    """A breaker, with the deadlines of its calls."""

    breaker: CircuitBreaker
    name: str
    deadline_seconds: float | None
    """When its breaker or its orchestrator cuts off a call."""
    limits_streams: bool
    """Whether streams that stall are cut off."""


class Client(NamedTuple):
    """A client of an SDK or of an HTTP library."""

    label: str
    host: str
    """The host of all its requests; empty if it has no base URL."""
    retries: int
    """How often it repeats a failed request by itself."""
    no_retries: str
    """The code that switches its retries off."""
    timeout_seconds: float | None
    """Infinite if it has none, ``None`` if that is set at each call."""
    breaker: CircuitBreaker | None
    """The one breaker of all its requests, if its transport has one."""


class Program(NamedTuple):
    """The parts of a program that ``doctor`` looks at."""

    breakers: list[WatchedBreaker]
    clients: list[Client]
    workers: int
    exports_metrics: bool
    has_open_routes: bool


def read_program(workers: int) -> Program:
    """Finds everything that lives in this process now, wherever the program keeps it."""
    gc.collect()
    objects = gc.get_objects()
    breakers = [each for each in objects if issubclass(class_of(each), CircuitBreaker)]
    orchestrated = _orchestrated(objects)
    return Program(
        breakers=sorted(
            (_watched(breaker, orchestrated.get(breaker)) for breaker in breakers), key=lambda watched: watched.name
        ),
        clients=sorted(_clients(objects), key=lambda client: client.label),
        workers=workers,
        exports_metrics=_exports_metrics(),
        has_open_routes=any(_has_open_routes(each) for each in objects),
    )


def _watched(breaker: CircuitBreaker, settings: Any) -> WatchedBreaker:
    """A breaker, and the settings of its orchestrator if it has one."""
    deadlines = (breaker.call_timeout_seconds, settings and settings.attempt_timeout_seconds)
    deadline = min((seconds for seconds in deadlines if seconds is not None), default=None)
    limits_streams = settings is not None and settings.first_item_timeout_seconds is not None
    return WatchedBreaker(breaker, breaker.name, deadline, limits_streams or breaker._stream_timeouts is not None)


def _orchestrated(objects: list[Any]) -> dict[CircuitBreaker, Any]:
    """The settings of the orchestrator of each breaker that has one."""
    orchestration: Any = sys.modules.get("halfopen.orchestration")
    if orchestration is None:
        return {}
    found = [each for each in objects if issubclass(class_of(each), orchestration.Orchestrator)]
    return {each.breaker(provider.id): each.settings for each in found for provider in each.providers}


def _clients(objects: list[Any]) -> Iterator[Client]:
    classes: set[type] = {class_of(each) for each in objects}
    kinds = {of: kind for of in classes if (kind := _kind(of)) is not None}
    found = [(each, kinds[class_of(each)]) for each in objects if class_of(each) in kinds]
    inner = {id(getattr(each, "_client", None)) for each, kind in found if kind == "sdk"}
    for each, kind in found:
        if kind == "sdk":
            label, http = _label(each), each._client
            yield Client(label, _host(each), each.max_retries, _SDK, _timeout(each.timeout), _breaker(http))
        elif kind == "google":
            options = each._api_client._http_options
            attempts = getattr(options.retry_options, "attempts", None) or 1
            milliseconds = options.timeout
            timeout = inf if milliseconds is None else milliseconds / 1000
            host = urlsplit(options.base_url or "").netloc
            yield Client(_label(each), host, attempts - 1, _GOOGLE, timeout, _breaker(options.httpx_client))
        elif kind == "httpx" and id(each) not in inner:
            retries = max(_retries(transport) for transport in _transports(each))
            yield Client(_label(each), _host(each), retries, _HTTPX, _timeout(each.timeout), _breaker(each))
        elif kind == "requests":
            retries = max((_total(adapter) for adapter in each.adapters.values()), default=0)
            yield Client(_label(each), "", retries, _REQUESTS, None, None)


_KINDS = {
    "openai._base_client.BaseClient": "sdk",
    "anthropic._base_client.BaseClient": "sdk",
    "google.genai.client.Client": "google",
    "httpx.Client": "httpx",
    "httpx.AsyncClient": "httpx",
    "httpx2.Client": "httpx",
    "httpx2.AsyncClient": "httpx",
    "requests.sessions.Session": "requests",
}
_SDK = "max_retries=0 in its constructor"
_GOOGLE = "HttpOptions(retry_options=HttpRetryOptions(attempts=1))"
_HTTPX = "a transport with retries=0"
_REQUESTS = "an HTTPAdapter with max_retries=0"


_SDKS = ("openai", "anthropic", "google")


def _kind(of: type) -> str | None:
    kind = next((_KINDS[name] for name in names_of(of) if name in _KINDS), None)
    # An SDK's own HTTP client is part of the SDK's client.
    return None if kind == "httpx" and of.__module__.split(".", maxsplit=1)[0] in _SDKS else kind


def _label(client: object) -> str:
    """The class, and the name in a module if it has one."""
    # openai and anthropic rename the modules of their classes.
    kind = f"{type(client).__module__.split('.')[0]}.{type(client).__name__}"
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is client:
                return f"{kind} {module.__name__}.{name}"
    return kind


def _host(client: Any) -> str:
    return urlsplit(str(client.base_url)).netloc


def _timeout(timeout: Any) -> float:
    """The longest wait for a part of an answer."""
    seconds = getattr(timeout, "read", timeout)
    return float(seconds) if isinstance(seconds, int | float) else inf


def _transports(client: Any) -> list[Any]:
    mounted = getattr(client, "_mounts", {}).values()
    return [transport for transport in (client._transport, *mounted) if transport is not None]


def _retries(transport: Any) -> int:
    inner = getattr(transport, "_inner", transport)
    return getattr(getattr(inner, "_pool", None), "_retries", 0)


def _total(adapter: Any) -> int:
    """The retries of an adapter of ``requests``, which has them in an object of urllib3."""
    retries = getattr(getattr(adapter, "_inner", adapter), "max_retries", None)
    return getattr(retries, "total", None) or 0


def _breaker(client: Any) -> CircuitBreaker | None:
    for transport in [] if client is None else _transports(client):
        choose = getattr(transport, "_choose", None)
        if isinstance(choose, OneBreaker):
            return choose.breaker
    return None


def _exports_metrics() -> bool:
    prometheus: Any = sys.modules.get("halfopen.prometheus")
    is_registered = prometheus is not None and prometheus.is_registered()
    return is_registered or "halfopen.compat._collectors" in sys.modules


def _has_open_routes(candidate: Any) -> bool:
    state: Any = sys.modules.get("halfopen.fastapi._state")
    return state is not None and type(candidate) is state.Installed and candidate.has_open_routes
