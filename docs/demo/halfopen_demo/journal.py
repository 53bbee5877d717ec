"""Remembers the last exchanges with the clients, so that the page can show them."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from halfopen_demo.failover import Course, Step

KEPT = 40
SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Exchange:
    """One request to `POST /say`, and what came of it."""

    number: int
    at: datetime
    asked: str
    status: int
    provider: str | None
    answer: str | None
    audio_url: str | None
    milliseconds: float
    steps: list[Step]


class Journal:
    """The last exchanges, newest first."""

    def __init__(self) -> None:
        self._entries: deque[tuple[Exchange, bytes | None]] = deque(maxlen=KEPT)
        self._count = 0

    def enter(self, at: datetime, asked: str, status: int, course: Course, milliseconds: float) -> Exchange:
        """Notes what came of a request, and gives it back as the client sees it."""
        self._count += 1
        reply = course.reply
        sound = reply.audio if reply else None
        exchange = Exchange(
            number=self._count,
            at=at,
            asked=asked[:SHOWN_CHARACTERS],
            status=status,
            provider=course.steps[-1].provider if reply else None,
            answer=reply.text if reply else None,
            audio_url=f"/answers/{self._count}/audio" if sound else None,
            milliseconds=round(milliseconds, 1),
            steps=course.steps,
        )
        self._entries.appendleft((exchange, sound))
        return exchange

    def recent(self) -> list[Exchange]:
        return [exchange for exchange, _ in self._entries]

    def audio(self, number: int) -> bytes | None:
        return next((sound for exchange, sound in self._entries if exchange.number == number), None)
