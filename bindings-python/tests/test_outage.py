"""Many clients through an outage: two uvicorn workers, two providers, and a Prometheus that adds the workers up.

``make test`` runs it for seconds; ``HALFOPEN_WIDE=1`` (``make test-wide``) runs 200 clients for a minute. ``pytest -s``
shows the figures.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import quantiles

import aiohttp
import pytest

from provider import Fault, Late, NoAnswer, Provider, Status
from real_servers import Prometheus, answers, eventually, prometheus, two_workers

CLIENTS, LONGEST_PAUSE_SECONDS, TIMES = (200, 2.0, 8) if "HALFOPEN_WIDE" in os.environ else (50, 1.0, 1)
LOST_AFTER_SECONDS = 10
# Those of scripts/servers/orchestrated_app.py.
WAIT_SECONDS, PROBES_AT_ONCE = 0.5, 2

HEALTHY = Late(0.1)
PHASES: tuple[tuple[str, Fault, float], ...] = (
    ("healthy", HEALTHY, 0.5),
    ("fails", Status(503), 1),
    ("healed", HEALTHY, 0.5),
    ("hangs", NoAnswer(), 2),
    ("healed", HEALTHY, 0.5),
    ("slow", Late(1.2), 2),
    ("healed", HEALTHY, 1),
)
"""The phases: name, behaviour of the preferred provider, and seconds in the short form."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")


@dataclass
class Answer:
    """An answer with status 200. Times are in seconds since the Unix epoch."""

    begun: float
    ended: float
    worker: int
    provider: str
    role: str


@dataclass
class Seen:
    """The answers that the clients got."""

    texts: dict[str, str]
    answers: list[Answer] = field(default_factory=list[Answer])
    attempts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    unavailable: Counter[str] = field(default_factory=Counter[str])
    lost: list[str] = field(default_factory=list[str])
    answered: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def ask(self, session: aiohttp.ClientSession, address: str) -> None:
        """Sends a request and records how it ends."""
        begun = time.time()
        try:
            async with session.get(f"{address}/say") as response:
                body = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self.lost.append(repr(error))
            return
        if response.status == 200:
            provider, role, _ = body["attempts"][-1]
            assert body["text"] == self.texts[provider]
            self.attempts.update((provider, outcome) for provider, _, outcome in body["attempts"])
            self.answers.append(Answer(begun, time.time(), body["worker"], provider, role))
            async with self.answered:
                self.answered.notify_all()
        elif response.status == 503 and "Retry-After" in response.headers:
            self.attempts.update((it["provider"], "failure") for it in body["providers"] if it["reason"] == "failed")
            self.unavailable[body["ended_by"]] += 1
        else:
            self.lost.append(f"{response.status} {body}")

    def attempts_by_provider(self) -> Counter[str]:
        """The attempts with any outcome."""
        counts = Counter[str]()
        for (provider, _), count in self.attempts.items():
            counts[provider] += count
        return counts

    def workers_back_at(self, provider: str, healed: float) -> dict[int, float]:
        """When each worker first considered the provider healthy again."""
        back: dict[int, float] = {}
        for answer in self.answers:
            if answer.begun > healed and (answer.provider, answer.role) == (provider, "normal"):
                back.setdefault(answer.worker, answer.ended)
        return back

    async def wait_until_both_workers_are_back(self, provider: str, healed: float) -> None:
        """Waits until both workers consider the provider healthy again."""
        async with asyncio.timeout(LOST_AFTER_SECONDS), self.answered:
            await self.answered.wait_for(lambda: len(self.workers_back_at(provider, healed)) == 2)


@dataclass
class Phase:
    """A phase of the outage, and the number of requests that the provider had received before it."""

    name: str
    begun: float
    received: int


@asynccontextmanager
async def clients(address: str, seen: Seen) -> AsyncIterator[None]:
    """Clients that ask again and again. At the end, each waits for its answer."""
    stopped = asyncio.Event()

    async def client(number: int) -> None:
        chance = random.Random(number)
        while not stopped.is_set():
            await asyncio.sleep(chance.uniform(0, LONGEST_PAUSE_SECONDS))
            await seen.ask(session, address)

    # A connection for each request, so that both workers get their share.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    timeout = aiohttp.ClientTimeout(total=LOST_AFTER_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session, asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(client(number))
        yield
        stopped.set()


async def outage(preferred: Provider, address: str, seen: Seen) -> list[Phase]:
    """Breaks and heals the preferred provider, while clients ask."""
    phases: list[Phase] = []
    async with clients(address, seen):
        for name, fault, seconds in PHASES:
            preferred.always(fault)
            phases.append(Phase(name, time.time(), len(preferred.requests)))
            await asyncio.sleep(seconds * TIMES)
            if fault == HEALTHY:
                await seen.wait_until_both_workers_are_back("preferred", phases[-1].begun)
    return [*phases, Phase("end", time.time(), len(preferred.requests))]


@dataclass
class Counts:
    """The sums over the workers, by Prometheus."""

    attempts: Counter[tuple[str, str]]
    choices: dict[str, float]
    openings: dict[str, float]

    @classmethod
    def of(cls, server: Prometheus) -> "Counts":
        attempts = Counter[tuple[str, str]]()
        for name in ("preferred", "backup"):
            calls = server.sums(f'halfopen_calls_total{{circuit="{name}"}}', "outcome")
            attempts.update({(name, outcome): int(count) for outcome, count in calls.items()})
        choices = server.sums("halfopen_choices_total", "provider")
        return cls(+attempts, choices, server.sums('halfopen_transitions_total{to_state="open"}', "circuit"))


Log = list[tuple[str, float, str, str]]
"""A worker's log: kind (``circuit`` or ``choice``), time, provider, and the circuit's state."""


def choices_in(log: Log, phase: Phase, until: Phase) -> Iterator[tuple[str, bool]]:
    """The choices of the preferred provider: the state of its circuit, and whether it had opened in this phase."""
    has_opened = False
    for kind, at, provider, state in log:
        if provider == "preferred" and phase.begun <= at < until.begun:
            if kind == "choice":
                yield state, has_opened
            elif state == "open":
                has_opened = True


async def test_no_request_is_lost_in_an_outage_and_prometheus_counts_what_the_clients_saw(tmp_path: Path) -> None:
    files, logs = tmp_path / "metrics", tmp_path / "logs"
    files.mkdir()
    logs.mkdir()
    with Provider("The preferred answer.") as preferred, Provider("The answer of the backup.") as backup:
        backup.always(HEALTHY)
        preferred.always(HEALTHY)
        providers = {"preferred": preferred, "backup": backup}
        urls = json.dumps({name: provider.url for name, provider in providers.items()})
        seen = Seen({name: provider.text for name, provider in providers.items()})
        with (
            two_workers("orchestrated_app", files, {"PROVIDERS": urls, "LOGS": str(logs)}) as port,
            prometheus(tmp_path, port) as server,
        ):
            address = f"http://127.0.0.1:{port}"
            eventually(lambda: answers(f"{address}/providers"))
            phases = await outage(preferred, address, seen)
            assert seen.lost == []
            # A worker writes its calls once a second and its choices after them: the last request can come in between.
            eventually(lambda: Counts.of(server).choices == seen.attempts_by_provider())
            eventually(lambda: Counts.of(server).attempts == seen.attempts)
            counts = Counts.of(server)
            scraped = {int(path.stem.removeprefix("counter_")) for path in files.glob("counter_*.db")}
    worker_logs: dict[int, Log] = {int(path.stem): json.loads(path.read_text()) for path in logs.iterdir()}
    print("\n" + "\n".join(figures(seen, phases, counts, worker_logs)))

    assert counts.attempts == seen.attempts
    assert counts.choices == {name: len(provider.requests) for name, provider in providers.items()}
    lines = [line for log in worker_logs.values() for line in log]
    assert counts.choices == Counter(provider for kind, _, provider, _ in lines if kind == "choice")
    openings = Counter(provider for kind, _, provider, state in lines if (kind, state) == ("circuit", "open"))
    assert {name: count for name, count in counts.openings.items() if count} == openings
    workers = {answer.worker for answer in seen.answers}
    assert len(workers) == 2
    assert workers == scraped == set(worker_logs)

    assert [line for line in lines if (line[0], line[3]) == ("choice", "open")] == []
    assert not seen.unavailable, "the backup was there for every request"
    probes = Counter[str]()
    for phase, until in pairwise(phases):
        if phase.name in ("healthy", "healed"):
            continue
        for log in worker_logs.values():
            choices = list(choices_in(log, phase, until))
            chosen = [state for state, has_opened in choices if has_opened]
            assert set(chosen) <= {"half_open"}, phase
            assert len(chosen) <= PROBES_AT_ONCE * ((until.begun - phase.begun) / WAIT_SECONDS + 1), phase
            probes[phase.name] += len(chosen)
    assert probes["fails"] > 0


def figures(seen: Seen, phases: list[Phase], counts: Counts, logs: dict[int, Log]) -> Iterator[str]:
    """The figures of the run, line by line."""
    seconds = phases[-1].begun - phases[0].begun
    asked = len(seen.answers) + seen.unavailable.total() + len(seen.lost)
    yield f"{CLIENTS} clients, {seconds:.0f} s, {asked} requests, two workers"
    by_provider = dict(Counter(answer.provider for answer in seen.answers))
    yield f"answered {by_provider}, status 503 {dict(seen.unavailable)}, lost {len(seen.lost)}"
    cuts = quantiles([answer.ended - answer.begun for answer in seen.answers], n=100)
    longest = max(answer.ended - answer.begun for answer in seen.answers)
    yield f"seconds to the answer: median {cuts[49]:.3f}, 99% below {cuts[98]:.3f}, longest {longest:.3f}"
    for phase, until in pairwise(phases):
        line = f"{phase.name:8} {until.begun - phase.begun:5.1f} s: the preferred provider got"
        line += f" {until.received - phase.received} requests"
        if phase.name == "healed":
            back = max(seen.workers_back_at("preferred", phase.begun).values()) - phase.begun
            line += f"; both workers sent it calls again {back:.2f} s after it had healed"
        elif phase.name != "healthy":
            choices = [has_opened for log in logs.values() for _, has_opened in choices_in(log, phase, until)]
            line += f": {choices.count(False)} before its circuits opened, {choices.count(True)} probes after that"
        yield line
    chosen_open = sum((kind, state) == ("choice", "open") for log in logs.values() for kind, _, _, state in log)
    yield f"attempts at an open circuit: {chosen_open}"
    yield f"attempts, seen by the clients:   {sorted(seen.attempts.items())}"
    yield f"attempts, counted by Prometheus: {sorted(counts.attempts.items())}"
    yield f"choices {counts.choices}, openings {counts.openings}"
