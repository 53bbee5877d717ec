"""The routes that change breakers, mounted only behind the caller's own dependency."""

from collections.abc import Callable
from typing import Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from halfopen._arguments import refused
from halfopen.breaker import CircuitBreaker
from halfopen.errors import InvalidValueError
from halfopen.fastapi._audit import Act
from halfopen.fastapi._problems import INVALID, ProblemRoute, invalid_value, problem
from halfopen.fastapi._read_routes import InstalledDependency, describe, unknown


class _Order(BaseModel, extra="forbid"):
    """An operation of an operator and its reason."""

    order: Literal["force_open", "disable", "reset"]
    reason: str = Field(min_length=1, max_length=500)
    seconds: float | None = Field(default=None, description="of a forced opening; without it, until a reset")


class _Change(BaseModel, extra="forbid"):
    """The fields of the configuration that an operator changes, and why."""

    fields: dict[str, Any] = Field(min_length=1)
    reason: str = Field(min_length=1, max_length=500)


def operator_router(operator: Callable[..., Any]) -> APIRouter:
    """The routes, behind ``operator``: a dependency that authenticates the caller and returns their name.

    PUT and PATCH with a JSON body: a browser sends neither from a page of another origin without a preflight.
    """
    router = APIRouter(tags=["circuit breakers"], route_class=ProblemRoute, responses=INVALID)
    who: Any = Depends(operator)

    @router.get("/audit", summary="The changes by operators, newest first")
    async def audit(installed: InstalledDependency, _: Any = who) -> list[Act]:
        return installed.audit.newest_first()

    @router.put("/{name:path}/order", summary="Force open, disable or reset", response_model=None)
    async def order(
        installed: InstalledDependency, name: str, body: _Order, actor: Any = who
    ) -> dict[str, Any] | JSONResponse:
        if body.seconds is not None and body.order != "force_open":
            no_duration = refused("seconds", body.seconds, "no duration: only a forced opening has one")
            return invalid_value(no_duration)

        def change(breaker: CircuitBreaker) -> None:
            if body.order == "force_open":
                try:
                    breaker.force_open(body.seconds)
                except InvalidValueError as error:
                    raise InvalidValueError("seconds", error.value, error.allowed) from error
            elif body.order == "disable":
                breaker.disable()
            else:
                breaker.reset()
            installed.audit.add(actor, body.order, name, body.reason, seconds=body.seconds)

        return _changed(installed.find(name), name, actor, change)

    @router.patch("/{name:path}/config", summary="Change fields of the configuration", response_model=None)
    async def reconfigure(
        installed: InstalledDependency, name: str, body: _Change, actor: Any = who
    ) -> dict[str, Any] | JSONResponse:
        def change(breaker: CircuitBreaker) -> None:
            if "name" in body.fields:
                raise refused("name", body.fields["name"], "no name: a circuit keeps its own")
            breaker.reconfigure(breaker.config.model_copy(update=body.fields))
            installed.audit.add(actor, "reconfigure", name, body.reason, fields=body.fields)

        return _changed(installed.find(name), name, actor, change)

    return router


def _changed(
    breaker: CircuitBreaker | None, name: str, actor: Any, change: Callable[[CircuitBreaker], None]
) -> dict[str, Any] | JSONResponse:
    """Makes the change for an actor with a name. A dependency that authenticates nobody returns no name."""
    if not isinstance(actor, str) or not actor.strip():
        return problem(403, "UNKNOWN_ACTOR", "the operator dependency has to return the caller's name")
    if breaker is None:
        return unknown(name)
    try:
        change(breaker)
    except InvalidValueError as error:
        return invalid_value(error)
    return describe(breaker)
