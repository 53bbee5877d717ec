"""Speaks to one provider over HTTP, and says whose fault it is when that goes wrong."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import httpx2

CALLERS_FAULT = {400, 413, 422}
"""What says that the text itself was wrong; other 4xx (a key, a quota) may go well with the next provider."""


class ProviderFailed(Exception):
    """The provider did not do its part: a 5xx, no connection, no answer in time, an answer that cannot be read."""


class ProviderRefused(Exception):
    """The provider found fault with the request (4xx), which says nothing about its health."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


def classify(error: Exception) -> Literal["failure", "ignored"]:
    """What the breaker counts: a refusal must not open a circuit, everything else may."""
    return "ignored" if isinstance(error, ProviderRefused) else "failure"


@dataclass(frozen=True)
class Reply:
    """What a provider gave: words, or sound."""

    text: str | None = None
    audio: bytes | None = None


@dataclass(frozen=True)
class Dialect:
    """How one provider wants to be asked, and where its answer stands."""

    path: str
    body: Callable[[str], dict[str, Any]]
    read: Callable[[httpx2.Response], Reply]


PROVIDERS = {
    "gemini": Dialect(
        path="/v1beta/models/gemini-flash:generateContent",
        body=lambda text: {"contents": [{"role": "user", "parts": [{"text": text}]}]},
        read=lambda response: Reply(text=response.json()["candidates"][0]["content"]["parts"][0]["text"]),
    ),
    "openai": Dialect(
        path="/v1/chat/completions",
        body=lambda text: {"model": "gpt-mini", "messages": [{"role": "user", "content": text}]},
        read=lambda response: Reply(text=response.json()["choices"][0]["message"]["content"]),
    ),
    "deepgram": Dialect(
        path="/v1/speak?container=wav",
        body=lambda text: {"text": text},
        read=lambda response: Reply(audio=response.content),
    ),
}
"""The providers, best first."""


@dataclass(frozen=True)
class ProviderClient:
    """A client of one provider."""

    provider: str
    url: str
    http: httpx2.AsyncClient
    deadline_seconds: float

    async def ask(self, text: str) -> Reply:
        """Asks the provider, and gives up after the deadline.

        The deadline lies in here, inside what the breaker guards, and ends as an exception of ours. A deadline
        around the guarded call would look like a cancellation, which is nobody's fault, and a provider that
        hangs would never open its circuit.
        """
        dialect = PROVIDERS[self.provider]
        try:
            async with asyncio.timeout(self.deadline_seconds):
                response = await self.http.post(self.url + dialect.path, json=dialect.body(text))
        except TimeoutError as error:
            raise ProviderFailed(f"no answer within {self.deadline_seconds:g} s") from error
        except httpx2.TransportError as error:
            raise ProviderFailed(f"no connection ({type(error).__name__})") from error
        if response.is_client_error:
            raise ProviderRefused(response.status_code)
        if not response.is_success:
            raise ProviderFailed(f"answered {response.status_code}")
        try:
            return dialect.read(response)
        except (ValueError, LookupError, TypeError) as error:
            raise ProviderFailed("its answer cannot be read") from error
