"""A rejected call as an HTTP answer: a problem document (RFC 9457) with ``Retry-After``."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from math import ceil
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketState

from halfopen.errors import CircuitBreakerOpenError, InvalidValueError
from halfopen.orchestration import AllProvidersFailed

MEDIA_TYPE = "application/problem+json"
TRY_AGAIN_LATER = 1013
"""The close code of a WebSocket whose provider is out of service (IANA's registry of close codes)."""


def problem(status: int, code: str, detail: str, *, retry_after: float | None = None, **members: Any) -> JSONResponse:
    """A problem document; ``Retry-After`` is in whole seconds, rounded up, and left out if the wait is unknown."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }
    headers = {"Cache-Control": "no-store"}
    if retry_after is not None:
        headers["Retry-After"] = str(ceil(retry_after))
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def invalid_value(error: InvalidValueError) -> JSONResponse:
    """The answer to an operator's value that the core refuses."""
    return _invalid(str(error), [{"field": error.field, "value": error.value, "allowed": error.allowed}])


class ProblemRoute(APIRoute):
    """A route that reports input that its schema refuses in the same form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route's requests."""
        original = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await original(request)
            except RequestValidationError as error:
                # FastAPI's own answer repeats the input, which may not be valid JSON: NaN, or a lone surrogate.
                faults = [{"field": ".".join(map(str, it["loc"])), "allowed": it["msg"]} for it in error.errors()]
                return _invalid("; ".join(f"{it['field']}: {it['allowed']}" for it in faults), faults)

        return handle


def _invalid(detail: str, errors: list[dict[str, Any]]) -> JSONResponse:
    return problem(422, InvalidValueError.code, detail, errors=errors)


async def on_open_circuit(connection: Request | WebSocket, error: Exception) -> JSONResponse | None:
    """The exception handler: 503 for a request; a WebSocket is closed with 1013."""
    assert isinstance(error, CircuitBreakerOpenError)
    if isinstance(connection, WebSocket):
        if connection.application_state is not WebSocketState.DISCONNECTED:
            await connection.close(TRY_AGAIN_LATER, f"circuit {error.circuit_name!r} is open"[:120])
        return None
    return problem(
        503,
        error.code,
        str(error),
        retry_after=error.retry_after,
        circuit=error.circuit_name,
        reason=error.reason,
        retry_after_seconds=error.retry_after,
    )


async def on_all_failed(connection: Request | WebSocket, error: Exception) -> JSONResponse | None:
    """The same where no provider of an orchestrator answered."""
    assert isinstance(error, AllProvidersFailed)
    if isinstance(connection, WebSocket):
        if connection.application_state is not WebSocketState.DISCONNECTED:
            await connection.close(TRY_AGAIN_LATER, "no provider answered")
        return None
    return problem(
        503,
        error.code,
        str(error),
        retry_after=error.retry_after,
        ended_by=error.ended_by,
        providers=[
            {"provider": it.provider, "reason": it.reason, "retry_after_seconds": it.retry_after}
            for it in error.failures
        ],
        retry_after_seconds=error.retry_after,
    )


_UNAVAILABLE = {
    "description": "A circuit breaker rejected the call to a provider, or no provider answered.",
    "headers": {
        "Retry-After": {
            "description": "Seconds until a call may be admitted. Missing if unknown.",
            "schema": {"type": "integer", "minimum": 0},
        }
    },
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/UnavailableProblem"}}},
}
_SECONDS_OR_NULL = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]}
_SCHEMA = {
    "title": "UnavailableProblem",
    "description": "A problem document (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "const": 503},
        "detail": {"type": "string"},
        "code": {"type": "string", "examples": [CircuitBreakerOpenError.code, AllProvidersFailed.code]},
        "circuit": {"type": "string"},
        "reason": {"type": "string"},
        "retry_after_seconds": _SECONDS_OR_NULL,
        "ended_by": {"type": "string"},
        "providers": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["provider", "reason", "retry_after_seconds"],
                "properties": {
                    "provider": {"type": "string"},
                    "reason": {"type": "string"},
                    "retry_after_seconds": _SECONDS_OR_NULL,
                },
            },
        },
    },
}
INVALID: dict[int | str, dict[str, Any]] = {
    422: {
        "description": "A value that is not allowed.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/InvalidValueProblem"}}},
    }
}
"""The answer to invalid input, for OpenAPI."""
_INVALID_SCHEMA = {
    "title": "InvalidValueProblem",
    "description": "A problem document (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "const": 422},
        "detail": {"type": "string"},
        "code": {"type": "string", "const": InvalidValueError.code},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "allowed"],
                "properties": {name: {"type": "string"} for name in ("field", "value", "allowed")},
            },
        },
    },
}
_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def document(app: FastAPI, except_below: tuple[str, ...]) -> None:
    """Adds the 503 answer to each operation in the OpenAPI schema, except those below our own prefixes."""
    original: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        schema = original()
        for path, operations in schema.get("paths", {}).items():
            if path.startswith(except_below):
                continue
            for method, operation in operations.items():
                if method in _METHODS:
                    operation.setdefault("responses", {}).setdefault("503", _UNAVAILABLE)
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas |= {"UnavailableProblem": _SCHEMA, "InvalidValueProblem": _INVALID_SCHEMA}
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
