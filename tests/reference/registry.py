"""Breakers by name: docs/semantics.md, section 7. Vectors hold no breaker, so idle means unused here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from config import FIELDS, Config, Invalid, parse
from model import Breaker


class Refused(Exception):
    """A request that the registry refuses."""

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.field = field


@dataclass(eq=False)
class Entry:
    name: str
    breaker: Breaker
    given: dict[str, object]


def is_idle(breaker: Breaker, now: int) -> bool:
    streak = breaker.open_streak
    flaps = streak.count > 0 and now - streak.closed_at < streak.last_wait
    bad = any(entry.failed or entry.slow for entry in breaker.window.entries_at(now))
    in_use = bad or flaps or breaker.failures > 0 or breaker.counters["in_flight"] > 0
    return breaker.state == "closed" and breaker.mode_at(now) == breaker.configured_mode and not in_use


def difference(one: dict[str, object], other: dict[str, object]) -> str | None:
    """The first field that differs, with the defaults filled in."""
    parsed = [comparable(parse(given), given) for given in (one, other)]
    return next((field for field in FIELDS if parsed[0][field] != parsed[1][field]), None)


def comparable(config: Config, given: Mapping[str, object]) -> dict[str, object]:
    """The values of a configuration by the names of the fields."""
    names = dict(zip(list(FIELDS)[1:], asdict(config).values(), strict=True))
    return {"name": given.get("name", FIELDS["name"]), **names}


class Registry:
    def __init__(self, bound: object) -> None:
        self.bound = checked(bound)
        # New entries, oldest first, and those that a search found in use, the longest waiting first.
        self.new: list[Entry] = []
        self.in_use: list[Entry] = []

    @property
    def entries(self) -> dict[str, Entry]:
        return {entry.name: entry for entry in sorted(self.new + self.in_use, key=lambda entry: entry.name)}

    def get_or_create(self, given: dict[str, object], now: int) -> None:
        config, name = parse(given), str(given.get("name", FIELDS["name"]))
        known = self.entries.get(name)
        if known is not None:
            field = difference(known.given, given)
            if field is not None:
                raise Refused("NAME_CONFLICT", field)
            return
        if len(self.entries) >= self.bound:
            self.evict(self.bound - 1, now)
        if len(self.entries) >= self.bound:
            raise Refused("REGISTRY_FULL")
        self.new.append(Entry(name, Breaker(config), given))

    def evict(self, until: int, now: int) -> int:
        """Evicts unused breakers until this many are left; returns the number of those evicted."""
        order = self.in_use[:1] + self.new + self.in_use[1:]
        before = len(order)
        for entry in order:
            if len(self.entries) <= until:
                break
            self.remove(entry.name)
            if not is_idle(entry.breaker, now):
                self.in_use.append(entry)
        return before - len(self.entries)

    def set_bound(self, bound: object, now: int) -> None:
        self.bound = checked(bound)
        self.evict(self.bound, now)

    def remove(self, name: str) -> None:
        self.new = [entry for entry in self.new if entry.name != name]
        self.in_use = [entry for entry in self.in_use if entry.name != name]


def checked(bound: object) -> int:
    if not isinstance(bound, int) or isinstance(bound, bool) or bound < 1:
        raise Invalid("bound", bound, "a whole number, at least 1")
    return bound
