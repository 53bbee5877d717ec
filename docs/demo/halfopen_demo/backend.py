"""The backend: answers `POST /say` through one of three providers, and shows how their circuits fare."""

import argparse
import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx2
import prometheus_client
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field
from starlette.middleware.trustedhost import TrustedHostMiddleware

import halfopen.prometheus
from halfopen import CircuitBreaker, CircuitBreakerConfig
from halfopen_demo import refusals
from halfopen_demo.clients import PROVIDERS, ProviderClient, classify
from halfopen_demo.failover import Course, Provider, ask
from halfopen_demo.journal import Exchange, Journal
from halfopen_demo.provider import Behaviour
from halfopen_demo.serving import add_options, serve

PAGE = Path(__file__).with_name("page.html")
SHOWN_TRANSITIONS = 40
CONTROL_SECONDS = 0.4

router = APIRouter()


class Services:
    """What lives as long as the backend: the providers with their breakers, and the journal."""

    def __init__(self, urls: dict[str, str], *, wait_seconds: float, deadline_seconds: float) -> None:
        # The deadline is the client's own, over the whole exchange, and loopback needs no proxy.
        self.http = httpx2.AsyncClient(timeout=None, trust_env=False)
        self.journal = Journal()
        self.providers: dict[str, Provider] = {}
        for name, url in urls.items():
            config = CircuitBreakerConfig(
                name=f"provider_{name}",
                failure_threshold=3,
                success_threshold=2,
                timeout_seconds=wait_seconds,
                half_open_max_calls=1,
            )
            breaker = CircuitBreaker(config, provider_id=name, classify=classify)
            self.providers[name] = Provider(ProviderClient(name, url, self.http, deadline_seconds), breaker)


def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


def _provider(request: Request, name: str) -> Provider:
    try:
        return _services(request).providers[name]
    except KeyError:
        raise HTTPException(404, f"no provider {name!r}") from None


TheServices = Annotated[Services, Depends(_services)]
TheProvider = Annotated[Provider, Depends(_provider)]


class Say(BaseModel):
    text: str = Field(min_length=1, max_length=10_000)


@router.post("/say", response_model=Exchange)
async def say(services: TheServices, body: Say) -> Exchange | JSONResponse:
    """Answers through the best provider that can."""
    at, start = datetime.now(UTC), time.perf_counter()
    course = await ask(list(services.providers.values()), body.text)
    milliseconds = (time.perf_counter() - start) * 1000
    if course.reply:
        return services.journal.enter(at, body.text, 200, course, milliseconds)
    if course.callers_fault:
        status, code = course.callers_fault, "TEXT_REFUSED"
    elif course.all_rejected:
        status, code = 503, "ALL_CIRCUITS_OPEN"
    else:
        status, code = 502, "NO_PROVIDER_ANSWERED"
    services.journal.enter(at, body.text, status, course, milliseconds)
    return problem(status, code, course)


def problem(status: int, code: str, course: Course) -> JSONResponse:
    """Tells a client why there is no answer (RFC 9457), and when to come again where that is known."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "; ".join(f"{step.provider} {step.outcome} ({step.detail})" for step in course.steps),
        "code": code,
        "steps": [asdict(step) for step in course.steps],
    }
    headers = {"Retry-After": str(course.retry_after)} if status == 503 and course.retry_after else {}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


@router.get("/answers/{number}/audio", response_class=Response)
def audio(services: TheServices, number: int) -> Response:
    """The sound of one of the recent answers."""
    if sound := services.journal.audio(number):
        return Response(sound, media_type="audio/wav")
    raise HTTPException(404, "no such sound, or too long ago")


@router.get("/", response_class=HTMLResponse)
def page() -> HTMLResponse:
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    policy += "connect-src 'self'; media-src 'self'; frame-ancestors 'none'"
    return HTMLResponse(PAGE.read_text("utf-8"), headers={"Content-Security-Policy": policy})


@router.get("/breakers")
def breakers(services: TheServices) -> list[dict[str, Any]]:
    """The status of each breaker, as the breaker tells it."""
    return [dict(provider.breaker.get_status()) for provider in services.providers.values()]


@router.get("/metrics", response_class=Response)
def metrics() -> Response:
    """The same, and more, for Prometheus."""
    return Response(prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST)


@router.get("/live")
async def live(services: TheServices) -> dict[str, Any]:
    """All that the page shows, in one piece."""
    providers = services.providers.values()
    controls = await asyncio.gather(*(_control(services, provider) for provider in providers))
    events = [(event, p.client.provider) for p in providers for event in reversed(p.breaker.events())]
    events.sort(key=lambda pair: pair[0].at, reverse=True)
    transitions = [
        {
            "provider": provider,
            "sequence": event.sequence,
            "at": event.at,
            "from_state": event.from_state,
            "to_state": event.to_state,
            "cause": event.cause,
        }
        for event, provider in events[:SHOWN_TRANSITIONS]
    ]
    return {
        "breakers": breakers(services),
        "providers": controls,
        "transitions": transitions,
        "exchanges": services.journal.recent(),
    }


async def _control(services: Services, provider: Provider) -> dict[str, Any]:
    """How the provider's program says it is; `unreachable` where it says nothing (somebody killed it)."""
    try:
        answer = await services.http.get(f"{provider.client.url}/control", timeout=CONTROL_SECONDS)
        return dict(answer.json())
    except httpx2.TransportError:
        return {"provider": provider.client.provider, "mode": "unreachable"}


# What steers is PUT: a browser does not send that for a page of another origin without asking first.


@router.put("/providers/{name}")
async def steer_provider(services: TheServices, provider: TheProvider, behaviour: Behaviour) -> dict[str, Any]:
    """Breaks or heals the provider itself; its breaker is told nothing."""
    url = f"{provider.client.url}/control"
    try:
        answer = await services.http.put(url, json=behaviour.model_dump(), timeout=CONTROL_SECONDS)
    except httpx2.TransportError as error:
        raise HTTPException(502, f"the provider's program does not answer ({type(error).__name__})") from error
    return dict(answer.json())


class Circuit(BaseModel, extra="forbid"):
    mode: Literal["auto", "forced_open"]
    seconds: float | None = Field(default=None, gt=0, description="for how long; until a reset where left out")


@router.put("/breakers/{name}")
def steer_breaker(provider: TheProvider, circuit: Circuit) -> dict[str, Any]:
    """Forces the circuit open, or resets it. A real backend puts this behind its own log-in."""
    if circuit.mode == "forced_open":
        provider.breaker.force_open(circuit.seconds)
    else:
        provider.breaker.reset()
    return dict(provider.breaker.get_status())


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    services: Services = app.state.services
    async with services.http:
        yield


def create_app(services: Services) -> FastAPI:
    app = FastAPI(title="halfopen demo", lifespan=_lifespan)
    app.state.services = services
    app.include_router(router)
    refusals.install(app)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", action="append", required=True, metavar="NAME=URL", help="best first")
    parser.add_argument("--wait-seconds", type=float, default=5.0, help="from open to the first probe")
    parser.add_argument("--deadline-seconds", type=float, default=1.0, help="our patience with a provider")
    add_options(parser)
    options = parser.parse_args()
    urls: dict[str, str] = dict(pair.split("=", 1) for pair in options.provider)
    if unknown := urls.keys() - PROVIDERS.keys():
        parser.error(f"unknown provider: {', '.join(sorted(unknown))}")
    halfopen.prometheus.register()
    services = Services(urls, wait_seconds=options.wait_seconds, deadline_seconds=options.deadline_seconds)
    serve(create_app(services), port=options.port, leash=options.leash)


if __name__ == "__main__":
    main()
