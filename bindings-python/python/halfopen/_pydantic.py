"""Pydantic support of ``CircuitBreakerConfig``. Only pydantic imports this module, so pydantic is optional."""

from typing import Any, cast

from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from halfopen._core import CircuitBreakerConfig, config_json_schema
from halfopen.errors import InvalidValueError


def validator() -> CoreSchema:
    """A schema that accepts a configuration, or a dictionary of its fields."""
    return core_schema.no_info_plain_validator_function(
        _validated,
        ref="halfopen.CircuitBreakerConfig",
        serialization=core_schema.plain_serializer_function_ser_schema(CircuitBreakerConfig.model_dump),
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the core, with types, limits and defaults."""
    return {"title": "CircuitBreakerConfig", **config_json_schema()}


def _validated(value: Any) -> CircuitBreakerConfig:
    try:
        return CircuitBreakerConfig.model_validate(value)
    except InvalidValueError as error:
        refused = PydanticCustomError("invalid_value", "{text}", {"text": str(error), "allowed": error.allowed})
        if not isinstance(value, dict) or error.field == "config":
            raise refused from None
        given = cast("dict[str, Any]", value).get(error.field)
        line = InitErrorDetails(type=refused, loc=(error.field,), input=given)
        raise ValidationError.from_exception_data("CircuitBreakerConfig", [line]) from None
