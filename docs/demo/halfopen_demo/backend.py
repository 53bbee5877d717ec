"""The backend: answers `POST /say` through one of three providers, and shows the state of their circuits."""

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
from halfopen_demo import invalid_input
from halfopen_demo.clients import PROVIDERS, ProviderClient, classify
from halfopen_demo.exchange_log import Exchange, ExchangeLog
from halfopen_demo.failover import FailoverResult, Provider, ask
from halfopen_demo.http_server import add_options, serve
from halfopen_demo.provider import Behaviour

PAGE = Path(__file__).with_name("page.html")
SHOWN_TRANSITIONS = 40
READ_CONTROL_SECONDS = 0.4
"""The page shows a provider that does not answer in time as unreachable."""
SET_CONTROL_SECONDS = 5.0

router = APIRouter()


class Services:
    """The objects that live as long as the backend: the providers with their breakers, and the exchange log."""

    def __init__(self, urls: dict[str, str], *, wait_seconds: float, deadline_seconds: float) -> None:
        # No timeout here: ProviderClient has a deadline for the whole exchange. Loopback needs no proxy.
        self.http = httpx2.AsyncClient(timeout=None, trust_env=False)
        self.exchange_log = ExchangeLog()
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


ServicesDependency = Annotated[Services, Depends(_services)]
ProviderDependency = Annotated[Provider, Depends(_provider)]


class Say(BaseModel):
    text: str = Field(min_length=1, max_length=10_000)


@router.post("/say", response_model=Exchange)
async def say(services: ServicesDependency, body: Say) -> Exchange | JSONResponse:
    """Answers through the first provider that succeeds."""
    at, start = datetime.now(UTC), time.perf_counter()
    result = await ask(list(services.providers.values()), body.text)
    milliseconds = (time.perf_counter() - start) * 1000
    if result.reply:
        return services.exchange_log.record(at, body.text, 200, result, milliseconds)
    if result.client_error_status:
        status, code = result.client_error_status, "TEXT_REFUSED"
    elif result.all_rejected:
        status, code = 503, "ALL_CIRCUITS_OPEN"
    else:
        status, code = 502, "NO_PROVIDER_ANSWERED"
    services.exchange_log.record(at, body.text, status, result, milliseconds)
    return problem(status, code, result)


def problem(status: int, code: str, result: FailoverResult) -> JSONResponse:
    """A problem document (RFC 9457) with the reason, and `Retry-After` if the time is known."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "; ".join(f"{step.provider} {step.outcome} ({step.detail})" for step in result.steps),
        "code": code,
        "steps": [asdict(step) for step in result.steps],
    }
    headers = {"Retry-After": str(result.retry_after)} if status == 503 and result.retry_after else {}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


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


@router.get("/breakers")
def breakers(services: ServicesDependency) -> list[dict[str, Any]]:
    """The status of each breaker."""
    return [dict(provider.breaker.get_status()) for provider in services.providers.values()]


@router.get("/metrics", response_class=Response)
def metrics() -> Response:
    """The metrics for Prometheus."""
    return Response(prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST)


@router.get("/live")
async def live(services: ServicesDependency) -> dict[str, Any]:
    """All data for the page, in one response."""
    providers = services.providers.values()
    controls = await asyncio.gather(*(_read_control(services, provider) for provider in providers))
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
        "exchanges": services.exchange_log.recent(),
    }


async def _read_control(services: Services, provider: Provider) -> dict[str, Any]:
    """The behaviour that the provider reports; `unreachable` if it does not answer (its process was killed)."""
    try:
        answer = await services.http.get(f"{provider.client.url}/control", timeout=READ_CONTROL_SECONDS)
        return dict(answer.json())
    except httpx2.TransportError:
        return {"provider": provider.client.provider, "mode": "unreachable"}


# The control routes use PUT, because a browser sends no PUT from a page of another origin without a CORS preflight.


@router.put("/providers/{name}")
async def set_provider_behaviour(
    services: ServicesDependency, provider: ProviderDependency, behaviour: Behaviour
) -> dict[str, Any]:
    """Breaks or heals the provider itself; its breaker is not informed."""
    url = f"{provider.client.url}/control"
    try:
        answer = await services.http.put(url, json=behaviour.model_dump(), timeout=SET_CONTROL_SECONDS)
    except httpx2.TransportError as error:
        raise HTTPException(502, f"the provider does not answer ({type(error).__name__})") from error
    return dict(answer.json())


class BreakerMode(BaseModel, extra="forbid"):
    mode: Literal["auto", "forced_open"]
    seconds: float | None = Field(default=None, gt=0, description="duration; without it, until a reset")


@router.put("/breakers/{name}")
def set_breaker_mode(provider: ProviderDependency, request: BreakerMode) -> dict[str, Any]:
    """Forces the circuit open, or resets it. A real backend requires authentication here."""
    if request.mode == "forced_open":
        provider.breaker.force_open(request.seconds)
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
    invalid_input.install(app)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", action="append", required=True, metavar="NAME=URL", help="in order of preference")
    parser.add_argument("--wait-seconds", type=float, default=5.0, help="wait before the first probe")
    parser.add_argument("--deadline-seconds", type=float, default=1.0, help="deadline of a call to a provider")
    add_options(parser)
    options = parser.parse_args()
    urls: dict[str, str] = dict(pair.split("=", 1) for pair in options.provider)
    if unknown := urls.keys() - PROVIDERS.keys():
        parser.error(f"unknown provider: {', '.join(sorted(unknown))}")
    halfopen.prometheus.register()
    services = Services(urls, wait_seconds=options.wait_seconds, deadline_seconds=options.deadline_seconds)
    serve(create_app(services), port=options.port, stop_with_parent=options.stop_with_parent)


if __name__ == "__main__":
    main()
