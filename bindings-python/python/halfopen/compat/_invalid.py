"""A refused configuration, for whoever expects pydantic's error and for whoever expects ours."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from halfopen.errors import InvalidValueError


# The type checkers take pydantic's error for final; at run time it can have subclasses, from pydantic 2.10 on.
class InvalidConfigError(InvalidValueError, ValidationError):  # pyright: ignore[reportGeneralTypeIssues]
    """A ``pydantic.ValidationError`` that is an ``InvalidValueError``."""

    def __init__(self, *_details: object) -> None:
        refused = refusals(self)
        self.field = refused[0].field
        self.value = refused[0].value
        self.allowed = refused[0].allowed

    def __str__(self) -> str:
        return ValidationError.__str__(self)

    def __reduce__(self) -> Any:
        return ValidationError.__reduce__(self)


def as_invalid_value(error: ValidationError) -> ValidationError:
    """The same error as an ``InvalidValueError``, where a value was out of range."""
    if isinstance(error, InvalidConfigError) or not refusals(error):
        return error
    details = [_details(line) for line in error.errors()]
    return InvalidConfigError.from_exception_data(error.title, details)


def refusals(error: ValidationError) -> list[InvalidValueError]:
    """What the core refused, of all that is wrong."""
    causes = [line.get("ctx", {}).get("error") for line in error.errors()]
    return [cause for cause in causes if isinstance(cause, InvalidValueError)]


def _details(line: Any) -> InitErrorDetails:
    kind = line["type"]
    try:
        return _checked({"type": kind, "loc": line["loc"], "input": line["input"], "ctx": line.get("ctx", {})})
    except (KeyError, TypeError):
        # An error type of a subclass's own validator.
        own = PydanticCustomError(kind, line["msg"].replace("{", "{{").replace("}", "}}"))
        return {"type": own, "loc": line["loc"], "input": line["input"]}


def _checked(details: InitErrorDetails) -> InitErrorDetails:
    ValidationError.from_exception_data("", [details])
    return details
