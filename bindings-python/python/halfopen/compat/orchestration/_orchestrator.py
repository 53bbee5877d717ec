"""The orchestrator of the replaced module, which chooses by the core's pool."""

import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from typing import Any, NamedTuple, TypeVar, overload
from uuid import UUID

from halfopen.breaker import CircuitBreaker as NativeBreaker
from halfopen.compat._breaker import CircuitBreaker
from halfopen.compat._config import CircuitBreakerConfig
from halfopen.compat._error import CircuitBreakerOpenError
from halfopen.compat.orchestration._health import Health
from halfopen.compat.orchestration._models import (
    OrchestrationConfig,
    ProviderPreference,
    ProviderSelection,
    ProviderSwitchEvent,
    SelectionStrategy,
    default_preferences,
)
from halfopen.compat.orchestration._sessions import Sessions

R = TypeVar("R")
_MAX_SELECTIONS = 1000
_logger = logging.getLogger("app.services.provider_orchestration")


class _Chosen(NamedTuple):
    selection: ProviderSelection
    is_probe: bool = False


class ProviderOrchestrator:
    """Selects providers for sessions, moves sessions to another provider, and calls providers through their breakers.

    The providers are the config's ``provider_preferences``. Each has a breaker named ``provider_<id>``. ``clock`` is
    for tests: seconds, as of ``time.monotonic``.
    """

    def __init__(self, config: OrchestrationConfig | None = None, *, clock: Callable[[], float] | None = None) -> None:
        self.config = OrchestrationConfig() if config is None else config
        self._preferences = list(self.config.provider_preferences) or default_preferences()
        if self.config.strategy is SelectionStrategy.PRIORITY_LIST:
            # All in one tier, so that a provider with a bad record comes after all others: the replaced module excluded
            # it.
            self._preferences.sort(key=lambda preference: preference.priority)
        self._clock = clock
        self._now = monotonic if clock is None else clock
        self._index = {preference.provider_id: index for index, preference in enumerate(self._preferences)}
        self._circuit_breakers: dict[str, CircuitBreaker] = {}
        if self.config.enable_circuit_breaker:
            self._circuit_breakers = {
                preference.provider_id: self._breaker_of(preference) for preference in self._preferences
            }
        # The failures in a row of providers that have no breaker to count them.
        self._streaks: dict[str, int] = {}
        self._health = Health(self.config, self._preferences, tuple(self._natives()), clock)
        self._sessions = Sessions()
        self._selections: deque[ProviderSelection] = deque(maxlen=_MAX_SELECTIONS)

    async def select_provider(
        self, session_id: UUID | None = None, required_capabilities: list[str] | None = None
    ) -> ProviderSelection:
        """Selects the best provider that is available, and remembers it for the session.

        If none is, it selects the one that may be back first, with a confidence of 0; its breaker rejects calls until
        then.
        """
        capabilities = tuple(required_capabilities or ())
        chosen = self._select(capabilities, ())
        if chosen is None:
            chosen = _Chosen(self._first_back(capabilities))
        self._use(session_id, chosen)
        if session_id is not None:
            self._sessions.use(session_id).capabilities = capabilities
        return chosen.selection

    async def check_failover_needed(self, session_id: UUID) -> bool:
        """Whether the provider of a session has an open circuit, or has failed too often in a row."""
        session = self._sessions.get(session_id)
        if not self.config.enable_auto_failover or session is None or session.provider_id is None:
            return False
        breaker = self._circuit_breakers.get(session.provider_id)
        if breaker is None:
            failures = self._streaks.get(session.provider_id, 0)
        elif breaker.state == "open":
            return True
        elif session.is_probe and breaker.state == "half_open":
            # These failures opened the circuit. A failover would end the only session that probes the provider.
            return False
        else:
            failures = breaker.metrics.consecutive_failures
        return failures >= self.config.failover_threshold_consecutive_errors

    async def perform_failover(self, session_id: UUID) -> ProviderSwitchEvent:
        """Moves a session to the best other provider that is available; ``success`` is false if there is none.

        It has the capabilities that the session was selected for.
        """
        session = self._sessions.use(session_id)
        before = session.provider_id
        without = () if before is None else (self._index[before],)
        chosen = self._select(session.capabilities, without)
        selection = None if chosen is None else chosen.selection
        event = ProviderSwitchEvent(
            session_id=session_id,
            from_provider=before,
            to_provider="unknown" if selection is None else selection.provider_id,
            reason="Failover failed" if selection is None else "Automatic failover due to provider health issues",
            timestamp=datetime.now(UTC),
            success=selection is not None,
            error_message="No other provider is available" if selection is None else None,
        )
        session.switches.append(event)
        if chosen is None:
            _logger.error("No other provider than %s is available for session %s", before, session_id)
        else:
            self._use(session_id, chosen)
            _logger.info("Session %s moved from %s to %s", session_id, before, event.to_provider)
        return event

    @overload
    async def call_provider_with_breaker(
        self, provider_id: str, func: Callable[..., Awaitable[R]], *args: Any, **kwargs: Any
    ) -> R: ...
    @overload
    async def call_provider_with_breaker(
        self, provider_id: str, func: Callable[..., R], *args: Any, **kwargs: Any
    ) -> R: ...
    async def call_provider_with_breaker(
        self, provider_id: str, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Calls a plain or coroutine function through the breaker of the provider, or directly if it has none.

        Raises ``CircuitBreakerOpenError`` if the circuit rejects the call, otherwise whatever ``func`` raises.
        """
        breaker = self._circuit_breakers.get(provider_id)
        begun = self._now()
        try:
            if breaker is not None:
                result = await breaker.call(func, *args, **kwargs)
            else:
                result = func(*args, **kwargs)
                if inspect.isawaitable(result):
                    result = await result
        except CircuitBreakerOpenError:
            _logger.error("The circuit of provider %s is open", provider_id)
            raise
        except Exception:
            self._note(provider_id, succeeded=False, seconds=None)
            raise
        self._note(provider_id, succeeded=True, seconds=self._now() - begun)
        return result

    def record_provider_success(self, provider_id: str) -> None:
        """Counts a call that succeeded outside of ``call_provider_with_breaker``."""
        self._record(provider_id, succeeded=True)

    def record_provider_failure(self, provider_id: str, error: Exception) -> None:
        """Counts a call that failed outside of ``call_provider_with_breaker``."""
        _logger.warning("Provider %s failed with %s", provider_id, type(error).__name__)
        self._record(provider_id, succeeded=False)

    def get_circuit_breaker_status(self, provider_id: str) -> dict[str, Any] | None:
        """The status of a provider's breaker, or ``None`` if it has none."""
        breaker = self._circuit_breakers.get(provider_id)
        return None if breaker is None else breaker.get_status()

    def get_all_circuit_breaker_status(self) -> dict[str, dict[str, Any]]:
        """The status of each provider's breaker."""
        return {provider_id: breaker.get_status() for provider_id, breaker in self._circuit_breakers.items()}

    async def reset_circuit_breaker(self, provider_id: str) -> bool:
        """Closes the circuit of a provider; false if it has none."""
        breaker = self._circuit_breakers.get(provider_id)
        if breaker is not None:
            await breaker.reset()
        return breaker is not None

    async def force_open_circuit_breaker(self, provider_id: str) -> bool:
        """Opens the circuit of a provider for ``circuit_breaker_timeout_seconds``; false if it has none."""
        breaker = self._circuit_breakers.get(provider_id)
        if breaker is not None:
            await breaker.force_open()
        return breaker is not None

    def get_session_provider(self, session_id: UUID) -> str | None:
        """The provider of a session."""
        session = self._sessions.get(session_id)
        return None if session is None else session.provider_id

    def get_switch_history(self, session_id: UUID) -> list[ProviderSwitchEvent]:
        """The last 100 switches of a session, oldest first."""
        session = self._sessions.get(session_id)
        return [] if session is None else list(session.switches)

    def get_selection_history(self, limit: int | None = None) -> list[ProviderSelection]:
        """The last selections, at most ``limit`` and at most 1000, oldest first."""
        selections = list(self._selections)
        return selections[-limit:] if limit else selections

    async def cleanup_session(self, session_id: UUID) -> None:
        """Forgets the provider of a session."""
        self._sessions.forget(session_id)

    def _breaker_of(self, preference: ProviderPreference) -> CircuitBreaker:
        config = CircuitBreakerConfig(
            name=f"provider_{preference.provider_id}",
            failure_threshold=self.config.circuit_breaker_failure_threshold,
            success_threshold=self.config.circuit_breaker_success_threshold,
            timeout_seconds=self.config.circuit_breaker_timeout_seconds,
            half_open_max_calls=self.config.circuit_breaker_half_open_max_calls,
        )
        return CircuitBreaker(config, provider_id=preference.provider_id, clock=self._clock)

    def _natives(self) -> list[NativeBreaker]:
        """The breakers that the pool looks at. Without circuit breakers they are stand-ins that are always closed."""
        if self._circuit_breakers:
            return [breaker.native for breaker in self._circuit_breakers.values()]
        return [NativeBreaker(preference.provider_id, clock=self._clock) for preference in self._preferences]

    def _select(self, capabilities: Sequence[str], without: Sequence[int]) -> _Chosen | None:
        picks = self._health.choose(capabilities, without).picks
        if not picks:
            return None
        (first, role), *others = picks
        reason = f"Selected using {self.config.strategy.value} strategy"
        is_probe = role == "probe"
        if is_probe:
            self._health.probes(first)
            reason += ", as a probe of a provider that may have recovered"
        confidence = self._health.record(first).confidence()
        return _Chosen(self._selection(first, reason, confidence, [index for index, _ in others]), is_probe)

    def _first_back(self, capabilities: Sequence[str]) -> ProviderSelection:
        """The fallback: the provider with these capabilities that may be back first, otherwise the first enabled one.

        Of the enabled ones, those with the capabilities come first.
        """
        passed = self._health.look(capabilities).passed_over
        waits = sorted((wait, index) for index, _, wait in passed if wait is not None)
        if waits:
            wait, index = waits[0]
            reason = f"Fallback provider (no provider is available; this one may be back in {wait:.0f} s)"
        else:
            enabled = [index for index, preference in enumerate(self._preferences) if preference.enabled]
            able = [index for index in enabled if self._health.is_able(index, capabilities)]
            index, reason = next(iter(able or enabled), 0), "Fallback provider (no provider is available)"
        return self._selection(index, reason, 0.0, [])

    def _selection(self, index: int, reason: str, confidence: float, others: Sequence[int]) -> ProviderSelection:
        preference = self._preferences[index]
        return ProviderSelection(
            provider_id=preference.provider_id,
            provider_type=preference.provider_type or preference.provider_id.partition("_")[0],
            reason=reason,
            confidence=confidence,
            fallback_providers=[self._preferences[other].provider_id for other in others],
            timestamp=datetime.now(UTC),
        )

    def _use(self, session_id: UUID | None, chosen: _Chosen) -> None:
        self._selections.append(chosen.selection)
        if session_id is not None:
            session = self._sessions.use(session_id)
            session.provider_id = chosen.selection.provider_id
            session.is_probe = chosen.is_probe

    def _record(self, provider_id: str, *, succeeded: bool) -> None:
        breaker = self._circuit_breakers.get(provider_id)
        if breaker is not None:
            # An open circuit counts no calls that it has not admitted.
            with suppress(CircuitBreakerOpenError):
                permit = breaker.native.acquire()
                permit.success() if succeeded else permit.failure()
        self._note(provider_id, succeeded=succeeded, seconds=None)

    def _note(self, provider_id: str, *, succeeded: bool, seconds: float | None) -> None:
        index = self._index.get(provider_id)
        if index is not None:
            if provider_id not in self._circuit_breakers:
                self._streaks[provider_id] = 0 if succeeded else self._streaks.get(provider_id, 0) + 1
            self._health.note(index, succeeded=succeeded, seconds=seconds)
