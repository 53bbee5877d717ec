"""Chooses among providers, moves a call to the next one when one fails, and sees when it is well again.

>>> import asyncio
>>> from halfopen.orchestration import Orchestrator, Provider
>>> orchestrator = Orchestrator([Provider("openai"), Provider("gemini", tier=1)])
>>> async def ask(provider: Provider, text: str) -> str:
...     if provider.id == "openai":
...         raise ConnectionError
...     return f"{provider.id}: {text}"
>>> asyncio.run(orchestrator.call(ask, "hello"))
'gemini: hello'
"""

from halfopen._core import Need
from halfopen.orchestration._breaks import Break, Restarted, Resume
from halfopen.orchestration._engine import ProviderStatus
from halfopen.orchestration._errors import (
    AllProvidersFailed,
    EndedBy,
    FailedResultError,
    IncompleteStreamError,
    ProviderFailure,
    ProviderUnavailableError,
    ReportedError,
    StreamBrokenError,
)
from halfopen.orchestration._events import (
    AttemptEnded,
    Budget,
    CallEnded,
    Checked,
    Choice,
    CoolingDown,
    Event,
    FirstItem,
    Listener,
    PassedOver,
    Switch,
    SwitchCause,
)
from halfopen.orchestration._orchestrator import Orchestrator
from halfopen.orchestration._provider import Provider
from halfopen.orchestration._report import AttemptReport, Report
from halfopen.orchestration._sessions import Session
from halfopen.orchestration._settings import ReturnToPrimary, Settings
from halfopen.orchestration._stream import Stream
from halfopen.types import OnExhausted, PassReason, Role, Strategy

__all__ = [
    "AllProvidersFailed",
    "AttemptEnded",
    "AttemptReport",
    "Break",
    "Budget",
    "CallEnded",
    "Checked",
    "Choice",
    "CoolingDown",
    "EndedBy",
    "Event",
    "FailedResultError",
    "FirstItem",
    "IncompleteStreamError",
    "Listener",
    "Need",
    "OnExhausted",
    "Orchestrator",
    "PassReason",
    "PassedOver",
    "Provider",
    "ProviderFailure",
    "ProviderStatus",
    "ProviderUnavailableError",
    "Report",
    "ReportedError",
    "Restarted",
    "Resume",
    "ReturnToPrimary",
    "Role",
    "Session",
    "Settings",
    "Strategy",
    "Stream",
    "StreamBrokenError",
    "Switch",
    "SwitchCause",
]
