"""Scripted streams for tests of the orchestrator."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from halfopen.orchestration import Provider, Restarted, Stream
from orchestrated import Hang


def chunk(text: str | None = None, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """A chunk of OpenAI's chat completions."""
    content = {} if text is None else {"content": text}
    return {"model": "gpt", "choices": [{"index": 0, "delta": content | delta, "finish_reason": finish}]}


ROLE = chunk("", role="assistant")
END = chunk(finish="stop")


class Streams:
    """Each provider streams the next part of its script; an exception in it is raised, a ``Hang`` waits for ever."""

    def __init__(self, **parts: list[list[Any]]) -> None:
        self.parts = parts
        self.asked: list[str] = []
        self.closed: list[str] = []

    async def __call__(self, provider: Provider, *args: Any) -> AsyncIterator[Any]:
        self.asked.append(provider.id)
        self.args = args
        answers = self.parts.get(provider.id)
        items = answers.pop(0) if answers else [ROLE, chunk(provider.id), END]
        try:
            for item in items:
                await asyncio.sleep(0)
                if isinstance(item, Hang):
                    await asyncio.Event().wait()
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self.closed.append(provider.id)


async def text_of(stream: Stream[Any]) -> str:
    """The text of a stream, from its last restart on."""
    text = ""
    async for item in stream:
        if isinstance(item, Restarted):
            text = ""
        elif isinstance(item, dict):
            text += "".join(choice["delta"].get("content") or "" for choice in item.get("choices", ()))
        else:
            text += item
    return text
