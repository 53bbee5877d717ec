"""The errors of this package. The errors of guarded functions pass through unchanged."""

from typing import Any, ClassVar, TypeVar

from halfopen.types import ErrorCode, Reason, TimeoutName

E = TypeVar("E", bound=BaseException)


class HalfopenError(Exception):
    """The base class of all errors of this package; ``code`` is stable, and the same in all languages."""

    code: ClassVar[ErrorCode]

    # Copying and unpickling must not call the constructor: its arguments usually differ from ``args``, and that of a
    # subclass may take any.
    def __reduce__(self) -> tuple[Any, ...]:
        return restored, (type(self), self.args, vars(self))


def restored(kind: type[E], args: tuple[Any, ...], fields: dict[str, Any]) -> E:
    """An error of this class with these arguments and attributes."""
    error: E = kind.__new__(kind, *args)
    # If a subclass of `OSError` has an `__init__` of its own, `__new__` does not store the arguments.
    error.args = args
    error.__dict__.update(fields)
    return error


class CircuitBreakerOpenError(HalfopenError):
    """The circuit rejected a call.

    ``retry_after`` is the number of seconds until a call may be admitted, or ``None`` while the circuit is held open
    without an end.
    """

    code = "CIRCUIT_OPEN"

    def __init__(self, circuit_name: str, retry_after: float | None, reason: Reason = "open") -> None:
        super().__init__(circuit_name, retry_after, reason)

    # Most rejections are caught and dropped, so attributes and text are made on demand.
    @property
    def circuit_name(self) -> str:
        """The name of the circuit that is open."""
        name: str = self.args[0]
        return name

    @property
    def retry_after(self) -> float | None:
        """The time to wait in seconds, if known."""
        seconds: float | None = self.args[1]
        return seconds

    @property
    def reason(self) -> Reason:
        """Why the circuit rejected the call."""
        reason: Reason = self.args[2]
        return reason

    def __str__(self) -> str:
        wait = "held open until it is reset" if self.retry_after is None else f"retry after {self.retry_after:.1f} s"
        return f"circuit '{self.circuit_name}' is OPEN ({self.reason}): {wait}"


class CallTimeoutError(HalfopenError, TimeoutError):
    """A call or a stream took longer than the breaker allows, and was cut off.

    ``limit`` is the name of the breaker's setting, for example ``"call_timeout_seconds"``, and ``seconds`` its value.
    """

    code = "CALL_TIMEOUT"

    def __init__(self, circuit_name: str, seconds: float, limit: TimeoutName = "call_timeout_seconds") -> None:
        super().__init__(f"a call of circuit '{circuit_name}' was cut off after {seconds:g} s ({limit})")
        self.circuit_name = circuit_name
        self.seconds = seconds
        self.limit: TimeoutName = limit


class InvalidValueError(HalfopenError, ValueError):
    """A value is not allowed; ``field`` names it, ``value`` shows it, ``allowed`` describes the allowed values."""

    code = "INVALID_VALUE"

    def __init__(self, field: str, value: str, allowed: str) -> None:
        super().__init__(f"{field} = {value} is refused: allowed is {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed


class NameConflictError(HalfopenError):
    """The registry has a circuit of that name with another configuration or provider; ``field`` differs."""

    code = "NAME_CONFLICT"

    def __init__(self, circuit_name: str, field: str) -> None:
        super().__init__(f"a circuit named {circuit_name!r} exists with another configuration: {field} differs")
        self.circuit_name = circuit_name
        self.field = field


class RegistryFullError(HalfopenError):
    """The registry holds its maximum number of circuits, and all are in use."""

    code = "REGISTRY_FULL"

    def __init__(self, bound: int) -> None:
        super().__init__(f"the registry is full: each of its {bound} circuits is in use; raise its bound or remove one")
        self.bound = bound
