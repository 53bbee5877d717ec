"""Hooks by which pydantic gets the schemas of this package's classes and fields from ``halfopen._pydantic``.

The first call of a hook imports that module. Only pydantic calls hooks, so pydantic is optional.
"""

from importlib import import_module
from typing import Any

ONLY_DECLARED = {"extra": "forbid"}
"""The ``__pydantic_config__`` of a class that pydantic refuses to create from unknown names, as Python does."""


def hook(function: str, *arguments: str) -> Any:
    """A hook for pydantic, which calls the function of this name in that module with these arguments."""

    def called(_source: Any, _handler: Any) -> Any:
        return getattr(import_module("halfopen._pydantic"), function)(*arguments)

    return called


class Schema:
    """In an ``Annotated``: the functions that make a field's schema and JSON schema, where pydantic's do not fit."""

    def __init__(self, core: str | None = None, json: str | None = None, *arguments: str) -> None:
        for kind, function in (("core", core), ("json", json)):
            if function is not None:
                setattr(self, f"__get_pydantic_{kind}_schema__", hook(function, *arguments))


BY_CLASS = Schema("error_schema", "error_json")
"""An exception, written as the name of its class, because its text may contain secrets."""
BREAKER_OR_CONFIG = Schema("breaker_schema", "breaker_json")
"""A breaker as it is or a configuration, written as the configuration."""
ON_BREAK = Schema("on_break_schema", "on_break_json")
"""The handling of a broken stream; in JSON by a name only."""
TEXTS = Schema("texts_schema")
"""Any collection of texts, but no iterator, which could be read only once."""
WINDOW = Schema("field_schema", "field_json", "window")
"""A window, checked as the core does; from a union, errors would have the names of its members."""
NOT_IN_JSON = Schema(json="null_json")
"""A function or ``None``; a document can only hold ``null``."""
