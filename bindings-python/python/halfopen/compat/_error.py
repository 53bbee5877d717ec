"""The error of a rejected call, with the interface of the replaced module."""

from halfopen.errors import CircuitBreakerOpenError as NativeError
from halfopen.types import Reason


class CircuitBreakerOpenError(NativeError):
    """The circuit rejected a call; ``retry_after`` is in seconds and may be assigned."""

    def __init__(self, circuit_name: str, retry_after: float, reason: Reason = "open") -> None:
        super().__init__(circuit_name, retry_after, reason)
        self.args = (f"Circuit breaker '{circuit_name}' is OPEN. Retry after {retry_after:.1f} seconds.",)
        # For code that reads `vars(error)`, with the names of the replaced module.
        self.__dict__.update(circuit_name=circuit_name, retry_after=retry_after, reason=reason)

    @property
    def circuit_name(self) -> str:
        """The name of the circuit that is open."""
        name: str = self.__dict__["circuit_name"]
        return name

    @circuit_name.setter
    def circuit_name(self, name: str) -> None:
        self.__dict__["circuit_name"] = name

    @property
    def retry_after(self) -> float:
        """The time to wait, in seconds."""
        seconds: float = self.__dict__["retry_after"]
        return seconds

    @retry_after.setter
    def retry_after(self, seconds: float) -> None:
        self.__dict__["retry_after"] = seconds

    @property
    def reason(self) -> Reason:
        """Why the circuit rejected the call."""
        reason: Reason = self.__dict__["reason"]
        return reason

    def __str__(self) -> str:
        return str(self.args[0]) if len(self.args) == 1 else str(self.args)
