"""Describes ``CircuitBreakerConfig`` for Python's tools, from the core's table of fields.

``help()`` lists the fields, ``inspect.signature()`` their types and defaults. The class is also a dataclass:
``replace`` and ``asdict`` work, and FastAPI reads it from the request body, or with ``Depends()`` each field from the
query.

``Need`` is the other class of the core that models of pydantic may hold, and a dataclass as well.
"""

from dataclasses import field, make_dataclass
from inspect import Parameter, Signature
from typing import Annotated, Any, Union

from halfopen._core import CircuitBreakerConfig, Need, config_json_schema
from halfopen._pydantic_hooks import Schema, hook

# FastAPI reads only simple types from a query, and a window is a text there.
_TYPES = {"string": str, "integer": int, "number": float, "boolean": bool, "null": None, "object": Any}


def describe() -> None:
    """Sets the attributes that these tools read.

    But no ``__annotations__``: msgspec would create objects without their constructor, which crashes the process.
    """

    # Local, because mypy's stubtest accepts no dictionary as the default of a `TypedDict`.
    class Default(dict[str, Any]):
        __get_pydantic_core_schema__ = staticmethod(hook("object_in_query"))

    properties = config_json_schema()["properties"]
    defaults = {name: schema["default"] for name, schema in properties.items()}
    defaults["window"] = Default(defaults["window"])
    fields = [(name, Any, _field(value)) for name, value in defaults.items()]
    # The core's class has the methods.
    made: Any = make_dataclass("_", fields, init=False, repr=False, eq=False, frozen=True, kw_only=True)
    parameters = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=_parameter_type(name, properties[name]))
        for name, default in defaults.items()
    ]
    described = [
        f"- ``{name}``: {schema['description']} Default: {schema['default']!r}." for name, schema in properties.items()
    ]
    attributes = {
        "__dataclass_fields__": made.__dataclass_fields__,
        "__dataclass_params__": made.__dataclass_params__,
        "__get_pydantic_core_schema__": staticmethod(hook("validator")),
        "__get_pydantic_json_schema__": staticmethod(hook("json_schema")),
        "__signature__": Signature(parameters),
        "__doc__": "\n".join([CircuitBreakerConfig.__doc__ or "", "", "The fields:", "", *described]),
    }
    for name, value in attributes.items():
        setattr(CircuitBreakerConfig, name, value)
    need: Any = Need
    need.__get_pydantic_core_schema__ = staticmethod(hook("need_schema"))
    parts = [("capabilities", list[str], _field([])), ("size", int, _field(0))]
    made = make_dataclass("_", parts, init=False, repr=False, eq=False, frozen=True)
    need.__dataclass_fields__, need.__dataclass_params__ = made.__dataclass_fields__, made.__dataclass_params__
    size = Annotated[int | None, Schema("size_schema")]
    need.__signature__ = Signature(
        [
            Parameter("capabilities", Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=list[str] | None),
            Parameter("size", Parameter.KEYWORD_ONLY, default=None, annotation=size),
        ]
    )


def _parameter_type(name: str, schema: dict[str, Any]) -> Any:
    types = tuple(_TYPES[it["type"]] for it in schema.get("anyOf", [schema]))
    return Annotated[Union[types], Schema("field_schema", "parameter_json", name)]  # noqa: UP007


def _field(value: Any) -> Any:
    return field(default_factory=value.copy) if hasattr(value, "copy") else field(default=value)


describe()
