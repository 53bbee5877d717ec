"""The errors of an orchestrator."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self, TypeAlias, cast

from halfopen._pydantic_hooks import BY_CLASS
from halfopen.errors import HalfopenError
from halfopen.types import PassReason, Verdict

EndedBy = Literal["exhausted", "max_attempts", "budget", "deadline", "not_replayable"]
"""Why a call ended without a result: no provider was left, or no further attempt was allowed."""


WhyNot: TypeAlias = Literal[PassReason, "not_asked"]
"""Why a provider was not asked; ``not_asked`` if there was no time for it."""


class ProviderUnavailableError(HalfopenError):
    """A call was not sent to a provider; ``reason`` says why, ``retry_after`` when it may be back, in seconds."""

    code = "PROVIDER_UNAVAILABLE"

    def __init__(self, provider: str, reason: WhyNot, retry_after: float | None) -> None:
        wait = "" if retry_after is None else f", back in {retry_after:.1f} s"
        super().__init__(f"provider {provider!r} was passed over: {reason}{wait}")
        self.provider = provider
        self.reason: WhyNot = reason
        self.retry_after = retry_after


class FailedResultError(HalfopenError):
    """A function returned a response that is an error, for example one with status 503; ``result`` is the response."""

    code = "PROVIDER_UNAVAILABLE"

    def __init__(self, provider: str, result: Any) -> None:
        super().__init__(f"provider {provider!r} returned an error: {type(result).__name__}")
        self.provider = provider
        self.result = result

    @property
    def response(self) -> Any:
        """The same, under the name that SDKs use for the response behind an error."""
        return self.result


class IncompleteStreamError(HalfopenError):
    """A stream ended before its last item, or without any item."""

    code = "STREAM_BROKEN"

    def __init__(self, provider: str) -> None:
        super().__init__(f"the stream of provider {provider!r} ended before its answer was complete")
        self.provider = provider


class ReportedError(HalfopenError):
    """A provider reported an error inside a stream; ``error`` is what it sent, ``verdict`` what that means."""

    code = "STREAM_BROKEN"

    def __init__(self, provider: str, error: Any, verdict: Verdict) -> None:
        super().__init__(f"provider {provider!r} reported an error inside the stream")
        self.provider = provider
        self.error = error
        self.verdict = verdict


class StreamBrokenError(HalfopenError):
    """A stream broke after its first content, and nothing continued it.

    ``provider`` sent ``items``, the newest of those that the consumer received. ``__cause__`` is the error that ended
    it.
    """

    code = "STREAM_BROKEN"

    def __init__(self, provider: str, items: Sequence[Any]) -> None:
        super().__init__(f"the stream of provider {provider!r} broke after {len(items)} item(s)")
        self.provider = provider
        self.items = tuple(items)


@dataclass(frozen=True)
class ProviderFailure:
    """One provider's part in a call that failed."""

    provider: str
    error: Annotated[Exception, BY_CLASS]
    """The error of its last attempt, or a ``ProviderUnavailableError`` if it was not asked."""
    reason: Literal[WhyNot, "failed"]
    """``failed`` if it was asked, otherwise why it was passed over."""
    seconds: float | None
    """How long its last attempt took; ``None`` if it was not asked."""
    retry_after: float | None
    """The seconds until it may be back, if they are known."""


class AllProvidersFailed(HalfopenError, ExceptionGroup[Exception]):  # noqa: N818 (a group, as in its name)
    """No provider answered: a group with one exception for each of them.

    ``failures`` tells each provider's part, ``ended_by`` why the call ended, ``seconds`` how long it took, and
    ``retry_after`` the seconds until the first of those passed over may be back, if they are known; 0 if only the
    budget of further attempts ended the call.
    """

    code = "ALL_PROVIDERS_FAILED"
    failures: tuple[ProviderFailure, ...]
    ended_by: EndedBy
    seconds: float
    retry_after: float | None

    def __new__(
        cls,
        failures: Sequence[ProviderFailure],
        ended_by: EndedBy = "exhausted",
        seconds: float = 0.0,
        retry_after: float | None = None,
    ) -> Self:
        parts = "; ".join(_described(failure) for failure in failures)
        wait = "" if retry_after is None else f", retry after {retry_after:.1f} s"
        message = f"no provider answered within {seconds:.1f} s ({ended_by}{wait}): {parts}"
        self = super().__new__(cls, message, [failure.error for failure in failures])
        self.failures = tuple(failures)
        self.ended_by = ended_by
        self.seconds = seconds
        self.retry_after = retry_after
        return self

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__(self.message, self.exceptions)

    def derive(self, excs: Sequence[Exception], /) -> "AllProvidersFailed":  # type: ignore[override]
        """The part of the group that ``except*`` selects."""
        kept = [part for failure in self.failures if (part := _part_of(failure, excs)) is not None]
        return type(self)(kept, self.ended_by, self.seconds, self.retry_after)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.failures, self.ended_by, self.seconds, self.retry_after)


def _part_of(failure: ProviderFailure, selected: Sequence[Exception]) -> ProviderFailure | None:
    """A failure whose error was selected, or whose error is a group of which a part was."""
    for error in selected:
        if error is failure.error:
            return failure
        if _leaves(error) <= _leaves(failure.error):
            return replace(failure, error=error)
    return None


def _leaves(error: Exception) -> set[int]:
    """The identities of the exceptions in a group that are not groups."""
    if not isinstance(error, ExceptionGroup):
        return {id(error)}
    members = cast("ExceptionGroup[Exception]", error).exceptions
    return {leaf for member in members for leaf in _leaves(member)}


def _described(failure: ProviderFailure) -> str:
    # The type alone: the text of an exception may contain a secret.
    return f"{failure.provider}: {type(failure.error).__name__ if failure.reason == 'failed' else failure.reason}"
