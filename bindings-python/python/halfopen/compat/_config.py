"""The configuration, as a pydantic model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from halfopen._arguments import refused
from halfopen._core import CircuitBreakerConfig as NativeConfig
from halfopen.compat._validation import as_invalid_value
from halfopen.errors import InvalidValueError

NATIVE_FIELDS = frozenset(NativeConfig().model_dump())
"""All settings of the core."""


class InRange:
    """In an ``Annotated``: the core checks the value of this field, and the schema has its minimum."""

    def __init__(self, field: str, **minimum: float) -> None:
        self._field = field
        self._minimum = minimum

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | self._minimum

    def _checked(self, value: Any) -> Any:
        NativeConfig(**{self._field: value})
        return value


class CircuitBreakerConfig(BaseModel):
    """The configuration of a breaker, with the five fields of the replaced module."""

    # The core's other settings are not fields of this model, so its dump and schema are those of the replaced module.
    # Passing one that no subclass declares is an error, because it would have no effect. Other unknown names are
    # ignored, as before.

    model_config = ConfigDict(validate_assignment=True)

    # In an `Annotated`, because FastAPI reads the types of the fields where a route takes the model with `Depends()`.
    # from make generate: python model; do not edit
    name: Annotated[str, InRange("name")] = "default"
    failure_threshold: Annotated[int, InRange("failure_threshold", minimum=1)] = 5
    success_threshold: Annotated[int, InRange("success_threshold", minimum=1)] = 2
    timeout_seconds: Annotated[float, InRange("timeout_seconds", exclusiveMinimum=0)] = 60.0
    half_open_max_calls: Annotated[int, InRange("half_open_max_calls", minimum=1)] = 3
    # end

    if not TYPE_CHECKING:

        def __init__(self, /, **data: Any) -> None:
            try:
                super().__init__(**data)
            except ValidationError as error:
                raise as_invalid_value(error) from None

        # Tells pydantic that it need not call `__init__` for a model inside another model.
        __init__.__pydantic_base_init__ = True

    @model_validator(mode="before")
    @classmethod
    def _every_setting_does_something(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            _refuse_what_does_nothing(cls, data)  # pyright: ignore[reportUnknownArgumentType]
        return data  # pyright: ignore[reportUnknownVariableType]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        try:
            native_of(self)
        except InvalidValueError as error:
            kind = PydanticCustomError("value_error", "Value error, {error}", {"error": error})
            line = InitErrorDetails(type=kind, loc=(error.field,), input=getattr(self, error.field))
            raise ValidationError.from_exception_data(type(self).__name__, [line]) from None
        return self


def native_of(config: object) -> NativeConfig:
    """Converts a model to a configuration of the core.

    Raises ``InvalidValueError`` for a value out of range, for example in a model made by ``model_construct``, and for
    an object without the fields of the replaced module.
    """
    if isinstance(config, NativeConfig):
        return config
    if not all(hasattr(config, name) for name in CircuitBreakerConfig.model_fields):
        raise refused("config", config, "a CircuitBreakerConfig")
    return NativeConfig(**{name: getattr(config, name) for name in NATIVE_FIELDS if hasattr(config, name)})


def _refuse_what_does_nothing(model: type[BaseModel], data: Mapping[Any, Any]) -> None:
    fields = model.model_fields
    aliases = {str(alias) for field in fields.values() for alias in (field.alias, field.validation_alias)}
    for name in sorted(NATIVE_FIELDS.intersection(data).difference(fields, aliases)):
        allowed = "a field that a subclass declares, or one of a halfopen.CircuitBreakerConfig"
        raise refused(name, data[name], allowed)
