"""The configuration: docs/semantics.md, section 3. Defaults, checks, nothing else.

Durations leave this file as whole nanoseconds and rates as exact fractions, so
the model never rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from unicodedata import category

SECOND = 1_000_000_000
YEAR_IN_SECONDS = 365 * 24 * 60 * 60
LAST_TICK = 2**64 - 1

FIELDS = {
    "name": "default",
    "failure_threshold": 5,
    "success_threshold": 2,
    "timeout_seconds": 60.0,
    "half_open_max_calls": 3,
    "failure_rate_threshold": None,
    "slow_call_seconds": None,
    "slow_call_rate_threshold": None,
    "window": {"calls": 100},
    "minimum_calls": 10,
    "timeout_multiplier": 1.0,
    "max_timeout_seconds": None,
    "timeout_jitter": 0.0,
    "probe_timeout_seconds": None,
    "cancel_failure_after_seconds": None,
    "shadow": False,
    "record_durations": True,
}


class Invalid(Exception):
    """A value that is refused."""

    code = "INVALID_VALUE"

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field} is {value!r}, allowed is {allowed}")
        self.field = field


@dataclass(frozen=True)
class Config:
    failure_threshold: int | None
    success_threshold: int
    timeout: int
    half_open_max_calls: int
    failure_rate: Fraction | None
    slow_call: int | None
    slow_call_rate: Fraction | None
    window: tuple[str, int]
    minimum_calls: int
    timeout_multiplier: Fraction
    max_timeout: int
    timeout_jitter: Fraction
    probe_timeout: int
    cancel_failure_after: int | None
    shadow: bool
    record_durations: bool

    @property
    def measures_durations(self) -> bool:
        """Whether any rule needs the duration of a call."""
        return self.record_durations or self.slow_call is not None or self.cancel_failure_after is not None

    @property
    def has_rate(self) -> bool:
        return self.failure_rate is not None or self.slow_call_rate is not None


def parse(given: Mapping[str, object]) -> Config:
    """The configuration that was asked for, or Invalid."""
    for field in given:
        if field not in FIELDS:
            raise Invalid(field, given[field], "one of " + ", ".join(FIELDS))
    fields: dict[str, object] = {**FIELDS, **given}

    # The model does not use it, but a bad value is still refused.
    _name(fields)

    timeout = _seconds(fields, "timeout_seconds", YEAR_IN_SECONDS)
    config = Config(
        failure_threshold=None if fields["failure_threshold"] is None else _whole(fields, "failure_threshold", 65535),
        success_threshold=_whole(fields, "success_threshold", 255),
        timeout=timeout,
        half_open_max_calls=_whole(fields, "half_open_max_calls", 255),
        failure_rate=_rate(fields, "failure_rate_threshold"),
        slow_call=_seconds_or_none(fields, "slow_call_seconds"),
        slow_call_rate=_rate(fields, "slow_call_rate_threshold"),
        window=_window(fields),
        minimum_calls=_whole(fields, "minimum_calls", None),
        timeout_multiplier=_number(fields, "timeout_multiplier", 1, 10),
        max_timeout=_seconds_or_none(fields, "max_timeout_seconds") or max(3600 * SECOND, timeout),
        timeout_jitter=_number(fields, "timeout_jitter", 0, 1),
        probe_timeout=_seconds_or_none(fields, "probe_timeout_seconds") or timeout,
        cancel_failure_after=_seconds_or_none(fields, "cancel_failure_after_seconds"),
        shadow=_boolean(fields, "shadow"),
        record_durations=_boolean(fields, "record_durations"),
    )
    _check_combinations(config, fields)
    return config


def _check_combinations(config: Config, fields: Mapping[str, object]) -> None:
    def refuse(field: str, allowed: str) -> None:
        raise Invalid(field, fields[field], allowed)

    if config.slow_call_rate is not None and config.slow_call is None:
        refuse("slow_call_rate_threshold", "given together with slow_call_seconds")
    if config.failure_threshold is None and not config.has_rate:
        refuse("failure_threshold", "a number, unless a rate is set")
    if config.max_timeout < config.timeout:
        refuse("max_timeout_seconds", "at least timeout_seconds")
    kind, size = config.window
    if config.has_rate and kind == "calls" and config.minimum_calls > size:
        refuse("minimum_calls", "at most the calls that the window holds")


def _name(fields: Mapping[str, object]) -> str:
    value = fields["name"]
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= 128
        or any(category(character) in {"Cc", "Zl", "Zp"} for character in value)
    ):
        raise Invalid("name", value, "1 to 128 printable characters")
    return value


def _boolean(fields: Mapping[str, object], field: str) -> bool:
    value = fields[field]
    if not isinstance(value, bool):
        raise Invalid(field, value, "true or false")
    return value


def _exact(value: object) -> Fraction | None:
    """The number as written (0.1 is exactly 1/10), or None if the value is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return Fraction(repr(value)) if isfinite(value) else None


def _whole(fields: Mapping[str, object], field: str, maximum: int | None) -> int:
    number = _exact(fields[field])
    if number is None or number.denominator != 1 or number < 1 or (maximum is not None and number > maximum):
        allowed = "a whole number, at least 1" + (f", at most {maximum}" if maximum else "")
        raise Invalid(field, fields[field], allowed)
    return number.numerator


def _number(fields: Mapping[str, object], field: str, minimum: int, maximum: int) -> Fraction:
    number = _exact(fields[field])
    if number is None or not minimum <= number <= maximum:
        raise Invalid(field, fields[field], f"a number from {minimum} to {maximum}")
    return number


def _rate(fields: Mapping[str, object], field: str) -> Fraction | None:
    if fields[field] is None:
        return None
    number = _exact(fields[field])
    if number is None or not 0 < number <= 1:
        raise Invalid(field, fields[field], "a number above 0, at most 1, or none")
    return number


def _seconds(fields: Mapping[str, object], field: str, maximum: int | None) -> int:
    number = _exact(fields[field])
    if number is None or number <= 0 or (maximum is not None and number > maximum):
        allowed = "seconds above 0" + (f", at most {maximum}" if maximum else "")
        raise Invalid(field, fields[field], allowed)
    ticks = max(1, round(number * SECOND))
    if ticks > LAST_TICK:
        raise Invalid(field, fields[field], "at most the last tick of a clock")
    return ticks


def _seconds_or_none(fields: Mapping[str, object], field: str) -> int | None:
    return None if fields[field] is None else _seconds(fields, field, None)


def _window(fields: Mapping[str, object]) -> tuple[str, int]:
    value = fields["window"]
    for kind, maximum in (("calls", 10000), ("seconds", 3600)):
        if isinstance(value, dict) and set(value) == {kind}:
            try:
                return kind, _whole(value, kind, maximum)
            except Invalid:
                break
    raise Invalid("window", value, '{"calls": 1..10000} or {"seconds": 1..3600}')
