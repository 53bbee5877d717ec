"""The routes that show the breakers. They change nothing."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import JSONResponse

from halfopen.breaker import CircuitBreaker
from halfopen.fastapi._page import POLICY, page_html
from halfopen.fastapi._problems import INVALID, ProblemRoute, problem
from halfopen.fastapi._state import Installed, installed_in

InstalledDependency = Annotated[Installed, Depends(installed_in)]
POLL_SECONDS = 0.25
_NO_STORE = {"Cache-Control": "no-store"}


def unknown(name: str) -> JSONResponse:
    """The answer for a breaker that does not exist."""
    return problem(404, "UNKNOWN_CIRCUIT", f"there is no circuit named {name!r}", circuit=name)


def describe(breaker: CircuitBreaker) -> dict[str, Any]:
    """Everything about one breaker: its status, the sentence that explains it, its newest transitions."""
    return {**breaker.get_status(), "explanation": breaker.explain(), "events": breaker.events()[::-1]}


def read_router(*, stream_seconds: float, steerable: bool, has_providers: bool) -> APIRouter:
    """The routes. An event stream ends after ``stream_seconds``, and its client connects again by itself.

    Servers wait for open responses when they stop, so a stream without an end would hold a deployment up.
    """
    router = APIRouter(tags=["circuit breakers"], route_class=ProblemRoute)

    @router.get("", summary="The status of each circuit breaker")
    async def breakers(installed: InstalledDependency) -> list[dict[str, Any]]:
        return [{**breaker.get_status(), "explanation": breaker.explain()} for breaker in installed.breakers()]

    @router.get("/page", response_class=HTMLResponse, include_in_schema=False)
    async def page() -> HTMLResponse:
        html = page_html(steerable=steerable, has_providers=has_providers)
        return HTMLResponse(html, headers={"Content-Security-Policy": POLICY, **_NO_STORE})

    @router.get(
        "/events",
        response_class=EventSourceResponse,
        summary="Transitions as server-sent events",
        responses=INVALID,
    )
    async def events(
        installed: InstalledDependency, last_event_id: Annotated[str | None, Header()] = None
    ) -> AsyncGenerator[ServerSentEvent]:
        loop = asyncio.get_running_loop()
        end = loop.time() + stream_seconds
        yield ServerSentEvent(comment="transitions of circuit breakers", retry=1_000)
        last = last_event_id
        while loop.time() < end:
            for number, event in installed.events.after(last):
                yield ServerSentEvent(data=event, event="transition", id=number)
                last = number
            await asyncio.sleep(POLL_SECONDS)

    @router.get("/{name:path}", summary="One circuit breaker, explained", response_model=None, responses=INVALID)
    async def breaker(installed: InstalledDependency, name: str) -> dict[str, Any] | JSONResponse:
        found = installed.find(name)
        return unknown(name) if found is None else describe(found)

    return router
