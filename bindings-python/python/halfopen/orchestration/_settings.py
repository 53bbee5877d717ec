"""The settings of an orchestrator, checked: one that could do nothing is refused."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from importlib import import_module
from math import inf
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, get_args

from halfopen._arguments import check_function, check_present, check_seconds, check_whole_number, refused
from halfopen._core import SHORTEST_HEDGE_SECONDS, check_policy
from halfopen._pydantic_hooks import NOT_IN_JSON, ON_BREAK, ONLY_DECLARED
from halfopen._sealed import frozen_because
from halfopen._stream_items import checked_item_function
from halfopen.orchestration._breaks import OnBreak, check_on_break
from halfopen.orchestration._provider import Provider
from halfopen.types import OnExhausted, Strategy

ReturnToPrimary = Literal["never", "between_turns"]
OnSwitch: TypeAlias = Callable[[Provider, Provider, Any], Awaitable[object] | None]
Check: TypeAlias = Callable[[Provider], Awaitable[object]]
CHECK_ALLOWED = "a coroutine function of a provider, or a function that returns an awaitable"


@frozen_because("make another Orchestrator, with another {name}")
@dataclass(frozen=True, kw_only=True)
class Settings:
    """The arguments of ``Orchestrator`` beside the providers; its docstring describes them.

    Raises ``InvalidValueError``, naming the field, for a value that is not allowed. Only the orchestrator refuses
    settings that could do nothing, because that depends on its providers, and on functions that no document holds.
    """

    strategy: Strategy = "priority_list"
    on_exhausted: OnExhausted = "fail"
    deadline_seconds: float | None = 60.0
    attempt_timeout_seconds: float | None = 30.0
    first_item_timeout_seconds: float | None = 10.0
    idle_timeout_seconds: float | None = 20.0
    max_attempts: int = 3
    same_provider_retries: int = 0
    retry_delay_seconds: float | None = None
    hedge_after_seconds: float | None = None
    hedge_percentile: int | None = None
    min_health: float = 0.7
    slow_start_seconds: float = 10.0
    strict_pin: bool = False
    return_to_primary: ReturnToPrimary = "never"
    hold_seconds: float | None = None
    max_sessions: int = 10_000
    session_lifetime_seconds: float = 3600.0
    on_switch: Annotated[OnSwitch | None, NOT_IN_JSON] = None
    on_break: Annotated[OnBreak, ON_BREAK] = "raise"
    is_content: Annotated[Callable[[Any], bool] | None, NOT_IN_JSON] = None
    is_end: Annotated[Callable[[Any], bool] | None, NOT_IN_JSON] = None
    is_tool_call: Annotated[Callable[[Any], bool] | None, NOT_IN_JSON] = None
    is_too_large: Annotated[Callable[[Exception], bool] | None, NOT_IN_JSON] = None
    next_after: Annotated[Callable[[Exception], bool] | None, NOT_IN_JSON] = None
    check: Annotated[Check | None, NOT_IN_JSON] = None
    check_interval_seconds: float | None = None
    kept_events: int = 1000
    kept_items: int = 10_000
    __pydantic_config__: ClassVar = ONLY_DECLARED

    def __post_init__(self) -> None:
        check_present(self, _NEVER_NONE)
        for name in (declared.name for declared in fields(self)):
            value = getattr(self, name)
            if name.endswith("_seconds") and not (name == "slow_start_seconds" and value == 0):
                check_seconds(name, value)
        for name in ("max_attempts", "max_sessions", "kept_events", "kept_items"):
            check_whole_number(name, getattr(self, name), 1)
        check_whole_number("same_provider_retries", self.same_provider_retries, 0)
        _check_choice("return_to_primary", self.return_to_primary, get_args(ReturnToPrimary))
        _check_functions(self)
        check_policy(self.document())

    # Only pydantic calls this, so pydantic is optional.
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return import_module("halfopen._pydantic").checked_schema(handler(source))

    @property
    def hedges(self) -> bool:
        """Whether a slow call may get a second attempt."""
        return self.hedge_after_seconds is not None or self.hedge_percentile is not None

    def document(self) -> dict[str, Any]:
        """The fields of the core's policy; it checks them."""
        after = self.hedge_after_seconds
        return {
            "strategy": self.strategy,
            "on_exhausted": self.on_exhausted,
            "min_health": self.min_health,
            "slow_start_ms": round(self.slow_start_seconds * 1000),
            "strict_pin": self.strict_pin,
            "hedge_after_ms": None if after is None else max(1, round(after * 1000)),
            "hedge_percentile": self.hedge_percentile,
        }


_NEVER_NONE = ("strategy", "on_exhausted", "min_health", "slow_start_seconds", "strict_pin", "session_lifetime_seconds")


def _check_functions(settings: Settings) -> None:
    for name in ("is_content", "is_end", "is_tool_call"):
        checked_item_function(name, getattr(settings, name))
    for name in ("is_too_large", "next_after"):
        function: Any = getattr(settings, name)
        if function is not None:
            check_function(name, function, "a plain function from an exception to true or false, or None", 1)
    if settings.on_switch is not None:
        allowed = "a plain function or a coroutine function of both providers and the unfinished input, or None"
        check_function("on_switch", settings.on_switch, allowed, 3, may_be_async=True)
    if settings.check is not None:
        check_function("check", settings.check, f"{CHECK_ALLOWED}, or None", 1, may_be_async=True)
    check_on_break(settings.on_break)


def check_effects(settings: Settings, providers: Sequence[Provider]) -> None:
    """Refuses settings without an effect, because users would not notice."""
    refuse = partial(_refuse, settings)
    _check_hedge(settings, len(providers))
    deadline, attempt = settings.deadline_seconds, settings.attempt_timeout_seconds
    if deadline is not None and attempt is not None and attempt >= deadline:
        refuse("attempt_timeout_seconds", "less than deadline_seconds, which would end the call before")
    if deadline is not None and (settings.first_item_timeout_seconds or 0) >= deadline:
        refuse("first_item_timeout_seconds", "less than deadline_seconds, which would end the call before")
    if settings.same_provider_retries >= settings.max_attempts:
        refuse("same_provider_retries", "less than max_attempts, which counts every attempt")
    if settings.retry_delay_seconds is not None and not settings.same_provider_retries:
        refuse("retry_delay_seconds", "None without same_provider_retries")
    if settings.hold_seconds is not None and settings.return_to_primary == "never":
        refuse("hold_seconds", "None with return_to_primary='never'")
    if settings.check_interval_seconds is not None and settings.check is None:
        refuse("check_interval_seconds", "None without a check")
    resorts = [provider.id for provider in providers if provider.last_resort]
    if settings.on_exhausted == "last_resort" and not resorts:
        refuse("on_exhausted", "'fail' or 'wait' without a provider that is declared as last_resort")
    if settings.on_exhausted != "last_resort" and resorts:
        raise refused("last_resort", resorts, f"no such provider with on_exhausted={settings.on_exhausted!r}")


def _check_hedge(settings: Settings, count: int) -> None:
    refuse, hedge = partial(_refuse, settings), settings.hedge_after_seconds
    for name in ("hedge_after_seconds", "hedge_percentile"):
        if getattr(settings, name) is None:
            continue
        if count < 2:
            refuse(name, "None with a single provider, because a hedge goes to another one")
        if settings.max_attempts < 2:
            refuse(name, "None with max_attempts=1, because a hedge is a further attempt")
    longest = min(settings.attempt_timeout_seconds or inf, settings.deadline_seconds or inf)
    if hedge is not None and hedge >= longest:
        refuse("hedge_after_seconds", "less than attempt_timeout_seconds and deadline_seconds")
    if settings.hedge_percentile is not None and hedge is None and longest <= SHORTEST_HEDGE_SECONDS:
        refuse(
            "hedge_percentile", f"None with timeouts up to {SHORTEST_HEDGE_SECONDS} s, the shortest delay of a hedge"
        )


def _refuse(settings: Settings, name: str, allowed: str) -> None:
    raise refused(name, getattr(settings, name), allowed)


def _check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise refused(name, value, "one of: " + ", ".join(allowed))
