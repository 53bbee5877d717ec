"""Fields that hold exceptions, in models of pydantic and responses of FastAPI."""

from importlib import import_module
from typing import Any


class ByClass:
    """Tells pydantic to write an exception as the name of its class, because its text may contain secrets."""

    # Only pydantic calls these, so pydantic is optional.

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        return import_module("halfopen._pydantic").error_schema()

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, {"type": "null"}]}
