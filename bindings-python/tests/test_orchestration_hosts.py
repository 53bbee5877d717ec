"""Threads, event loops and forks, and the load on the other providers while one is down."""

import asyncio
import subprocess
import sys
import threading
from collections import Counter

from halfopen import ManualClock
from halfopen.orchestration import CallEnded, Orchestrator, Provider
from orchestrated import HttpError, Script, always, config, in_flight

FORK = """
import asyncio, os
from halfopen.orchestration import Orchestrator, Provider

orchestrator = Orchestrator([Provider("a", max_concurrent_calls=1), Provider("b", tier=1)])

async def ask(provider):
    return provider.id

async def hang(provider):
    await asyncio.Event().wait()

async def main():
    task = asyncio.ensure_future(orchestrator.call(hang))
    await asyncio.sleep(0)
    assert await orchestrator.call(ask) == "b"
    child = os.fork()
    if child == 0:
        # The parent's call does not belong to the child, and no lock is held here.
        os._exit(0 if asyncio.new_event_loop() and orchestrator.status()[0].in_flight == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert await orchestrator.call(ask, session="s") == "b"
    task.cancel()

asyncio.run(main())
"""


def test_the_child_of_a_fork_has_no_calls_of_its_parent() -> None:
    ran = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=30, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_several_event_loops_share_an_orchestrator() -> None:
    orchestrator = Orchestrator([Provider(name) for name in "ab"], strategy="round_robin")

    async def ask(provider: Provider) -> str:
        await asyncio.sleep(0)
        return provider.id

    async def calls() -> None:
        for number in range(50):
            await asyncio.gather(*(orchestrator.call(ask, session=f"s{number}-{call}") for call in range(4)))

    threads = [threading.Thread(target=asyncio.run, args=(calls(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert in_flight(orchestrator) == 0
    total = sum(orchestrator.breaker(name).metrics.successful_calls for name in "ab")
    assert total == 4 * 50 * 4
    numbers = [event.call for event in orchestrator.events(CallEnded)]
    assert len(set(numbers)) == len(numbers)


async def test_the_neighbour_of_a_dead_provider_gets_no_double_load() -> None:
    clock = ManualClock()
    members = [Provider(name, config(name, timeout_seconds=10_000)) for name in "abcd"]
    orchestrator, script = Orchestrator(members, strategy="round_robin", clock=clock), Script(b=always(HttpError(500)))
    await orchestrator.call(script)
    await orchestrator.call(script)
    script.asked.clear()
    for _ in range(300):
        await orchestrator.call(script)
    loads = Counter(script.asked)
    assert set(loads) == {"a", "c", "d"}
    assert all(99 <= load <= 101 for load in loads.values()), loads
