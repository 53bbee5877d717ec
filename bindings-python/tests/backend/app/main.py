"""The backend's API."""

import os
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from pydantic import BaseModel

from app.logs import configure as configure_logs
from app.patterns.circuit_breaker import CircuitBreakerConfig, CircuitBreakerMetrics, CircuitBreakerOpenError
from app.sessions import Session
from app.settings import Settings


class Status(BaseModel):
    name: str
    provider_id: str
    state: str
    retry_after_seconds: float | None
    metrics: dict[str, int | float | str | None]
    config: dict[str, int | float]


configure_logs()
settings = Settings()
sessions = {provider: Session(provider, settings.breaker_of(provider)) for provider in settings.providers}
api = FastAPI()


@api.exception_handler(CircuitBreakerOpenError)
async def unavailable(_request: Request, error: CircuitBreakerOpenError) -> JSONResponse:
    return JSONResponse(
        {"detail": str(error.args[0]), "circuit": error.circuit_name},
        status_code=503,
        headers={"Retry-After": str(int(error.retry_after) + 1)},
    )


@api.post("/say/{provider}")
async def say(provider: str, text: str) -> dict[str, str]:
    try:
        return {"said": await sessions[provider].say(text)}
    except ConnectionError:
        raise HTTPException(502) from None


@api.post("/down/{provider}")
async def down(provider: str, down: bool) -> None:
    sessions[provider].down = down


@api.get("/status/{provider}")
async def status(provider: str) -> Status:
    document: dict[str, Any] = sessions[provider].breaker.get_status()
    return Status.model_validate(document)


@api.get("/counters/{provider}")
async def counters(provider: str) -> CircuitBreakerMetrics:
    return sessions[provider].breaker.metrics


@api.get("/config/{provider}")
async def config(provider: str) -> CircuitBreakerConfig:
    return sessions[provider].breaker.config


@api.put("/config/{provider}")
async def change(provider: str, config: CircuitBreakerConfig) -> CircuitBreakerConfig:
    sessions[provider].breaker.config = config
    return config


@api.post("/open/{provider}")
async def force_open(provider: str) -> None:
    await sessions[provider].breaker.force_open()


@api.post("/reset/{provider}")
async def reset(provider: str) -> None:
    await sessions[provider].breaker.reset()


@api.get("/metrics")
async def metrics() -> Response:
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")
