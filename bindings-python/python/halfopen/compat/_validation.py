"""The error of an invalid configuration, which is both pydantic's error and ours."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from halfopen.errors import InvalidValueError


# Type checkers consider pydantic's error final; since pydantic 2.10 it can have subclasses.
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
    """Converts the error to an ``InvalidConfigError`` if a value was out of range."""
    if isinstance(error, InvalidConfigError) or not refusals(error):
        return error
    details = [_details(line) for line in error.errors()]
    return InvalidConfigError.from_exception_data(error.title, details)


def refusals(error: ValidationError) -> list[InvalidValueError]:
    """The core's errors inside a pydantic error."""
    causes = [line.get("ctx", {}).get("error") for line in error.errors()]
    return [cause for cause in causes if isinstance(cause, InvalidValueError)]


def _details(line: Any) -> InitErrorDetails:
    kind = line["type"]
    try:
        return _validated({"type": kind, "loc": line["loc"], "input": line["input"], "ctx": line.get("ctx", {})})
    except (KeyError, TypeError):
        # The error type comes from a validator of a subclass.
        own = PydanticCustomError(kind, line["msg"].replace("{", "{{").replace("}", "}}"))
        return {"type": own, "loc": line["loc"], "input": line["input"]}


def _validated(details: InitErrorDetails) -> InitErrorDetails:
    ValidationError.from_exception_data("", [details])
    return details
