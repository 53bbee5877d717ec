"""Pydantic support of configurations, and of what orchestrators take and report.

Only pydantic imports this module, so pydantic is optional.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from halfopen._core import CircuitBreakerConfig, Need, config_json_schema
from halfopen.breaker import CircuitBreaker
from halfopen.errors import InvalidValueError
from halfopen.orchestration import Resume
from halfopen.orchestration._breaks import check_on_break

_DEFAULTS = CircuitBreakerConfig().model_dump()
_TOLERANT: dict[str, Any] = {
    "failure_rate_threshold": 1,
    "slow_call_seconds": 1,
    "minimum_calls": 1,
    "timeout_seconds": 1e-9,
}
"""Values with which the rules between fields allow every allowed value of one further field."""


def validator() -> CoreSchema:
    """A schema that accepts a configuration, or a dictionary of its fields.

    As everywhere in pydantic, a number may be a text, because values of environment variables always are.
    """
    return core_schema.no_info_plain_validator_function(
        _validated,
        ref="halfopen.CircuitBreakerConfig",
        serialization=core_schema.plain_serializer_function_ser_schema(_fields, info_arg=True),
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the core, with types, limits and defaults."""
    return {"title": "CircuitBreakerConfig", **config_json_schema()}


def null_json() -> dict[str, Any]:
    """The JSON Schema of ``null``."""
    # Not `PydanticOmit`: FastAPI asks for the schema of a parameter alone, from which nothing can be left out.
    return {"type": "null"}


def field_schema(name: str) -> CoreSchema:
    """A schema for this field of a configuration."""
    return core_schema.no_info_plain_validator_function(partial(_field, name))


def field_json(name: str) -> Any:
    """Its JSON Schema."""
    return json_schema()["properties"][name]


def parameter_json(name: str) -> Any:
    """The JSON Schema of this field as a parameter of a query, in which an object is a text."""
    schema = field_json(name)
    if not isinstance(schema["default"], dict):
        return schema
    return {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}


def object_in_query() -> CoreSchema:
    """A schema that writes the default of such a field as its text."""
    return core_schema.any_schema(serialization=core_schema.plain_serializer_function_ser_schema(json.dumps))


def error_schema() -> CoreSchema:
    """A schema for an exception or ``None``, which writes the name of the class."""
    return core_schema.nullable_schema(
        core_schema.is_instance_schema(Exception),
        serialization=core_schema.plain_serializer_function_ser_schema(
            _class_name, return_schema=core_schema.nullable_schema(core_schema.str_schema())
        ),
    )


def error_json() -> dict[str, Any]:
    """Its JSON Schema."""
    return {"anyOf": [{"type": "string"}, {"type": "null"}]}


def breaker_schema() -> CoreSchema:
    """A schema for a breaker, a configuration or ``None``, which writes the configuration."""
    return _kept_or(
        CircuitBreaker,
        core_schema.nullable_schema(validator()),
        core_schema.plain_serializer_function_ser_schema(_config_of),
    )


def breaker_json() -> dict[str, Any]:
    """Its JSON Schema."""
    return {"anyOf": [json_schema(), {"type": "null"}]}


def on_break_schema() -> CoreSchema:
    """A schema for the handling of a broken stream."""
    return core_schema.no_info_plain_validator_function(_on_break)


def on_break_json() -> dict[str, Any]:
    """Its JSON Schema."""
    return {"enum": ["raise", "restart"], "type": "string"}


def checked_schema(schema: CoreSchema) -> CoreSchema:
    """The schema of a class that refuses values itself: a refusal names the field, as those of pydantic do."""
    return core_schema.no_info_wrap_validator_function(_at_its_field, schema)


def texts_schema() -> CoreSchema:
    """A schema for any collection of texts."""
    return core_schema.tuple_variable_schema(core_schema.str_schema())


def need_schema() -> CoreSchema:
    """A schema for a ``Need``, or a dictionary with its parts."""
    field = core_schema.typed_dict_field
    parts = {
        "capabilities": field(core_schema.list_schema(core_schema.str_schema()), required=False),
        "size": field(size_schema(), required=False),
    }
    return _object_schema(Need, parts, lambda given: Need(given.get("capabilities"), size=given.get("size")))


def size_schema() -> CoreSchema:
    """A schema for the size of a ``Need``."""
    return core_schema.int_schema(ge=0)


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
    return _kept_or(
        kind,
        core_schema.no_info_after_validator_function(create, dictionary),
        core_schema.plain_serializer_function_ser_schema(
            lambda value: {name: getattr(value, name) for name in parts}, return_schema=dictionary
        ),
    )


def _kept_or(kind: type[Any], schema: CoreSchema, serialization: core_schema.SerSchema) -> CoreSchema:
    """A schema that accepts an object of this class as it is."""
    # Not a union, because the location of an error would name its members.
    return core_schema.no_info_wrap_validator_function(
        lambda value, validate: value if isinstance(value, kind) else validate(value),
        schema,
        serialization=serialization,
    )


def _fields(config: CircuitBreakerConfig, info: core_schema.SerializationInfo) -> dict[str, Any]:
    fields = config.model_dump()
    included = fields if info.include is None else info.include
    return {
        name: value
        for name, value in fields.items()
        if name in included
        and not _names_whole(info.exclude, name)
        and not (info.exclude_none and value is None)
        and not (info.exclude_defaults and value == _DEFAULTS[name])
    }


def _names_whole(exclude: Any, name: str) -> bool:
    """Whether pydantic's ``exclude``, a set of names or a dictionary by name, leaves out a field and not only parts."""
    return name in (exclude or ()) and (not isinstance(exclude, dict) or exclude[name] in (True, ...))


def _field(name: str, value: Any) -> Any:
    try:
        return getattr(CircuitBreakerConfig(**{**_TOLERANT, name: _without_text(name, value)}), name)
    except InvalidValueError as error:
        raise _refusal(error) from None


def _on_break(value: Any) -> Any:
    try:
        check_on_break(value)
    except InvalidValueError as error:
        raise _refusal(error) from None
    return value


def _at_its_field(value: Any, validate: core_schema.ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError as refused:
        error = refused.errors()[0].get("ctx", {}).get("error")
        if isinstance(error, InvalidValueError):
            raise _located(error, value, refused.title) from None
        raise


def _config_of(breaker: CircuitBreaker | CircuitBreakerConfig | None) -> dict[str, Any] | None:
    config = breaker.config if isinstance(breaker, CircuitBreaker) else breaker
    return None if config is None else config.model_dump()


def _class_name(error: Exception | None) -> str | None:
    return None if error is None else type(error).__name__


def _validated(value: Any) -> CircuitBreakerConfig:
    try:
        return CircuitBreakerConfig.model_validate(_without_texts(value))
    except InvalidValueError as error:
        if error.field == "config":
            raise _refusal(error) from None
        raise _located(error, value, "CircuitBreakerConfig") from None


def _refusal(error: InvalidValueError) -> PydanticCustomError:
    return PydanticCustomError("invalid_value", "{text}", {"text": str(error), "allowed": error.allowed})


def _located(error: InvalidValueError, value: Any, title: str) -> ValidationError:
    given = cast("dict[str, Any]", value).get(error.field) if isinstance(value, dict) else value
    line = InitErrorDetails(type=_refusal(error), loc=(error.field,), input=given)
    return ValidationError.from_exception_data(title, [line])


def _without_texts(config: Any) -> Any:
    if not isinstance(config, dict):
        return config
    fields: dict[Any, Any] = {**config}
    return {name: _without_text(name, value) for name, value in fields.items()}


def _without_text(name: Any, value: Any) -> Any:
    return value if name == "name" else _parsed(value)


def _parsed(value: Any) -> Any:
    """A number, truth value, ``null`` or window in place of its text; other texts stay and are refused."""
    if isinstance(value, str):
        try:
            # In lower case because Python writes `True`.
            return json.loads(value.lower())
        except (ValueError, RecursionError):
            return value
    return _without_texts(value)
