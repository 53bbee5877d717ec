"""trio as a guest of asyncio: each of the two finalises its own async generators, guarded or not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import sniffio
import trio

from consumers import counts
from halfopen import CircuitBreaker


class Sources:
    """Makes async generators that say which event loop closed them."""

    def __init__(self) -> None:
        self.closed_by = list[tuple[str, str]]()

    async def source(self, name: str) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            self.closed_by.append((name, sniffio.current_async_library()))


WAYS: dict[str, Callable[[CircuitBreaker, Sources, str], Any]] = {
    "bare": lambda _, sources, name: sources.source(name),
    "decorated": lambda breaker, sources, name: breaker(sources.source)(name),
    "decorated twice": lambda breaker, sources, name: breaker(breaker(sources.source))(name),
    "stream": lambda breaker, sources, name: breaker.stream(sources.source(name)),
    "stream of a guarded one": lambda breaker, sources, name: breaker.stream(breaker(sources.source)(name)),
}


async def host_trio(guest: Callable[[], Any], meanwhile: Callable[[], Any]) -> None:
    """Runs both, and ends when both have."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    trio.lowlevel.start_guest_run(
        guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=ended.set_result
    )
    await meanwhile()
    (await ended).unwrap()


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")
@pytest.mark.parametrize("way", WAYS)
def test_each_loop_finalises_what_it_began(way: str, capfd: pytest.CaptureFixture[str]) -> None:
    breaker, sources = CircuitBreaker(), Sources()

    async def both() -> None:
        started: asyncio.Future[trio.lowlevel.TrioToken] = asyncio.get_running_loop().create_future()
        leave = trio.Event()
        dropped_late: Any = None

        async def guest() -> None:
            of_guest = WAYS[way](breaker, sources, "guest")
            assert await anext(of_guest) == 1
            del of_guest
            while not sources.closed_by:
                await trio.lowlevel.checkpoint()
            started.set_result(trio.lowlevel.current_trio_token())
            await leave.wait()

        async def meanwhile() -> None:
            nonlocal dropped_late
            token = await started
            of_host, dropped_late = WAYS[way](breaker, sources, "host"), WAYS[way](breaker, sources, "late")
            assert (await anext(of_host), await anext(dropped_late)) == (1, 1)
            del of_host
            await turns()
            token.run_sync_soon(leave.set)

        await host_trio(guest, meanwhile)
        assert sources.closed_by == [("guest", "trio"), ("host", "asyncio")]
        del dropped_late
        await turns()

    asyncio.run(both())
    assert sources.closed_by == [("guest", "trio"), ("host", "asyncio"), ("late", "asyncio")]
    assert counts(breaker)[3] == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("way", WAYS)
def test_each_loop_closes_at_its_end_what_it_began(way: str, capfd: pytest.CaptureFixture[str]) -> None:
    breaker, sources = CircuitBreaker(), Sources()
    of_guest, of_host = WAYS[way](breaker, sources, "guest"), WAYS[way](breaker, sources, "host")

    async def guest() -> None:
        assert await anext(of_guest) == 1

    async def meanwhile() -> None:
        assert await anext(of_host) == 1

    async def both() -> None:
        await host_trio(guest, meanwhile)
        assert sources.closed_by == [("guest", "trio")]

    asyncio.run(both())
    assert sources.closed_by == [("guest", "trio"), ("host", "asyncio")]
    # The streams are still held, and hold no permits.
    assert counts(breaker)[3] == 0
    assert capfd.readouterr() == ("", "")
