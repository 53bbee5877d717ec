"""Reports of calls: the provider that answered, the attempts before, and the cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, cast

from halfopen._pydantic_hooks import BY_CLASS
from halfopen._result_rules import get
from halfopen.types import Outcome, Role


class AttemptReport(NamedTuple):
    """One attempt of a call."""

    provider: str
    role: Role
    outcome: Outcome
    seconds: float
    error: Annotated[Exception | None, BY_CLASS]


@dataclass(frozen=True)
class Report:
    """A call that has been answered."""

    provider: str
    """The provider that answered."""
    model: str | None
    """The model, as the answer names it; otherwise the provider's ``model``."""
    usage: dict[str, Any] | None
    """The usage that the answer reports, in the provider's own words."""
    attempts: tuple[AttemptReport, ...]
    seconds: float


def model_in(answer: Any) -> str | None:
    """The model that an answer names."""
    for name in ("model", "model_version", "modelVersion"):
        model = get(answer, name)
        if isinstance(model, str):
            return model
    return None


def usage_in(answer: Any) -> dict[str, Any] | None:
    """The usage that an answer reports, as a dictionary."""
    for name in ("usage", "usage_metadata", "usageMetadata"):
        usage = get(answer, name)
        if usage is None:
            continue
        dump = getattr(usage, "model_dump", None)
        found: Any = dump(exclude_none=True) if callable(dump) else usage
        if isinstance(found, Mapping):
            return dict(cast("Mapping[str, Any]", found))
    return None
