"""The faults of one request. Times are in seconds, and a share is a fraction of the answer's events."""

from dataclasses import dataclass

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


@dataclass(frozen=True)
class Status:
    """An answer with an error status, in the protocol's own form."""

    code: int
    retry_after: float | None = None
    reason: str | None = None
    message: str = "the provider is unwell"

    @property
    def kind(self) -> str:
        """The error's type, as OpenAI and Anthropic name it."""
        return _KINDS.get(self.code, "server_error")

    def headers(self) -> dict[str, str]:
        """The headers beside those of the body: the wait, as the large providers send it."""
        if self.retry_after is None:
            return {}
        return {"retry-after": f"{self.retry_after:g}", "retry-after-ms": f"{self.retry_after * 1000:g}"}


CONTEXT_TOO_LONG = Status(
    400,
    reason="context_length_exceeded",
    message="This model's maximum context length is 8 tokens.",
)
CONTENT_REFUSED = Status(
    400,
    reason="content_policy_violation",
    message="Your request was rejected as a result of our safety system.",
)


@dataclass(frozen=True)
class Reset:
    """The connection is reset before the headers."""


@dataclass(frozen=True)
class NoAnswer:
    """The request is read, and nothing comes back until the client leaves."""


@dataclass(frozen=True)
class Late:
    """The headers come at once. The first event, or the answer in one piece, comes after this delay."""

    seconds: float


@dataclass(frozen=True)
class Cut:
    """The connection ends after this share of the answer.

    With ``in_form`` the body ends as HTTP requires, so only the provider's protocol shows that something is missing.
    """

    share: float = 2 / 3
    in_form: bool = False


@dataclass(frozen=True)
class Stall:
    """The answer stops after this share, and goes on after this time; with ``None`` it never goes on."""

    share: float = 0.5
    seconds: float | None = None


@dataclass(frozen=True)
class Malformed:
    """Sends this share of the answer, then an event that is not JSON, or with ``framing`` a chunk without a size."""

    share: float = 0.5
    framing: bool = False


@dataclass(frozen=True)
class ErrorEvent:
    """Sends this share of the answer, then the protocol's event for an error with this status."""

    status: Status
    share: float = 0.5


@dataclass(frozen=True)
class NoTerminator:
    """The answer is complete, but the protocol's end marker (``[DONE]``) is missing."""


Fault = Status | Reset | NoAnswer | Late | Cut | Stall | Malformed | ErrorEvent | NoTerminator
