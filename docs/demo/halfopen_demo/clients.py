"""Calls one provider over HTTP, and classifies its errors."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import httpx2

CLIENT_ERRORS = {400, 413, 422}
"""The text itself is invalid. Other 4xx (key, quota) may succeed with the next provider."""


class ProviderFailed(Exception):
    """The provider failed: a 5xx, no connection, no answer in time, or an invalid answer."""


class ProviderRefused(Exception):
    """The provider refused the request (4xx), which says nothing about its health."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


def classify(error: Exception) -> Literal["failure", "ignored"]:
    """The outcome for the breaker: a refused request must not open the circuit, all other errors may."""
    return "ignored" if isinstance(error, ProviderRefused) else "failure"


@dataclass(frozen=True)
class Reply:
    """The answer of a provider: text or audio."""

    text: str | None = None
    audio: bytes | None = None


@dataclass(frozen=True)
class ProviderApi:
    """The path, the request body and the response parser of one provider."""

    path: str
    body: Callable[[str], dict[str, Any]]
    parse: Callable[[httpx2.Response], Reply]


PROVIDERS = {
    "gemini": ProviderApi(
        path="/v1beta/models/gemini-flash:generateContent",
        body=lambda text: {"contents": [{"role": "user", "parts": [{"text": text}]}]},
        parse=lambda response: Reply(text=response.json()["candidates"][0]["content"]["parts"][0]["text"]),
    ),
    "openai": ProviderApi(
        path="/v1/chat/completions",
        body=lambda text: {"model": "gpt-mini", "messages": [{"role": "user", "content": text}]},
        parse=lambda response: Reply(text=response.json()["choices"][0]["message"]["content"]),
    ),
    "deepgram": ProviderApi(
        path="/v1/speak?container=wav",
        body=lambda text: {"text": text},
        parse=lambda response: Reply(audio=response.content),
    ),
}
"""The providers, in order of preference."""


@dataclass(frozen=True)
class ProviderClient:
    """A client of one provider."""

    provider: str
    url: str
    http: httpx2.AsyncClient
    deadline_seconds: float

    async def ask(self, text: str) -> Reply:
        """Calls the provider, and gives up after the deadline.

        The deadline is inside the guarded function and raises `ProviderFailed`. A deadline around the guarded
        call would count as a cancellation, which is neutral, so a provider that hangs would never open its
        circuit.
        """
        api = PROVIDERS[self.provider]
        try:
            async with asyncio.timeout(self.deadline_seconds):
                response = await self.http.post(self.url + api.path, json=api.body(text))
        except TimeoutError as error:
            raise ProviderFailed(f"no answer within {self.deadline_seconds:g} s") from error
        except httpx2.TransportError as error:
            raise ProviderFailed(f"no connection ({type(error).__name__})") from error
        if response.is_client_error:
            raise ProviderRefused(response.status_code)
        if not response.is_success:
            raise ProviderFailed(f"answered {response.status_code}")
        try:
            return api.parse(response)
        except (ValueError, LookupError, TypeError) as error:
            raise ProviderFailed("invalid answer") from error
