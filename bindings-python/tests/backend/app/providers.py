"""The clients of the backend's providers."""

from app.patterns import CircuitBreaker, CircuitBreakerConfig


class Provider:
    """Sends text and audio through its own breaker."""

    def __init__(self, provider_id: str) -> None:
        self.breaker = CircuitBreaker(
            config=CircuitBreakerConfig(name=f"provider_{provider_id}", failure_threshold=5, timeout_seconds=60),
            provider_id=provider_id,
        )
        self.sent: list[bytes | str] = []
        self.down = False

    async def send_audio(self, audio: bytes) -> None:
        """Sends a piece of audio."""
        async with self.breaker:
            self._send(audio)

    async def send_text(self, text: str) -> None:
        """Sends a text."""
        async with self.breaker:
            self._send(text)

    def _send(self, what: bytes | str) -> None:
        if self.down:
            raise ConnectionError("the provider is down")
        self.sent.append(what)
