"""``demo``: a provider that fails on a schedule, a breaker in front of it, and the page for operators."""

import argparse
import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from importlib.util import find_spec
from itertools import cycle
from typing import Any, Literal

from halfopen.breaker import CircuitBreaker
from halfopen.errors import CircuitBreakerOpenError

Behaviour = Literal["answers", "closes connections", "hangs"]
SCHEDULE: tuple[tuple[Behaviour, float], ...] = (
    ("answers", 8),
    ("closes connections", 12),
    ("answers", 10),
    ("hangs", 12),
)
"""The provider's behaviours, each with its seconds. After the last one it begins again."""
CALLS_PER_SECOND = 5.0
_PAGE_NEEDS = ("fastapi", "uvicorn")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    command = commands.add_parser("demo", help="show a breaker at work, with the page for operators")
    command.add_argument("--port", type=int, default=8321, help="of the page on 127.0.0.1; by default 8321")
    command.add_argument("--seconds", type=float, help="end after this time; by default at Ctrl+C")
    command.set_defaults(run=_demo)


class Provider:
    """A server on the loopback interface that answers each line, or fails to."""

    def __init__(self) -> None:
        self._behaviour: Behaviour = "answers"
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        """Listens on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def follow_schedule(self) -> None:
        """Changes its behaviour on schedule, without end."""
        for self._behaviour, seconds in cycle(SCHEDULE):
            print(f"the provider {self._behaviour}", flush=True)
            await asyncio.sleep(seconds)

    async def ask(self) -> bytes:
        """A call of a client, which raises an error if the provider gives no answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"hello\n")
            return await reader.readuntil(b"\n")
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.readline()
            if self._behaviour == "answers":
                writer.write(b"hello\n")
            elif self._behaviour == "hangs":
                # Until the client gives up.
                await reader.read()
        writer.close()


def _demo(options: argparse.Namespace) -> int:
    _log_to(sys.stdout)
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(options.port, options.seconds))
    return 0


async def _run(port: int, seconds: float | None) -> None:
    provider = Provider()
    await provider.start()
    breaker = CircuitBreaker(
        "demo", "loopback", failure_threshold=3, timeout_seconds=4, timeout_multiplier=1.5, call_timeout_seconds=1
    )
    seen: Counter[str] = Counter()
    tasks = [asyncio.ensure_future(task) for task in (provider.follow_schedule(), _call(breaker, provider, seen))]
    try:
        await _serve_page(breaker, port, seconds)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        print(f"\n{seen['answered']} calls were answered, {seen['failed']} failed, {seen['rejected']} were rejected.")
        print(f"The circuit is {breaker.explain()}.")


async def _call(breaker: CircuitBreaker, provider: Provider, seen: Counter[str]) -> None:
    """Calls the provider again and again; a call that hangs does not delay the next one."""

    async def call() -> None:
        try:
            await breaker.call(provider.ask)
            seen["answered"] += 1
        except CircuitBreakerOpenError:
            seen["rejected"] += 1
        except (OSError, EOFError):
            seen["failed"] += 1

    async with asyncio.TaskGroup() as calls:
        while True:
            calls.create_task(call())
            await asyncio.sleep(1 / CALLS_PER_SECOND)


async def _serve_page(breaker: CircuitBreaker, port: int, seconds: float | None) -> None:
    if missing := [module for module in _PAGE_NEEDS if find_spec(module) is None]:
        print(f"The page for operators needs {' and '.join(missing)}: pip install 'halfopen[fastapi]' uvicorn")
        print("Without it, this terminal shows what happens. Ctrl+C ends it.\n", flush=True)
        await _wait(asyncio.Event().wait(), seconds)
        return
    server = _server(breaker, port)
    print(f"The page for operators: http://127.0.0.1:{port}/breakers/page (Ctrl+C ends it)\n", flush=True)
    serving = asyncio.ensure_future(server.serve())
    await _wait(asyncio.shield(serving), seconds)
    server.should_exit = True
    await serving


def _server(breaker: CircuitBreaker, port: int) -> Any:
    import uvicorn  # noqa: PLC0415 (optional, as the application below)
    from fastapi import FastAPI  # noqa: PLC0415
    from fastapi.responses import RedirectResponse  # noqa: PLC0415

    from halfopen.fastapi import install  # noqa: PLC0415

    app = FastAPI(title="halfopen demo")
    # It listens on the loopback interface only, so every client may operate the breaker.
    install(app, breakers=[breaker], operator=lambda: "demo", stream_seconds=5)
    app.get("/", include_in_schema=False)(lambda: RedirectResponse("/breakers/page"))
    return uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))


async def _wait(end: Awaitable[object], seconds: float | None) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(end, seconds)


def _log_to(stream: Any) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    log = logging.getLogger("halfopen")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
