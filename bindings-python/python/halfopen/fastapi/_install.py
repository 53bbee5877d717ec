"""The one line that an application calls."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI

from halfopen._arguments import check_seconds, checked_members, refused
from halfopen._inner import AnyBreaker, checked_breaker
from halfopen.breaker import CircuitBreaker
from halfopen.errors import CircuitBreakerOpenError
from halfopen.fastapi._audit import AuditTrail
from halfopen.fastapi._operator_routes import operator_router
from halfopen.fastapi._problems import document, on_all_failed, on_open_circuit
from halfopen.fastapi._provider_routes import provider_router
from halfopen.fastapi._read_routes import read_router
from halfopen.fastapi._state import Installed
from halfopen.orchestration import AllProvidersFailed, Orchestrator
from halfopen.registry import Registry

__all__ = ["Installed", "install"]


def install(
    app: FastAPI,
    registry: Registry | None = None,
    *,
    breakers: Iterable[AnyBreaker] = (),
    orchestrators: Iterable[Orchestrator] = (),
    prefix: str | None = "/breakers",
    viewer: Callable[..., Any] | None = None,
    operator: Callable[..., Any] | None = None,
    stream_seconds: float = 15.0,
) -> Installed:
    """Adds circuit breakers to an application.

    - A ``CircuitBreakerOpenError`` or ``AllProvidersFailed`` that leaves a route becomes 503 with ``Retry-After`` and
      a problem document; a WebSocket is closed with 1013. OpenAPI documents it for each operation.
    - ``Depends(breaker("openai"))`` gives the breaker of that name.
    - ``GET /breakers``, ``/breakers/{name}``, ``/breakers/events`` (server-sent events) and ``/breakers/page`` show the
      breakers of this process. They are for operators: put them behind ``viewer``, or leave them out with
      ``prefix=None``. Use none of them as a liveness probe: a process with an open circuit is alive.
    - With ``operator``, ``PUT /breakers/{name}/order`` and ``PATCH /breakers/{name}/config`` change a breaker, and
      ``GET /breakers/audit`` lists who did and why.

    Args:
        app: The application. Each has its own breakers.
        registry: The breakers by name; by default a new registry for 1,000.
        breakers: Breakers that were created elsewhere, to be shown as well.
        orchestrators: Their providers are shown by ``GET /providers`` and on the page, and their breakers with the
            others. Their background checks run as long as the application, inside its own lifespan.
        prefix: The path of the routes, or ``None`` for no routes.
        viewer: A dependency for the routes that show breakers, for example one that authenticates.
        operator: A dependency that authenticates the caller and returns their name, a non-empty string. Without it no
            route changes a breaker.
        stream_seconds: The longest time that one event stream stays open. A server that stops waits this long for it.

    Raises:
        InvalidValueError: for a value of another kind, ``operator`` without a prefix, a prefix that is not a path, two
            breakers of one name, or an application that has breakers already.

    """
    _check(app, prefix, viewer, operator)
    _check_parts(registry, stream_seconds)
    pools = checked_members("orchestrators", orchestrators, Orchestrator)
    given = tuple({id(it): it for it in (*map(checked_breaker, breakers), *_breakers_of(pools))}.values())
    names = [breaker.name for breaker in given]
    if len(set(names)) < len(names):
        raise refused("breakers", names, "breakers of different names")
    # A registry without breakers is false, because it has a length.
    registry = Registry(1_000) if registry is None else registry
    installed = Installed(registry, given, AuditTrail(1_000), pools, prefix is not None and viewer is None)
    app.state.halfopen = installed
    app.add_exception_handler(CircuitBreakerOpenError, on_open_circuit)  # type: ignore[arg-type]
    app.add_exception_handler(AllProvidersFailed, on_all_failed)  # type: ignore[arg-type]
    _run_checks(app, pools)
    if prefix is None:
        document(app, except_below=())
    else:
        # Beside the breakers, because a breaker may have any name.
        beside = prefix.rpartition("/")[0] + "/providers"
        document(app, except_below=(prefix, beside) if pools else (prefix,))
        guards = [Depends(viewer)] if viewer else []
        if pools:
            app.include_router(provider_router(stream_seconds=stream_seconds), prefix=beside, dependencies=guards)
        if operator is not None:
            app.include_router(operator_router(operator), prefix=prefix)
        view = read_router(stream_seconds=stream_seconds, steerable=operator is not None, has_providers=bool(pools))
        app.include_router(view, prefix=prefix, dependencies=guards)
    return installed


def _run_checks(app: FastAPI, orchestrators: Iterable[Orchestrator]) -> None:
    """Adds the background checks to the application's lifespan, inside of it, so that they may use its clients."""
    original = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[Any]:
        async with original(app) as state, AsyncExitStack() as checks:
            for orchestrator in orchestrators:
                await checks.enter_async_context(orchestrator)
            yield state

    app.router.lifespan_context = lifespan


def _breakers_of(orchestrators: Iterable[Orchestrator]) -> Iterator[CircuitBreaker]:
    for orchestrator in orchestrators:
        for provider in orchestrator.providers:
            yield orchestrator.breaker(provider.id)


def _check(
    app: FastAPI, prefix: str | None, viewer: Callable[..., Any] | None, operator: Callable[..., Any] | None
) -> None:
    if getattr(app.state, "halfopen", None) is not None:
        raise refused("app", app, "an application that has no breakers yet: call install once")
    if prefix is not None and (not prefix.startswith("/") or prefix.endswith("/")):
        raise refused("prefix", prefix, "a path that begins with / and does not end with it, or None")
    for field, dependency in (("viewer", viewer), ("operator", operator)):
        if dependency is not None and not callable(dependency):
            raise refused(field, dependency, "a function, as Depends takes it, or None")
        if dependency is not None and prefix is None:
            raise refused(field, dependency, "None, because there are no routes without a prefix")


def _check_parts(registry: object, stream_seconds: object) -> None:
    if registry is not None and not isinstance(registry, Registry):
        raise refused("registry", registry, "a Registry, or None")
    if stream_seconds is None:
        raise refused("stream_seconds", None, "a number of seconds, because a server that stops waits")
    check_seconds("stream_seconds", stream_seconds)
