"""The routes that show the breakers. They change nothing."""

import asyncio
from collections.abc import AsyncGenerator
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import JSONResponse

from halfopen.breaker import CircuitBreaker
from halfopen.fastapi._problems import problem
from halfopen.fastapi._state import Installed, installed_in

InstalledDependency = Annotated[Installed, Depends(installed_in)]
POLL_SECONDS = 0.25
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_NO_STORE = {"Cache-Control": "no-store"}


def unknown(name: str) -> JSONResponse:
    """The answer for a breaker that does not exist."""
    return problem(404, "UNKNOWN_CIRCUIT", f"there is no circuit named {name!r}", circuit=name)


def describe(breaker: CircuitBreaker) -> dict[str, Any]:
    """Everything about one breaker: its status, the sentence that explains it, its newest transitions."""
    return {**breaker.get_status(), "explanation": breaker.explain(), "events": breaker.events()[::-1]}


def read_router(*, stream_seconds: float, steerable: bool) -> APIRouter:
    """The routes. An event stream ends after ``stream_seconds``, and its client connects again by itself.

    Servers wait for open responses when they stop, so a stream without an end would hold a deployment up.
    """
    router = APIRouter(tags=["circuit breakers"])

    @router.get("", summary="The status of each circuit breaker")
    async def breakers(installed: InstalledDependency) -> list[dict[str, Any]]:
        return [{**breaker.get_status(), "explanation": breaker.explain()} for breaker in installed.breakers()]

    @router.get("/page", response_class=HTMLResponse, include_in_schema=False)
    async def page() -> HTMLResponse:
        html = files("halfopen.fastapi").joinpath("page.html").read_text("utf-8")
        html = html.replace("{{steerable}}", str(steerable).lower())
        return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY, **_NO_STORE})

    @router.get("/events", response_class=EventSourceResponse, summary="Transitions as server-sent events")
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

    @router.get("/{name:path}", summary="One circuit breaker, explained", response_model=None)
    async def breaker(installed: InstalledDependency, name: str) -> dict[str, Any] | JSONResponse:
        found = installed.find(name)
        return unknown(name) if found is None else describe(found)

    return router
