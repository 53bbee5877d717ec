"""Answers invalid input with a problem document (RFC 9457), for errors of the schema and of the breaker."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from halfopen import InvalidValueError


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, _schema_error)
    app.add_exception_handler(InvalidValueError, _breaker_error)


async def _schema_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # FastAPI's default answer repeats the input, which may not be valid JSON: NaN, or a lone surrogate.
    errors = [{"field": ".".join(map(str, fault["loc"])), "allowed": fault["msg"]} for fault in error.errors()]
    return _problem(errors)


async def _breaker_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InvalidValueError)
    return _problem([{"field": error.field, "value": error.value, "allowed": error.allowed}])


def _problem(errors: list[dict[str, str]]) -> JSONResponse:
    body = {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "; ".join(f"{fault['field']}: {fault['allowed']}" for fault in errors),
        "code": InvalidValueError.code,
        "errors": errors,
    }
    return JSONResponse(body, 422, media_type="application/problem+json")
