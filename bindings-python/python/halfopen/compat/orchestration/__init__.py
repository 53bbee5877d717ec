"""The interface of a backend's own module ``app.services.provider_orchestration``, on this core.

That file becomes one line, ``from halfopen.compat.orchestration import *``. The defects of the old
module are fixed: recorded results count, a provider whose circuit was open is probed again, a failover never selects
the provider that has failed or one that is open, an open circuit asks for a failover, health comes from real calls,
and histories are bounded.

Needs the extra ``compat``. ``docs/migrating.md`` lists the differences. New code uses ``halfopen.orchestration``.
"""

from halfopen.compat.orchestration._models import (
    OrchestrationConfig,
    ProviderPreference,
    ProviderSelection,
    ProviderSwitchEvent,
    SelectionStrategy,
)
from halfopen.compat.orchestration._orchestrator import ProviderOrchestrator

__all__ = [
    "OrchestrationConfig",
    "ProviderOrchestrator",
    "ProviderPreference",
    "ProviderSelection",
    "ProviderSwitchEvent",
    "SelectionStrategy",
    "get_orchestrator",
]

_orchestrator: ProviderOrchestrator | None = None


def get_orchestrator() -> ProviderOrchestrator:
    """The orchestrator of the process, which the first call makes with the defaults."""
    global _orchestrator  # noqa: PLW0603 (one per process, as in the replaced module)
    if _orchestrator is None:
        _orchestrator = ProviderOrchestrator()
    return _orchestrator
