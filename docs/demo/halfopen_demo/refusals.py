"""Bad input is answered with what was wrong with it (RFC 9457), whoever refused it: the schema or the breaker."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from halfopen import InvalidValueError


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, _by_the_schema)
    app.add_exception_handler(InvalidValueError, _by_the_breaker)


async def _by_the_schema(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # FastAPI's own answer repeats the input, which may be what JSON cannot say: NaN, or half of a surrogate pair.
    errors = [{"field": ".".join(map(str, fault["loc"])), "allowed": fault["msg"]} for fault in error.errors()]
    return _problem(errors)


async def _by_the_breaker(_: Request, error: Exception) -> JSONResponse:
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
