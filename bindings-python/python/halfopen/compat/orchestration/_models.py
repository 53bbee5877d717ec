"""The data of the replaced module, as pydantic models."""

from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


# Not a `StrEnum`, which prints differently: log searches may depend on the text of the replaced module.
class SelectionStrategy(str, Enum):  # noqa: UP042
    """How a provider is chosen among those that are available."""

    BEST_PERFORMANCE = "best_performance"
    HIGHEST_AVAILABILITY = "highest_availability"
    ROUND_ROBIN = "round_robin"
    PRIORITY_LIST = "priority_list"
    RANDOM = "random"


class ProviderPreference(BaseModel):
    """A provider and its place among the others."""

    provider_id: str
    priority: int
    """Lower comes first, with the strategy ``priority_list``."""
    weight: float = Field(default=1.0, ge=0)
    """Its share, with the strategy ``random``; 0 for none."""
    enabled: bool = True
    """Whether it may be selected."""
    provider_type: str | None = None
    """The type that a selection names; by default the id up to the first ``_``."""
    capabilities: list[str] | None = None
    """Its abilities. ``None`` for a provider that is able to do everything, as in the replaced module."""


class OrchestrationConfig(BaseModel):
    """The configuration of an orchestrator."""

    model_config = ConfigDict(validate_assignment=True)

    strategy: SelectionStrategy = SelectionStrategy.BEST_PERFORMANCE
    enable_auto_failover: bool = True
    failover_threshold_consecutive_errors: int = Field(default=3, ge=1)
    """A session whose provider has failed so often in a row needs a failover."""
    enable_load_balancing: bool = True
    """Without a meaning, as in the replaced module: the strategy decides."""
    health_check_required: bool = True
    """Whether a provider below ``min_provider_health_score`` is used only if no better one is available."""
    min_provider_health_score: float = Field(default=70.0, ge=0, le=100)
    """In percent of the recent calls that succeeded."""
    provider_preferences: list[ProviderPreference] = []
    """The providers; by default the four of the replaced module."""

    enable_circuit_breaker: bool = True
    """If false, no breaker exists, and calls go straight through."""
    circuit_breaker_failure_threshold: int = 5
    circuit_breaker_timeout_seconds: float = 60.0
    circuit_breaker_success_threshold: int = 2
    circuit_breaker_half_open_max_calls: int = 3


class ProviderSelection(BaseModel):
    """A provider that was selected."""

    provider_id: str
    provider_type: Any
    reason: str
    confidence: float
    """From 0 to 1."""
    fallback_providers: list[str]
    """The other providers that are available, the best first."""
    timestamp: datetime


class ProviderSwitchEvent(BaseModel):
    """A session moved to another provider, or found none."""

    session_id: UUID
    from_provider: str | None
    to_provider: str
    reason: str
    timestamp: datetime
    success: bool
    error_message: str | None = None


def default_preferences() -> list[ProviderPreference]:
    """The providers of the replaced module."""
    return [
        ProviderPreference(provider_id="deepgram", priority=1, weight=1.0),
        ProviderPreference(provider_id="openai", priority=2, weight=0.9),
        ProviderPreference(provider_id="deepgram_nova3", priority=3, weight=0.8),
        ProviderPreference(provider_id="gemini", priority=4, weight=0.5),
    ]
