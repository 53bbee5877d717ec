"""The audit trail: which operator changed which breaker, when and why."""

import json
import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from halfopen._log import LOG, extra

Order = Literal["force_open", "disable", "reset", "reconfigure"]


@dataclass(frozen=True)
class Act:
    """One change of a breaker by an operator."""

    at: datetime
    actor: str
    order: Order
    circuit: str
    reason: str
    seconds: float | None
    """The duration of a forced opening; ``None`` means until a reset."""
    fields: dict[str, Any]
    """The fields that a reconfiguration changed, with their new values."""


class AuditTrail:
    """The newest changes by operators. Each is also logged at WARNING, because the trail ends with the process."""

    def __init__(self, bound: int) -> None:
        self._acts: deque[Act] = deque(maxlen=bound)
        self._lock = threading.Lock()

    def add(
        self,
        actor: str,
        order: Order,
        circuit: str,
        reason: str,
        *,
        seconds: float | None = None,
        fields: dict[str, Any] | None = None,
    ) -> Act:
        """Records a change that has just taken effect."""
        act = Act(datetime.now(UTC), actor, order, circuit, reason, seconds, fields or {})
        with self._lock:
            self._acts.append(act)
        facts = {name: value for name, value in asdict(act).items() if name not in ("at", "fields")}
        changes = {f"new_{name}": _flat(value) for name, value in act.fields.items()}
        LOG.warning("operator %s: %s %s (%s)", actor, order, circuit, reason, extra=extra("order", **facts, **changes))
        return act

    def newest_first(self) -> list[Act]:
        """All changes that are kept."""
        with self._lock:
            return list(reversed(self._acts))


def _flat(value: Any) -> str | float:
    """The value of a field of the configuration for a log record, which is flat."""
    return value if isinstance(value, str | int | float) else json.dumps(value)
