"""Fields of which pydantic would know no form, in models of pydantic and responses of FastAPI."""

from importlib import import_module
from typing import Any

ONLY_DECLARED = {"extra": "forbid"}
"""The ``__pydantic_config__`` of a class that pydantic refuses to create from unknown names, as Python does."""


class ByClass:
    """Tells pydantic to write an exception as the name of its class, because its text may contain secrets."""

    # Only pydantic calls these, so pydantic is optional.

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        return import_module("halfopen._pydantic").error_schema()

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, {"type": "null"}]}


class BreakerOrConfig:
    """Tells pydantic to accept a breaker as it is or a configuration, and to write the configuration."""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        return import_module("halfopen._pydantic").breaker_schema()

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return {"anyOf": [import_module("halfopen._pydantic").json_schema(), {"type": "null"}]}


class CheckedOnBreak:
    """Tells pydantic how a broken stream may be handled; in JSON by a name only."""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        return import_module("halfopen._pydantic").on_break_schema()

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return {"enum": ["raise", "restart"], "type": "string"}


class Texts:
    """Tells pydantic that any collection of texts is meant, but no iterator, which could be read only once."""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        return import_module("halfopen._pydantic").texts_schema()


class NotInJson:
    """Tells pydantic that a field holds a function, which no document can: JSON schemas leave it out."""

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> Any:
        raise import_module("pydantic_core").PydanticOmit
