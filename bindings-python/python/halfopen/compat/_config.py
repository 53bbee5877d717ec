"""The configuration, as a pydantic model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from halfopen._arguments import refused
from halfopen._core import CircuitBreakerConfig as NativeConfig
from halfopen.compat._validation import as_invalid_value

NATIVE_FIELDS = frozenset(NativeConfig().model_dump())
"""All settings of the core."""


class CircuitBreakerConfig(BaseModel):
    """The configuration of a breaker, with the five fields of the replaced module."""

    # The core's other settings are not fields of this model, so its dump and schema are those of the replaced module.
    # Passing one that no subclass declares is an error, because it would have no effect. Other unknown names are
    # ignored, as before.

    model_config = ConfigDict(validate_assignment=True)

    # The minimums appear in the schema; the core checks minimums and maximums.
    # from make generate: python model; do not edit
    name: str = "default"
    failure_threshold: int = Field(default=5, json_schema_extra={"minimum": 1})
    success_threshold: int = Field(default=2, json_schema_extra={"minimum": 1})
    timeout_seconds: float = Field(default=60.0, json_schema_extra={"exclusiveMinimum": 0})
    half_open_max_calls: int = Field(default=3, json_schema_extra={"minimum": 1})
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

    @field_validator("name", "failure_threshold", "success_threshold", "timeout_seconds", "half_open_max_calls")
    @classmethod
    def _in_range(cls, value: Any, field: ValidationInfo) -> Any:
        NativeConfig(**{str(field.field_name): value})
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        native_of(self)
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
