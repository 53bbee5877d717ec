"""Requests to the provider with the SDK of OpenAI."""

from typing import Any

import openai

from provider.server import Provider

USER: list[Any] = [{"role": "user", "content": "two words"}]
SOON = 3.0
"""Seconds. Long enough for an immediate answer on a busy machine, and shorter than any needless wait."""


def sdk_of(provider: Provider, **options: Any) -> openai.AsyncOpenAI:
    """The SDK, which asks this provider."""
    return openai.AsyncOpenAI(base_url=provider.openai_url, api_key="none", **options)


async def ask(sdk: openai.AsyncOpenAI, messages: list[Any] = USER, model: str = "small") -> Any:
    """A whole answer."""
    return await sdk.chat.completions.create(model=model, messages=messages)


async def stream(sdk: openai.AsyncOpenAI, messages: list[Any] = USER, model: str = "small") -> Any:
    """An answer in parts, with its usage at the end."""
    options: Any = {"include_usage": True}
    return await sdk.chat.completions.create(model=model, messages=messages, stream=True, stream_options=options)
