"""Pydantic support of configurations and reports. Only pydantic imports this module, so pydantic is optional."""

import json
from typing import Any, cast

from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from halfopen._core import CircuitBreakerConfig, config_json_schema
from halfopen.errors import InvalidValueError


def validator() -> CoreSchema:
    """A schema that accepts a configuration, or a dictionary of its fields.

    As everywhere in pydantic, a number may be a text, because values of environment variables always are.
    """
    return core_schema.no_info_plain_validator_function(
        _validated,
        ref="halfopen.CircuitBreakerConfig",
        serialization=core_schema.plain_serializer_function_ser_schema(CircuitBreakerConfig.model_dump),
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the core, with types, limits and defaults."""
    return {"title": "CircuitBreakerConfig", **config_json_schema()}


def error_schema() -> CoreSchema:
    """A schema for an exception or ``None``, which writes the name of the class."""
    return core_schema.nullable_schema(
        core_schema.is_instance_schema(Exception),
        serialization=core_schema.plain_serializer_function_ser_schema(
            _class_name, return_schema=core_schema.nullable_schema(core_schema.str_schema())
        ),
    )


def _class_name(error: Exception | None) -> str | None:
    return None if error is None else type(error).__name__


def _validated(value: Any) -> CircuitBreakerConfig:
    try:
        return CircuitBreakerConfig.model_validate(_without_texts(value))
    except InvalidValueError as error:
        refused = PydanticCustomError("invalid_value", "{text}", {"text": str(error), "allowed": error.allowed})
        if not isinstance(value, dict) or error.field == "config":
            raise refused from None
        given = cast("dict[str, Any]", value).get(error.field)
        line = InitErrorDetails(type=refused, loc=(error.field,), input=given)
        raise ValidationError.from_exception_data("CircuitBreakerConfig", [line]) from None


def _without_texts(config: Any) -> Any:
    if not isinstance(config, dict):
        return config
    fields: dict[Any, Any] = {**config}
    return {name: value if name == "name" else _parsed(value) for name, value in fields.items()}


def _parsed(value: Any) -> Any:
    """A number, truth value, ``null`` or window in place of its text; other texts stay and are refused."""
    if isinstance(value, str):
        try:
            # In lower case because Python writes `True`.
            return json.loads(value.lower())
        except (ValueError, RecursionError):
            return value
    return _without_texts(value)
