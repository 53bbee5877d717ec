"""Describes ``CircuitBreakerConfig`` for Python's tools, from the core's table of fields.

``help()`` lists the fields, ``inspect.signature()`` their defaults. The class is also a dataclass: ``replace`` and
``asdict`` work, and FastAPI reads a parameter of this class from the request body.

``Need`` is the other class of the core that models of pydantic may hold, and a dataclass as well.
"""

from dataclasses import field, make_dataclass
from inspect import Parameter, Signature
from typing import Any

from halfopen._core import CircuitBreakerConfig, Need, config_json_schema
from halfopen._pydantic_hooks import hook


def describe() -> None:
    """Sets the attributes that these tools read."""

    # Local, because mypy's stubtest accepts no dictionary as the default of a `TypedDict`.
    class Default(dict[str, Any]): ...

    properties = config_json_schema()["properties"].items()
    defaults = {name: schema["default"] for name, schema in properties}
    defaults["window"] = Default(defaults["window"])
    fields = [(name, Any, _field(value)) for name, value in defaults.items()]
    # The core's class has the methods.
    made: Any = make_dataclass("_", fields, init=False, repr=False, eq=False, frozen=True, kw_only=True)
    parameters = [Parameter(name, Parameter.KEYWORD_ONLY, default=value) for name, value in defaults.items()]
    described = [
        f"- ``{name}``: {schema['description']} Default: {schema['default']!r}." for name, schema in properties
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


def _field(value: Any) -> Any:
    return field(default_factory=value.copy) if hasattr(value, "copy") else field(default=value)


describe()
