"""Pydantic support of configurations, and of what orchestrators take and report.

Only pydantic imports this module, so pydantic is optional.
"""

import json
from collections.abc import Callable
from typing import Any, cast

from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from halfopen._core import CircuitBreakerConfig, Need, config_json_schema
from halfopen.breaker import CircuitBreaker
from halfopen.errors import InvalidValueError
from halfopen.orchestration import Resume


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


def breaker_schema() -> CoreSchema:
    """A schema for a breaker, which writes its configuration."""
    return core_schema.is_instance_schema(
        CircuitBreaker, serialization=core_schema.plain_serializer_function_ser_schema(_config_of)
    )


def texts_schema() -> CoreSchema:
    """A schema for any collection of texts."""
    return core_schema.tuple_variable_schema(core_schema.str_schema())


def need_schema() -> CoreSchema:
    """A schema for a ``Need``, or a dictionary with its parts."""
    field = core_schema.typed_dict_field
    parts = {
        "capabilities": field(core_schema.list_schema(core_schema.str_schema()), required=False),
        "size": field(core_schema.int_schema(ge=0), required=False),
    }
    return _object_schema(Need, parts, lambda given: Need(given.get("capabilities"), size=given.get("size")))


def resume_schema() -> CoreSchema:
    """A schema for a ``Resume``, or a dictionary with its parts."""
    field = core_schema.typed_dict_field
    parts = {
        "args": field(core_schema.tuple_variable_schema(core_schema.any_schema()), required=False),
        "need": field(core_schema.nullable_schema(need_schema()), required=False),
    }
    return _object_schema(Resume, parts, lambda given: Resume(*given.get("args", ()), need=given.get("need")))


def _object_schema(
    kind: type[Any], parts: dict[str, core_schema.TypedDictField], create: Callable[[dict[str, Any]], Any]
) -> CoreSchema:
    """A schema for an object, or a dictionary with the attributes from which ``create`` makes it."""
    dictionary = core_schema.typed_dict_schema(parts, extra_behavior="forbid")
    created = core_schema.no_info_after_validator_function(create, dictionary)
    return core_schema.json_or_python_schema(
        created,
        core_schema.union_schema([core_schema.is_instance_schema(kind), created]),
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda value: {name: getattr(value, name) for name in parts}, return_schema=dictionary
        ),
    )


def _config_of(breaker: CircuitBreaker) -> dict[str, Any]:
    return breaker.config.model_dump()


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
