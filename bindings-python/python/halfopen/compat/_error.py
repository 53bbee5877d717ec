"""The error of a rejected call, with the interface of the replaced module."""

from halfopen.errors import CircuitBreakerOpenError as NativeError
from halfopen.types import Reason


class CircuitBreakerOpenError(NativeError):
    """The circuit rejected a call; ``retry_after`` is in seconds and may be assigned."""

    # Plain attributes in place of properties: code may assign them, and reads `vars(error)`.
    circuit_name: str = ""
    """The name of the circuit that is open."""
    retry_after: float = 0.0
    """The time to wait, in seconds."""
    reason: Reason = "open"
    """Why the circuit rejected the call."""

    def __init__(self, circuit_name: str, retry_after: float, reason: Reason = "open") -> None:
        super().__init__(circuit_name, retry_after, reason)
        self.args = (f"Circuit breaker '{circuit_name}' is OPEN. Retry after {retry_after:.1f} seconds.",)
        # pyright takes the properties of the base for methods.
        self.circuit_name, self.retry_after, self.reason = circuit_name, retry_after, reason  # pyright: ignore[reportIncompatibleMethodOverride]

    def __str__(self) -> str:
        return str(self.args[0]) if len(self.args) == 1 else str(self.args)
