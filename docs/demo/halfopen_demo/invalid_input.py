"""Answers invalid input with a problem document (RFC 9457), in the form of the routes of `halfopen.fastapi`."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from halfopen import InvalidValueError


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, _problem)


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # FastAPI's default answer repeats the input, which may not be valid JSON: NaN, or a lone surrogate.
    errors = [{"field": ".".join(map(str, fault["loc"])), "allowed": fault["msg"]} for fault in error.errors()]
    body = {
        "type": "about:blank",
        "title": HTTPStatus(422).phrase,
        "status": 422,
        "detail": "; ".join(f"{fault['field']}: {fault['allowed']}" for fault in errors),
        "code": InvalidValueError.code,
        "errors": errors,
    }
    return JSONResponse(body, 422, media_type="application/problem+json")
