"""The faults of one request. Times are in seconds, and a share is one of the answer's events."""

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
        """Those beside the body's, with the wait as the large providers send it."""
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
    """The headers come at once and the first event after this delay; so does an answer in one piece."""

    seconds: float


@dataclass(frozen=True)
class Cut:
    """The connection ends after this share of the answer.

    With ``in_form`` the body ends as HTTP wants it, so only the protocol shows that something is missing.
    """

    share: float = 2 / 3
    in_form: bool = False


@dataclass(frozen=True)
class Stall:
    """After this share of the answer nothing more comes for this time; with ``None``, until the client leaves."""

    share: float = 0.5
    seconds: float | None = None


@dataclass(frozen=True)
class Malformed:
    """After this share of the answer comes an event that is not JSON, or with ``framing`` a chunk without a size."""

    share: float = 0.5
    framing: bool = False


@dataclass(frozen=True)
class ErrorEvent:
    """After this share of the answer the stream ends with the protocol's error for a status."""

    status: Status
    share: float = 0.5


@dataclass(frozen=True)
class NoTerminator:
    """The answer is complete, but what the protocol sends after it (``[DONE]``) is missing."""


Fault = Status | Reset | NoAnswer | Late | Cut | Stall | Malformed | ErrorEvent | NoTerminator
