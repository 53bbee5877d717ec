"""A server of web sockets on this machine, and what it does with a connection."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve

Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0) as server:
        host, port = next(iter(server.sockets)).getsockname()[:2]
        yield f"ws://{host}:{port}"


async def three_messages(socket: ServerConnection) -> None:
    for number in range(3):
        await socket.send(str(number))


async def dies_after_one_message(socket: ServerConnection) -> None:
    await socket.send("0")
    socket.transport.abort()


async def says_nothing(socket: ServerConnection) -> None:
    await socket.wait_closed()
