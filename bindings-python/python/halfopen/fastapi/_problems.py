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
    summary = f"circuit {error.circuit_name!r} is open"
    return await _unavailable(connection, error, summary, circuit=error.circuit_name, reason=error.reason)


async def on_all_failed(connection: Request | WebSocket, error: Exception) -> JSONResponse | None:
    """The same where no provider of an orchestrator answered."""
    assert isinstance(error, AllProvidersFailed)
    providers = [
        {"provider": it.provider, "reason": it.reason, "retry_after_seconds": it.retry_after} for it in error.failures
    ]
    summary = "no provider answered"
    return await _unavailable(connection, error, summary, ended_by=error.ended_by, providers=providers)


async def _unavailable(
    connection: Request | WebSocket, error: CircuitBreakerOpenError | AllProvidersFailed, summary: str, **members: Any
) -> JSONResponse | None:
    wait = error.retry_after
    if not isinstance(connection, WebSocket):
        return problem(503, error.code, str(error), retry_after=wait, **members, retry_after_seconds=wait)
    if connection.application_state is not WebSocketState.DISCONNECTED:
        await connection.close(TRY_AGAIN_LATER, summary[:120])
    return None


def _answer(description: str, schema: str, **members: Any) -> dict[str, Any]:
    """An answer with a problem document, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, **members, "content": content}


def _object(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def _document(title: str, status: int, code: dict[str, Any], members: dict[str, Any], *optional: str) -> dict[str, Any]:
    """The schema of a problem document, by its title."""
    frame = {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer", "const": status},
        "detail": _TEXT,
        "code": {**_TEXT, **code},
    }
    described = {"title": title, "description": "A problem document (RFC 9457)."}
    return {title: {**described, **_object({**frame, **members}, *optional)}}


_TEXT = {"type": "string"}
_SECONDS_OR_NULL = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]}
_RETRY_AFTER = {
    "description": "Seconds until a call may be admitted. Missing if unknown.",
    "schema": {"type": "integer", "minimum": 0},
}
_UNAVAILABLE = _answer(
    "A circuit breaker rejected the call to a provider, or no provider answered.",
    "UnavailableProblem",
    headers={"Retry-After": _RETRY_AFTER},
)
INVALID: dict[int | str, dict[str, Any]] = {422: _answer("A value that is not allowed.", "InvalidValueProblem")}
"""The answer to invalid input, for OpenAPI."""
_WHY_UNAVAILABLE = {"reason": _TEXT, "retry_after_seconds": _SECONDS_OR_NULL}
_SCHEMAS = {
    **_document(
        "UnavailableProblem",
        503,
        {"examples": [CircuitBreakerOpenError.code, AllProvidersFailed.code]},
        {
            "circuit": _TEXT,
            **_WHY_UNAVAILABLE,
            "ended_by": _TEXT,
            "providers": {"type": "array", "items": _object({"provider": _TEXT, **_WHY_UNAVAILABLE})},
        },
        *("circuit", "reason", "retry_after_seconds", "ended_by", "providers"),
    ),
    **_document(
        "InvalidValueProblem",
        422,
        {"const": InvalidValueError.code},
        {
            "errors": {
                "type": "array",
                "items": _object({"field": _TEXT, "value": _TEXT, "allowed": _TEXT}, "value"),
            }
        },
    ),
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
        schema.setdefault("components", {}).setdefault("schemas", {}).update(_SCHEMAS)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
