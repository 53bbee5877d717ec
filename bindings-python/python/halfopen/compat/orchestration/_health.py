"""The record of each provider, from its real calls, and the choice among them."""

from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, NamedTuple

from halfopen._core import Order, Pool
from halfopen._fork import renewed_in_child
from halfopen.breaker import CircuitBreaker as NativeBreaker
from halfopen.compat.orchestration._models import OrchestrationConfig, ProviderPreference, SelectionStrategy
from halfopen.types import Asked

_WEIGHT_UNIT = 1000
"""The core's weights are whole numbers."""
_SLOWEST_SECONDS = 3.0
"""A provider with this latency, or more, earns no confidence by its speed, as in the replaced module."""


class Record(NamedTuple):
    """A provider's recent calls; ``None`` where they are too few to say."""

    success_rate: float | None
    """From 0 to 1."""
    latency_seconds: float | None

    def confidence(self) -> float:
        """From 0 to 1: success counts 0.7 and speed 0.3. A provider without a record is trusted."""
        success = 1.0 if self.success_rate is None else self.success_rate
        speed = 1.0 - min((self.latency_seconds or 0.0) / _SLOWEST_SECONDS, 1.0)
        return round(0.7 * success + 0.3 * speed, 2)


class Health:
    """The pool of the core over the breakers of an orchestrator."""

    def __init__(
        self,
        config: OrchestrationConfig,
        preferences: Sequence[ProviderPreference],
        breakers: tuple[NativeBreaker, ...],
        clock: Callable[[], float] | None,
    ) -> None:
        document = {**_policy(config), "providers": _providers(config, preferences)}
        self._pool = renewed_in_child(Pool(document, breakers, clock))
        self._now = monotonic if clock is None else clock
        self._probes: list[deque[float]] = [deque() for _ in breakers]
        self._slots = config.circuit_breaker_half_open_max_calls
        self._probe_seconds = config.circuit_breaker_timeout_seconds
        self._need = [preference.capabilities for preference in preferences]

    def choose(self, capabilities: Sequence[str], without: Sequence[int]) -> Order:
        """The providers to use, the best first, without those that are excluded."""
        excluded = [*without, *self._unable(capabilities), *self._probed_enough()]
        return self._pool.choose(Asked(tried=excluded))

    def look(self, capabilities: Sequence[str]) -> Order:
        """The same with no provider excluded; it takes no turn."""
        excluded = [*self._unable(capabilities), *self._probed_enough()]
        return self._pool.look(Asked(tried=excluded))

    def is_able(self, index: int, capabilities: Sequence[str]) -> bool:
        """Whether a provider has all of these capabilities."""
        able = self._need[index]
        return able is None or set(capabilities) <= {*able}

    def probes(self, index: int) -> None:
        """A session was sent to a provider as a probe."""
        self._probes[index].append(self._now())

    def note(self, index: int, *, succeeded: bool, seconds: float | None) -> None:
        """A call has ended; ``seconds`` is its length, if known."""
        self._pool.note(index, succeeded, seconds)

    def record(self, index: int) -> Record:
        """A provider's recent calls."""
        _, success_rate, latency, _, _ = self._pool.record(index)
        return Record(success_rate, latency)

    def _unable(self, capabilities: Sequence[str]) -> list[int]:
        return [index for index in range(len(self._need)) if not self.is_able(index, capabilities)]

    def _probed_enough(self) -> list[int]:
        """The providers whose probe slots are all taken by sessions that were sent there.

        A selection takes no permit, so without this bound every session of an instant would go to a provider that
        admits three. A session that never calls loses its place after the circuit's timeout.
        """
        since = self._now() - self._probe_seconds
        for sent in self._probes:
            while sent and sent[0] <= since:
                sent.popleft()
        return [index for index, sent in enumerate(self._probes) if len(sent) >= self._slots]


def _policy(config: OrchestrationConfig) -> dict[str, Any]:
    return {
        "strategy": config.strategy.value,
        "min_health": config.min_provider_health_score / 100 if config.health_check_required else 0,
    }


def _providers(config: OrchestrationConfig, preferences: Sequence[ProviderPreference]) -> list[dict[str, Any]]:
    # The replaced module used the weight in this strategy only.
    by_weight = config.strategy is SelectionStrategy.RANDOM
    return [
        {
            "id": preference.provider_id,
            "enabled": preference.enabled,
            "weight": round(preference.weight * _WEIGHT_UNIT) if by_weight else 1,
        }
        for preference in preferences
    ]
