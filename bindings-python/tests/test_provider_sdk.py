"""A provider's SDK behind a breaker, against a loopback server."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from openai import AsyncOpenAI, InternalServerError

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError, ManualClock

ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "created": 0,
    "model": "small",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
}


@dataclass
class Provider:
    """Gives the same answer to each request."""

    healthy: bool = False
    requests: list[str] = field(default_factory=list[str])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.requests.append(head.splitlines()[0])
        body = json.dumps(ANSWER if self.healthy else {"error": {"message": "overloaded"}})
        lines = [
            "HTTP/1.1 200 OK" if self.healthy else "HTTP/1.1 503 Service Unavailable",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "retry-after-ms: 1",
            "connection: close",
        ]
        writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def provider() -> AsyncIterator[tuple[Provider, AsyncOpenAI]]:
    provider = Provider()
    async with await asyncio.start_server(provider.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}", api_key="none") as client:
            yield provider, client


async def test_an_http_sdk_does_not_retry_the_rejection(
    provider: tuple[Provider, AsyncOpenAI], clock: ManualClock
) -> None:
    server, client = provider
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1, timeout_seconds=30), clock=clock)

    @breaker
    async def ask(text: str) -> str | None:
        answer = await client.chat.completions.create(model="small", messages=[{"role": "user", "content": text}])
        return answer.choices[0].message.content

    # All attempts of the SDK are one call, which raises the error of the SDK.
    with pytest.raises(InternalServerError):
        await ask("hello")
    assert len(server.requests) == 1 + client.max_retries
    assert breaker.metrics.failed_calls == 1

    # A rejected call does not reach the SDK, which therefore neither retries nor sleeps.
    with pytest.raises(CircuitBreakerOpenError) as rejected:
        await ask("hello")
    assert (rejected.value.__cause__, rejected.value.__context__) == (None, None)
    assert rejected.value.retry_after == 30
    assert len(server.requests) == 1 + client.max_retries

    server.healthy = True
    clock.advance(30)
    assert await ask("hello") == "hello"
