"""A naive model of the pool, written from docs/pool.md and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, log
from statistics import median_low
from typing import Any

from config import Invalid
from pool_meter import MASK, SECOND, Latencies, Meter, fnv1a, mix

MILLISECOND = 1_000_000
STRATEGIES = ("priority_list", "round_robin", "random", "best_performance", "highest_availability")
PURPOSES = {"rank": 1, "slow_start": 2, "explore": 3}
REJECTING = ("open", "probes_busy", "forced_open")
KINDS = ("unary", "stream")
PRICES = {"refusal": 0, "failure": 10, "timeout": 20}


def millis(nanos: int | None) -> float | None:
    return None if nanos is None else nanos / MILLISECOND


@dataclass
class Provider:
    id: str
    tier: int = 0
    weight: int = 1
    enabled: bool = True
    capabilities: list[str] = field(default_factory=list)
    limit: int | None = None
    key: str | None = None
    model: str | None = None
    max_concurrent_calls: int | None = None
    last_resort: bool = False
    # Its situation.
    circuit: str = "closed"
    until: int | None = None
    in_flight: int = 0
    closed_since: int | None = None
    meter: Meter = field(default_factory=Meter)
    latencies: dict[str, Latencies] = field(default_factory=lambda: {kind: Latencies() for kind in KINDS})
    credit: int = 0

    def cools_down_with(self, other: Provider, scope: str) -> bool:
        """Whether this provider cools down as well when the other one gets a cooldown of this scope."""
        if self.id == other.id:
            return True
        same_key = self.key is not None and self.key == other.key
        same_model = self.model is not None and self.model == other.model
        return {"provider": False, "key": same_key, "model": same_model, "key_and_model": same_key and same_model}[
            scope
        ]


SCOPES = ("provider", "key", "model", "key_and_model")


@dataclass
class Cooldown:
    until: int = 0
    without_hint: int = 0


class Pool:
    def __init__(self, arguments: dict[str, Any]) -> None:
        given: dict[str, Any] = {
            "strategy": "priority_list",
            "min_health": 0.7,
            "strict_pin": False,
            "slow_start_ms": 10_000,
            "on_exhausted": "fail",
            "hedge_after_ms": None,
            "hedge_percentile": None,
            "seed": 0,
            "providers": [],
        }
        for name, value in arguments.items():
            if name not in given:
                raise Invalid(name, value, "a field of a pool")
        given |= arguments
        self.strategy: str = given["strategy"]
        if self.strategy not in STRATEGIES:
            raise Invalid("strategy", self.strategy, "a strategy")
        self.min_health: float = given["min_health"]
        if not 0 <= self.min_health <= 1:
            raise Invalid("min_health", self.min_health, "from 0 to 1")
        self.strict_pin: bool = given["strict_pin"]
        self.slow_start: int = given["slow_start_ms"] * MILLISECOND
        self.on_exhausted: str = given["on_exhausted"]
        self.hedge_after_ms: int | None = given["hedge_after_ms"]
        self.hedge_percentile: int | None = given["hedge_percentile"]
        if self.hedge_percentile is not None and not 50 <= self.hedge_percentile <= 99:
            raise Invalid("hedge_percentile", self.hedge_percentile, "from 50 to 99")
        self.seed: int = given["seed"]
        self.sequence = 0
        self.tokens = 100
        # The price of each further attempt in flight, and whether the call could do without it.
        self.prices: list[tuple[int, bool]] = []
        self.providers = [Provider(**provider) for provider in given["providers"]]
        # Each provider has its own copy of a cooldown that it shares.
        self.cooldowns = {(provider.id, scope): Cooldown() for provider in self.providers for scope in SCOPES}

    def draw(self, purpose: str, name: str) -> float:
        x = mix(mix(mix(self.seed) ^ self.sequence) ^ fnv1a(name) ^ PURPOSES[purpose])
        return ((x >> 11) + 0.5) / 2**53

    # The steps.

    def absence(self, provider: Provider, now: int) -> tuple[str, int | None] | None:
        """Why no call at all can go to a provider."""
        rests_until = max(self.cooldowns[provider.id, scope].until for scope in SCOPES)
        cooling = rests_until if rests_until > now else None
        if not provider.enabled:
            return "disabled", None
        if provider.weight == 0:
            return "draining", None
        if provider.circuit in REJECTING:
            until = provider.until
            return provider.circuit, None if until is None else max(until, cooling or 0)
        if cooling is not None:
            return "cooling_down", cooling
        if provider.max_concurrent_calls is not None and provider.in_flight >= provider.max_concurrent_calls:
            return "full", None
        return None

    def reason(self, provider: Provider, need: dict[str, Any], now: int) -> tuple[str, int | None] | None:
        absent = self.absence(provider, now)
        limit = inf if provider.limit is None else provider.limit
        refused = need.get("larger_than")
        filters = {
            "missing_capability": not set(need.get("capabilities", [])) <= set(provider.capabilities),
            "too_small": limit < need.get("size", 0) or (refused is not None and limit <= refused),
            "tried": provider.id in need.get("tried", []),
            "reserved": provider.last_resort and self.on_exhausted != "last_resort",
        }
        if absent is not None and absent[0] in {"disabled", "draining"}:
            return absent
        return next(((name, None) for name, holds in filters.items() if holds), absent)

    def is_unhealthy(self, provider: Provider, now: int) -> bool:
        meter = provider.meter
        return not meter.is_cold(now, provider.closed_since) and meter.success_rate() < self.min_health

    def choose(self, need: dict[str, Any], now: int, deadline: int | None) -> dict[str, Any]:
        reasons = {provider.id: self.reason(provider, need, now) for provider in self.providers}
        for provider in self.providers:
            if self.absence(provider, now) is not None:
                provider.credit = 0
        available = [provider for provider in self.providers if reasons[provider.id] is None]
        closed = [it for it in available if it.circuit == "closed" and not it.last_resort]
        probes = [it for it in available if it.circuit == "half_open" and not it.last_resort]
        pinned = next((it for it in closed if it.id == need.get("pin")), None)
        may_lead = need.get("replayable", True) and not (self.strict_pin and pinned)

        picks: list[tuple[Provider, str]] = []
        tail: list[Provider] = []
        charged = False
        for tier in sorted({provider.tier for provider in available}):
            here = [it for it in probes if it.tier == tier]
            turn = self.sequence % len(here) if here else 0
            here = here[turn:] + here[:turn]
            if here and may_lead and any(it.tier >= tier for it in closed):
                picks.append((here.pop(0), "probe"))
            tail += here
            for role in ("normal", "unhealthy"):
                unhealthy = role == "unhealthy"
                group = [it for it in closed if it.tier == tier and self.is_unhealthy(it, now) == unhealthy]
                ranked = self.ranked(group, need, now)
                picks += [(provider, role) for provider in ranked]
                if ranked and not charged:
                    charged = True
                    self.charge(ranked, pinned, now)
        picks += [(provider, "probe") for provider in tail]
        resorts = sorted((it for it in available if it.last_resort), key=lambda it: it.tier)
        picks += [(provider, "last_resort") for provider in resorts]
        if pinned is not None:
            picks = self.with_pin(picks, pinned)
        self.sequence += 1
        return self.shown(picks, reasons, now, deadline)

    @staticmethod
    def with_pin(picks: list[tuple[Provider, str]], pinned: Provider) -> list[tuple[Provider, str]]:
        at = next(index for index, (provider, _) in enumerate(picks) if provider is pinned)
        before = picks[:at]
        probe = next((pick for pick in before if pick[1] == "probe" and pick[0].tier <= pinned.tier), None)
        first = [pick for pick in (probe, picks[at]) if pick is not None]
        return first + [pick for pick in picks if pick not in first]

    def shown(
        self,
        picks: list[tuple[Provider, str]],
        reasons: dict[str, tuple[str, int | None] | None],
        now: int,
        deadline: int | None,
    ) -> dict[str, Any]:
        passed = [(name, *reason) for name, reason in reasons.items() if reason is not None]
        times = [until for _, _, until in passed if until is not None]
        earliest = min(times) if times else None
        shown: dict[str, Any] = {
            "picks": [[provider.id, role] for provider, role in picks],
            "passed_over": [[name, reason, millis(until)] for name, reason, until in passed],
            "earliest_ms": millis(earliest),
        }
        if not picks:
            in_time = earliest is not None and (deadline is None or earliest < deadline)
            if self.on_exhausted == "wait" and in_time:
                shown["wait_until_ms"] = millis(earliest)
            else:
                shown["retry_after_ms"] = None if earliest is None else millis(max(0, earliest - now))
        return shown

    # The strategies.

    def ramp(self, provider: Provider, group: list[Provider], now: int) -> int:
        """In thousandths."""
        if provider.closed_since is None or len(group) == 1:
            return 1000
        elapsed = max(0, now - provider.closed_since)
        return 1000 if elapsed >= self.slow_start else 100 + 900 * elapsed // self.slow_start

    def ranked(self, group: list[Provider], need: dict[str, Any], now: int) -> list[Provider]:
        weights = {it.id: it.weight * self.ramp(it, group, now) for it in group}
        cold = [it for it in group if it.meter.is_cold(now, it.closed_since)]

        def at_random(members: list[Provider]) -> list[Provider]:
            return sorted(members, key=lambda it: -log(self.draw("rank", it.id)) / weights[it.id])

        def held_back(members: list[Provider]) -> list[Provider]:
            def goes_back(it: Provider) -> bool:
                ramp = self.ramp(it, group, now)
                return ramp < 1000 and self.draw("slow_start", it.id) >= ramp / 1000

            return sorted(members, key=goes_back)

        def scored(score: dict[str, float]) -> dict[str, float]:
            median = median_low(score.values()) if score else 0.0
            return {it.id: score.get(it.id, median) for it in group}

        def explored(members: list[Provider]) -> list[Provider]:
            unknown = [it for it in members if it in cold]
            if not unknown or len(unknown) == len(members) or self.draw("explore", "") >= 1 / 20:
                return members
            first = unknown[self.sequence % len(unknown)]
            return [first, *(it for it in members if it is not first)]

        warm = [it for it in group if it not in cold]
        match self.strategy:
            case "priority_list":
                return held_back(group)
            case "round_robin":
                return sorted(group, key=lambda it: -(it.credit + weights[it.id]))
            case "random":
                return at_random(group)
            case "best_performance":
                if len(group) < 2:
                    return group
                kind = need.get("kind", "unary")
                score = scored({it.id: self.expected_time(it, kind) for it in warm})
                order = sorted(group, key=lambda it: score[it.id])
                limit = score[order[0].id] * 1.1
                near = [it for it in order if score[it.id] <= limit]
                far = [it for it in order if score[it.id] > limit]
                return explored(at_random(near) + far if len(near) > 1 else held_back(order))
            case _:
                score = scored({it.id: -it.meter.lower_bound(now) for it in warm})
                return explored(held_back(sorted(group, key=lambda it: score[it.id])))

    @staticmethod
    def expected_time(provider: Provider, kind: str) -> float:
        latency, _ = provider.meter.latencies.get(kind, (10.0, 0))
        return latency * (provider.in_flight + 1) + (1 - provider.meter.success_rate()) * 10

    def charge(self, group: list[Provider], pinned: Provider | None, now: int) -> None:
        goes_to = group[0] if pinned is None else pinned
        if self.strategy != "round_robin" or goes_to not in group:
            return
        weights = {it.id: it.weight * self.ramp(it, group, now) for it in group}
        for provider in group:
            provider.credit += weights[provider.id]
        goes_to.credit -= sum(weights.values())

    # Events of providers.

    def provider(self, name: str) -> Provider:
        for provider in self.providers:
            if provider.id == name:
                return provider
        raise Invalid("id", name, "a provider")

    def set(self, name: str, situation: dict[str, Any], now: int) -> None:
        provider = self.provider(name)
        provider.in_flight = situation.get("in_flight", provider.in_flight)
        circuit = situation.get("circuit")
        if circuit is None:
            return
        if circuit not in {"closed", "half_open", *REJECTING}:
            raise Invalid("circuit", circuit, "a circuit")
        if circuit == "closed" and provider.circuit != "closed":
            provider.closed_since, provider.meter = now, Meter()
            provider.latencies = {kind: Latencies() for kind in KINDS}
        until = situation.get("until_ms")
        provider.circuit, provider.until = circuit, None if until is None else until * MILLISECOND

    def shared(self, name: str, scope: str) -> list[Cooldown]:
        """The cooldowns of this scope of all providers that share it."""
        owner = self.provider(name)
        return [self.cooldowns[it.id, scope] for it in self.providers if it.cools_down_with(owner, scope)]

    def limited(self, name: str, scope: str, hint_ms: int | None, now: int) -> None:
        if hint_ms is None and scope in {"key", "model"}:
            hint_ms = 300_000
        for cooldown in self.shared(name, scope):
            if hint_ms is not None:
                wait = min(hint_ms * MILLISECOND, 86_400 * SECOND)
            else:
                # The jitter of the breaker: a number from -1 to 1.
                streak = cooldown.without_hint
                jitter = (mix((self.seed + (streak - 1) * 0x9E3779B97F4A7C15) & MASK) >> 11) / 2**52 - 1
                wait = round(min(2 ** min(streak, 6), 60) * SECOND * (1 + 0.1 * jitter))
                cooldown.without_hint += 1
            cooldown.until = max(cooldown.until, now + wait)

    @property
    def held(self) -> int:
        return sum(price for price, is_spare in self.prices if is_spare)

    def move(self, after: str, left: str, now: int) -> bool:
        """Whether the budget pays for a move away from a provider."""
        if after not in PRICES:
            raise Invalid("move", after, "a reason")
        provider = self.provider(left)
        absence = self.absence(provider, now)
        gets_no_usual_call = provider.circuit != "closed" or (absence is not None and absence[0] != "full")
        price = 0 if gets_no_usual_call else PRICES[after]
        if price > 0 and self.tokens < price:
            return False
        self.prices.append((price, False))
        return True

    def hold(self) -> bool:
        if self.tokens - self.held < 10:
            return False
        self.prices.append((10, True))
        return True

    def settle(self, outcome: str) -> None:
        if not self.prices:
            raise Invalid("settle", outcome, "after a payment")
        price, is_spare = self.prices.pop()
        if outcome == "failure" or (is_spare and outcome != "success"):
            self.tokens -= price

    def hedge(self, provider: Provider, kind: str, now: int) -> int | None:
        """The time after which an attempt at a provider is slow."""
        if self.hedge_percentile is None:
            return None if self.hedge_after_ms is None else self.hedge_after_ms * MILLISECOND
        slow = provider.latencies[kind].percentile(self.hedge_percentile, now)
        shortest = 100 if self.hedge_after_ms is None else self.hedge_after_ms
        return None if slow is None else max(slow, shortest * MILLISECOND)
