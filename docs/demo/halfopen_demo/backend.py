"""The backend: answers through whichever provider works, and shows why it chose which."""

import argparse
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from math import ceil
from pathlib import Path
from typing import Annotated, Any

import httpx2
import prometheus_client
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel, Field
from starlette.middleware.trustedhost import TrustedHostMiddleware

import halfopen.fastapi
import halfopen.prometheus
from halfopen.orchestration import AllProvidersFailed
from halfopen_demo import invalid_input, live
from halfopen_demo.clients import CLIENT_ERRORS, PROVIDERS
from halfopen_demo.exchange_log import Exchange
from halfopen_demo.http_server import add_options, serve
from halfopen_demo.provider import Behaviour
from halfopen_demo.services import Services
from halfopen_demo.steps import Step, failed_step, steps_of, steps_of_failure
from halfopen_demo.streaming import Telling

PAGE = Path(__file__).with_name("page.html")
SET_CONTROL_SECONDS = 5.0

router = APIRouter()


def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


ServicesDependency = Annotated[Services, Depends(_services)]


class Say(BaseModel):
    text: str = Field(min_length=1, max_length=10_000)
    session: str | None = Field(default=None, max_length=100, description="a conversation, which stays with a provider")


@router.post("/say", response_model=Exchange)
async def say(services: ServicesDependency, body: Say) -> Exchange | JSONResponse:
    """The whole answer of the first provider that succeeds."""
    at, start = datetime.now(UTC), time.perf_counter()
    events = services.events_of_this_request()
    try:
        reply, report = await services.orchestrator.call_with_report(services.clients.ask, body.text)
    except (AllProvidersFailed, httpx2.HTTPStatusError) as error:
        milliseconds = (time.perf_counter() - start) * 1000
        response, steps = problem(error)
        services.exchange_log.record(at, body.text, response.status_code, steps, reply=None, milliseconds=milliseconds)
        return response
    milliseconds = (time.perf_counter() - start) * 1000
    steps = steps_of(events, report.attempts)
    return services.exchange_log.record(at, body.text, 200, steps, reply=reply, milliseconds=milliseconds)


@router.post("/tell", response_class=StreamingResponse)
async def tell(services: ServicesDependency, body: Say) -> Response:
    """The answer token by token, as server-sent events. In mid-outage it moves to the next provider."""
    telling = Telling(services, body.text, body.session)
    try:
        await telling.begin()
    except (AllProvidersFailed, httpx2.HTTPStatusError) as error:
        response, steps = problem(error)
        milliseconds = (time.perf_counter() - telling.start) * 1000
        services.exchange_log.record(
            telling.at, body.text, response.status_code, steps, reply=None, milliseconds=milliseconds
        )
        return response
    return StreamingResponse(telling.sse(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def problem(error: AllProvidersFailed | httpx2.HTTPStatusError) -> tuple[JSONResponse, list[Step]]:
    """A problem document (RFC 9457) with the reason, and `Retry-After` if the time is known."""
    headers: dict[str, str] = {}
    if isinstance(error, AllProvidersFailed):
        status, code, steps = 503, str(error.code), steps_of_failure(error)
        if error.retry_after is not None:
            headers["Retry-After"] = str(ceil(error.retry_after))
    else:
        status = error.response.status_code
        code = "TEXT_REFUSED" if status in CLIENT_ERRORS else "REQUEST_REFUSED"
        steps = [failed_step(provider_at(error.request), error)]
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "; ".join(f"{step.provider} {step.outcome.replace('_', ' ')} ({step.detail})" for step in steps),
        "code": code,
        "steps": [asdict(step) for step in steps],
    }
    return JSONResponse(body, status, headers, media_type="application/problem+json"), steps


def provider_at(request: httpx2.Request) -> str:
    """The provider whose path a request has."""
    path = request.url.raw_path.decode()
    paths = ((name, {api.path, api.stream_path}) for name, api in PROVIDERS.items())
    return next(name for name, known in paths if path in known)


@router.get("/answers/{number}/audio", response_class=Response)
def audio(services: ServicesDependency, number: int) -> Response:
    """The audio of a recent answer."""
    if content := services.exchange_log.audio(number):
        return Response(content, media_type="audio/wav")
    raise HTTPException(404, "no such audio, or no longer kept")


@router.get("/", response_class=HTMLResponse)
def page() -> HTMLResponse:
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    policy += "connect-src 'self'; media-src 'self'; frame-ancestors 'none'"
    return HTMLResponse(PAGE.read_text("utf-8"), headers={"Content-Security-Policy": policy})


@router.get("/metrics", response_class=Response)
def metrics() -> Response:
    """The metrics for Prometheus."""
    return Response(prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST)


@router.get("/log.jsonl", response_class=PlainTextResponse)
def log(services: ServicesDependency) -> str:
    """The recorded calls, for `python -m halfopen replay` and the simulator's page."""
    return "".join(f"{json.dumps(record)}\n" for record in services.recorder.records())


@router.get("/live")
async def read_live(services: ServicesDependency) -> dict[str, Any]:
    """All data for the page, in one response."""
    return await live.read(services)


# PUT, because a browser sends no PUT from a page of another origin without a CORS preflight.
@router.put("/simulated/{name}")
async def set_behaviour(services: ServicesDependency, name: str, behaviour: Behaviour) -> dict[str, Any]:
    """Breaks or heals the simulated provider itself; its breaker is not informed."""
    if name not in services.clients.urls:
        raise HTTPException(404, f"no provider {name!r}")
    url = f"{services.clients.urls[name]}/control"
    try:
        answer = await services.clients.http.put(url, json=behaviour.model_dump(), timeout=SET_CONTROL_SECONDS)
    except httpx2.TransportError as error:
        raise HTTPException(502, f"the provider does not answer ({type(error).__name__})") from error
    return dict(answer.json())


def operator() -> str:
    """Lets everyone operate the demo, which listens on loopback only. A real backend authenticates here."""
    return "visitor"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    services: Services = app.state.services
    async with services.clients.http:
        yield


def create_app(services: Services) -> FastAPI:
    app = FastAPI(title="halfopen demo", lifespan=_lifespan)
    app.state.services = services
    app.include_router(router)
    halfopen.fastapi.install(app, orchestrators=[services.orchestrator], operator=operator, stream_seconds=0.5)
    invalid_input.install(app)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", action="append", required=True, metavar="NAME=URL", help="in order of preference")
    parser.add_argument("--wait-seconds", type=float, default=5.0, help="wait before the first probe")
    parser.add_argument("--deadline-seconds", type=float, default=1.0, help="deadline of a call, and of each token")
    parser.add_argument("--slow-start-seconds", type=float, default=10.0, help="until a healed provider has its share")
    add_options(parser)
    options = parser.parse_args()
    urls: dict[str, str] = dict(pair.split("=", 1) for pair in options.provider)
    if unknown := urls.keys() - PROVIDERS.keys():
        parser.error(f"unknown provider: {', '.join(sorted(unknown))}")
    halfopen.prometheus.register()
    services = Services(
        urls,
        wait_seconds=options.wait_seconds,
        deadline_seconds=options.deadline_seconds,
        slow_start_seconds=options.slow_start_seconds,
    )
    serve(create_app(services), port=options.port, stop_with_parent=options.stop_with_parent)


if __name__ == "__main__":
    main()
