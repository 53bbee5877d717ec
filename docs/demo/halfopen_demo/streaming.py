"""A stream of tokens as server-sent events: the provider, its tokens, and each change of the provider."""

import json
import time
from collections.abc import AsyncGenerator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import httpx2

from halfopen.orchestration import AllProvidersFailed, Need, Restarted, Stream, StreamBrokenError
from halfopen_demo.clients import Reply, text_of
from halfopen_demo.services import TEXT, Services
from halfopen_demo.steps import steps_of


class Telling:
    """One request to `POST /tell`."""

    def __init__(self, services: Services, text: str, session: str | None) -> None:
        self.services = services
        self.text = text
        self.at, self.start = datetime.now(UTC), time.perf_counter()
        self.events = services.events_of_this_request()
        clients, need = services.clients, Need([TEXT])
        self.stream: Stream[Any] = services.orchestrator.stream(clients.tokens, text, need=need, session=session)
        self.first: Any = None
        self.texts: list[str] = []

    async def begin(self) -> None:
        """Waits for the first token, so that a request without an answer gets a status instead of a stream."""
        self.first = await anext(self.stream)

    async def sse(self) -> AsyncGenerator[bytes]:
        """The events for the page."""
        async with self.stream:
            try:
                yield self._token(self.first)
                async for item in self.stream:
                    yield self._restart(item) if isinstance(item, Restarted) else self._token(item)
            except (AllProvidersFailed, StreamBrokenError, httpx2.HTTPError) as error:
                # The status has been sent, so the stream itself has to say that the answer is not complete.
                self._record(502)
                yield _event("broken", code=getattr(error, "code", "PROVIDER_ERROR"), detail=str(error))
            else:
                self._record(200)
                report = self.stream.report
                yield _event("end", provider=self.stream.provider, model=report and report.model)

    def _token(self, item: Any) -> bytes:
        text = text_of(item)
        self.texts.append(text)
        return _event("token", provider=self.stream.provider, text=text)

    def _restart(self, marker: Restarted) -> bytes:
        self.texts.clear()
        return _event("restart", **asdict(marker))

    def _record(self, status: int) -> None:
        report = self.stream.report
        steps = steps_of(self.events, report.attempts if report else ())
        reply = Reply("".join(self.texts)) if status == 200 else None
        milliseconds = (time.perf_counter() - self.start) * 1000
        self.services.exchange_log.record(self.at, self.text, status, steps, reply=reply, milliseconds=milliseconds)


def _event(kind: str, **data: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()
