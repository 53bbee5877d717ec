"""Calls one provider over HTTP, for a whole answer or for a stream of tokens."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from halfopen.orchestration import Provider

CLIENT_ERRORS = {400, 413, 422}
"""The text itself is refused. No other provider is asked."""


@dataclass(frozen=True)
class Reply:
    """The answer of a provider: text or audio."""

    text: str | None = None
    audio: bytes | None = None


@dataclass(frozen=True)
class ProviderApi:
    """The paths, the request body and the parser of one provider. It cannot stream without a ``stream_path``."""

    path: str
    body: Callable[[str], dict[str, Any]]
    parse: Callable[[httpx2.Response], Reply]
    stream_path: str | None = None


PROVIDERS = {
    "gemini": ProviderApi(
        path="/v1beta/models/gemini-flash:generateContent",
        body=lambda text: {"contents": [{"role": "user", "parts": [{"text": text}]}]},
        parse=lambda response: Reply(text=response.json()["candidates"][0]["content"]["parts"][0]["text"]),
        stream_path="/v1beta/models/gemini-flash:streamGenerateContent?alt=sse",
    ),
    "openai": ProviderApi(
        path="/v1/chat/completions",
        body=lambda text: {"model": "gpt-mini", "messages": [{"role": "user", "content": text}]},
        parse=lambda response: Reply(text=response.json()["choices"][0]["message"]["content"]),
        stream_path="/v1/chat/completions",
    ),
    "deepgram": ProviderApi(
        path="/v1/speak?container=wav",
        body=lambda text: {"text": text},
        parse=lambda response: Reply(audio=response.content),
    ),
}
"""The providers, in order of preference."""


class Clients:
    """The clients of all providers. The errors of the HTTP client reach the orchestrator as they are."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.urls = urls
        # No timeout here: the orchestrator has the deadlines. Loopback needs no proxy.
        self.http = httpx2.AsyncClient(timeout=None, trust_env=False)

    async def ask(self, provider: Provider, text: str) -> Reply:
        """The whole answer of a provider."""
        api = PROVIDERS[provider.id]
        response = await self.http.post(self.urls[provider.id] + api.path, json=api.body(text))
        return api.parse(response.raise_for_status())

    async def tokens(self, provider: Provider, text: str) -> AsyncGenerator[dict[str, Any]]:
        """The chunks of an answer, as the provider sends them."""
        api = PROVIDERS[provider.id]
        assert api.stream_path is not None
        url, body = self.urls[provider.id] + api.stream_path, api.body(text)
        if provider.id == "openai":
            body["stream"] = True
        async with self.http.stream("POST", url, json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                data = line.removeprefix("data: ")
                if data and data != "[DONE]":
                    yield json.loads(data)


def text_of(chunk: Mapping[str, Any]) -> str:
    """The text in a chunk from Gemini or OpenAI."""
    if "candidates" in chunk:
        return "".join(part["text"] for part in chunk["candidates"][0]["content"]["parts"])
    return str(chunk["choices"][0]["delta"].get("content", ""))
