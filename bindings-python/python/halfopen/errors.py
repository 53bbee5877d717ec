"""The errors that this package raises. A guarded function's own error is never one of them: it passes untouched."""

from typing import ClassVar

from halfopen.vocabulary import Reason


class HalfopenError(Exception):
    """The base of every error of this package; ``code`` is stable, and the same in all languages."""

    code: ClassVar[str]


class CircuitBreakerOpenError(HalfopenError):
    """The circuit did not let a call run.

    ``retry_after`` is in seconds: what is left until a call may be admitted; ``None`` where nobody can tell, because
    the circuit is held open until it is reset.
    """

    code = "CIRCUIT_OPEN"

    def __init__(self, circuit_name: str, retry_after: float | None, reason: Reason = "open") -> None:
        super().__init__(circuit_name, retry_after, reason)

    # Read from the arguments, and the text written when it is asked for: most rejections are caught and forgotten.
    @property
    def circuit_name(self) -> str:
        """The name of the circuit that is open."""
        name: str = self.args[0]
        return name

    @property
    def retry_after(self) -> float | None:
        """How long to wait, in seconds."""
        seconds: float | None = self.args[1]
        return seconds

    @property
    def reason(self) -> Reason:
        """Why the call was not let run."""
        reason: Reason = self.args[2]
        return reason

    def __str__(self) -> str:
        wait = "held open until it is reset" if self.retry_after is None else f"retry after {self.retry_after:.1f} s"
        return f"circuit '{self.circuit_name}' is OPEN ({self.reason}): {wait}"


class InvalidValueError(HalfopenError, ValueError):
    """A value was refused; ``field`` names it, ``value`` shows it, ``allowed`` says what would have been accepted."""

    code = "INVALID_VALUE"

    def __init__(self, field: str, value: str, allowed: str) -> None:
        super().__init__(f"{field} = {value} is refused: allowed is {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed

    def __reduce__(self) -> tuple[type["InvalidValueError"], tuple[str, str, str]]:
        return type(self), (self.field, self.value, self.allowed)


class NameConflictError(HalfopenError):
    """A registry has a circuit of that name with another configuration, or for another provider."""

    code = "NAME_CONFLICT"

    def __init__(self, circuit_name: str) -> None:
        super().__init__(f"a circuit named {circuit_name!r} exists with another configuration")
        self.circuit_name = circuit_name

    def __reduce__(self) -> tuple[type["NameConflictError"], tuple[str]]:
        return type(self), (self.circuit_name,)


class RegistryFullError(HalfopenError):
    """A registry holds as many circuits as it may, and each of them is in use."""

    code = "REGISTRY_FULL"

    def __init__(self, bound: int) -> None:
        super().__init__(f"the registry holds {bound} circuits, as many as it may")
        self.bound = bound

    def __reduce__(self) -> tuple[type["RegistryFullError"], tuple[int]]:
        return type(self), (self.bound,)
