"""Keeps the last exchanges with clients for the page."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from halfopen_demo.clients import Reply
from halfopen_demo.steps import Step

KEPT = 40
SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Exchange:
    """One request to `POST /say` or `POST /tell` and its result."""

    number: int
    at: datetime
    asked: str
    status: int
    provider: str | None
    answer: str | None
    audio_url: str | None
    milliseconds: float
    steps: list[Step]


class ExchangeLog:
    """The last exchanges, newest first."""

    def __init__(self) -> None:
        self._entries: deque[tuple[Exchange, bytes | None]] = deque(maxlen=KEPT)
        self._count = 0

    def record(
        self, at: datetime, asked: str, status: int, steps: list[Step], *, reply: Reply | None, milliseconds: float
    ) -> Exchange:
        """Records the result of a request, and returns it as the client sees it."""
        self._count += 1
        audio = reply.audio if reply else None
        exchange = Exchange(
            number=self._count,
            at=at,
            asked=asked[:SHOWN_CHARACTERS],
            status=status,
            provider=steps[-1].provider if reply else None,
            answer=reply.text if reply else None,
            audio_url=f"/answers/{self._count}/audio" if audio else None,
            milliseconds=round(milliseconds, 1),
            steps=steps,
        )
        self._entries.appendleft((exchange, audio))
        return exchange

    def recent(self) -> list[Exchange]:
        return [exchange for exchange, _ in self._entries]

    def audio(self, number: int) -> bytes | None:
        return next((audio for exchange, audio in self._entries if exchange.number == number), None)
